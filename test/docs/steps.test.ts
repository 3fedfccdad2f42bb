/** Each example of docs/steps.md compiles. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf } from '../compile/sources.ts';
import { pageOf, sourcesOf } from './blocks.ts';

const examples = sourcesOf(pageOf('steps.md')).map(({ source }) => source);
const compiler = await createCompiler();
after(async () => await compiler.close());

for (const source of examples) {
  const name = /pipeline\('([a-z-]+)'/.exec(source)?.[1] ?? '';
  test(`the pipeline "${name}" of docs/steps.md compiles`, async () => {
    const [compiled] = await compiler.compile(commitOf({ [`.pipelines/${name}.ts`]: source }));
    assert.deepEqual(compiled?.problems, []);
    assert.equal(compiled?.version?.definition.name, name);
  });
}
