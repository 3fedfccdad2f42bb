/** Each example of docs/authoring.md compiles, and runs where it needs one machine and scripts alone. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as words from '../../src/pipeline/index.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf } from '../compile/sources.ts';
import { createProject } from '../cli/sandbox.ts';
import { pageOf, sourcesOf } from './blocks.ts';

const examples = sourcesOf(pageOf('authoring.md')).map(({ source }) => source);
const compiler = await createCompiler();
after(async () => await compiler.close());

for (const [index, source] of examples.entries()) {
  const name = /pipeline\('([a-z-]+)'/.exec(source)?.[1] ?? `example ${index + 1}`;
  test(`the pipeline "${name}" of docs/authoring.md compiles`, async () => {
    const [compiled] = await compiler.compile(commitOf({ '.pipelines/example.ts': source }));
    assert.deepEqual(compiled?.problems, []);
    assert.equal(compiled?.version?.definition.name, name);
  });
}

test('docs/authoring.md shows every word', () => {
  for (const word of Object.keys(words)) {
    assert.ok(
      examples.some((source) => new RegExp(`\\b${word}[(.]`).test(source)),
      `${word} has no example`,
    );
  }
});

test('the examples of docs/authoring.md that need nothing but scripts run', async () => {
  const names = ['hello', 'shared-machine', 'growing', 'decisions', 'search', 'grouped'];
  const needed = examples.filter((source) => names.some((name) => source.includes(`pipeline('${name}'`)));
  const scripts = new Set(needed.flatMap((source) => [...source.matchAll(/'\.\/(\w+\.sh)'/g)].map(([, name]) => name)));
  const project = createProject({
    'contender.yaml': 'repositories: [{ url: . }]\npools: { gpu: { slots: 2 }, database: { slots: 1 } }\n',
    ...Object.fromEntries(needed.map((source, index) => [`.pipelines/${index}.ts`, source])),
    ...Object.fromEntries([...scripts].map((name) => [name, '#!/bin/sh\necho "$@"\n'])),
  });
  try {
    for (const name of scripts) chmodSync(join(project.folder, name ?? ''), 0o755);
    project.commit({});
    for (const name of names) {
      const { status, out, err } = await project.run(['run', name]);
      assert.equal(status, 0, `${name}:\n${out}${err}`);
    }
  } finally {
    await project.remove();
  }
});
