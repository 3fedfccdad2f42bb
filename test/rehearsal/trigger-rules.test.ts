/** What Airflow says of random DAGs, asked of a rehearsal in the words of its user. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judgeCase, type Node, type Played } from '../conformance/trigger-rules.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import { rehearse } from './rehearse.ts';

const file = join(import.meta.dirname, '../conformance/trigger-rules.jsonl');
const cases = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '');

for (const slots of [1, 3, Number.POSITIVE_INFINITY]) {
  test(`with ${slots} slots, a rehearsal comes to the states that Airflow came to`, () => {
    assert.ok(cases.length > 100);
    const failures = cases.flatMap(
      (line) => judgeCase(JSON.parse(line), (definition, nodes) => play(definition, nodes, slots)) ?? [],
    );
    assert.deepEqual(failures, []);
  });
}

function play(definition: PipelineDefinition, nodes: readonly Node[], slots: number): Played {
  const run = rehearse(definition, { outcomes: nodes.flatMap(wordsOf), slots });
  const steps = run.steps.map((step): [string, string | string[]] => {
    const listed = step.isMapped && step.instances.length > 0;
    return [step.name, listed ? step.instances.map((instance) => instance.state) : step.state];
  });
  return { run: run.state, steps: Object.fromEntries(steps) };
}

/** As on the command line: `t3[1]=failed`, `t5=follow:t7+t8`. */
function wordsOf(node: Node): readonly string[] {
  switch (node.kind) {
    case 'task':
      return [`${node.id}=${node.outcome}`];
    case 'mapped':
      return node.outcomes.map((outcome, index) => `${node.id}[${index}]=${outcome}`);
    case 'branch':
      return [`${node.id}=${node.outcome === 'success' ? `follow:${node.follow.join('+')}` : node.outcome}`];
    case 'short_circuit':
      return [`${node.id}=${node.outcome === 'success' && !node.pass ? 'stop' : node.outcome}`];
    default:
      return unreachable(node);
  }
}
