/** The two pipelines that the product is measured by: the reason for its words. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf } from './sources.ts';

const compiler = await createCompiler();
after(async () => await compiler.close());

const edges: Readonly<Record<string, readonly string[]>> = {
  'weekly-churn': [
    'wait-for-daily-features ->',
    'validate -> wait-for-daily-features',
    'features -> validate',
    'train -> features',
    'challenge-churn -> train',
    'deploy-or-not -> challenge-churn',
    'deploy -> deploy-or-not',
    'keep -> challenge-churn, deploy-or-not',
    'summary -> train, challenge-churn, deploy, keep',
  ],
  'full-training': [
    'data-preparation/there ->',
    'data-preparation/clean -> data-preparation/there',
    'data-preparation/split -> data-preparation/clean',
    'settings ->',
    'fit -> data-preparation/split, settings',
    'best -> fit',
    'challenge-recommender -> data-preparation/split, best',
    'worth-it -> challenge-recommender',
    'deploy -> worth-it',
    'notify -> challenge-recommender',
  ],
};

for (const [name, expected] of Object.entries(edges)) {
  test(`the reference pipeline ${name} compiles to its steps and edges`, async () => {
    const source = readFileSync(new URL(`./reference/${name}.ts`, import.meta.url), 'utf8');
    const [compiled] = await compiler.compile(commitOf({ [`.pipelines/${name}.ts`]: source }));
    assert.deepEqual(compiled?.problems, []);
    const steps = compiled?.version?.definition.steps ?? [];
    assert.deepEqual(
      steps.map((step) => `${step.name} -> ${step.upstream.join(', ')}`.trimEnd()),
      expected,
    );
  });
}
