/** Each example of docs/authoring.md compiles. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as words from '../../src/pipeline/index.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf } from '../compile/sources.ts';
import { pageOf } from './blocks.ts';

const page = pageOf('authoring.md');
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, source = '']) => source);
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
