/** Each block of docs/triggers.md does what it shows, and each `on` and `updates` of it is one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf } from '../compile/sources.ts';
import { examplesOf, missingLines, pageOf, sourcesOf } from './blocks.ts';
import { createReader } from './reader.ts';

const page = pageOf('triggers.md');
const examples = examplesOf(page);
const reader = createReader();
const compiler = await createCompiler();
before(() => assert.ok(examples.length >= 3));
after(async () => {
  reader.leave();
  await compiler.close();
});

for (const { line, commands, shown } of examples) {
  test(`line ${line} of docs/triggers.md shows what it does`, async () => {
    const output = await reader.type(commands);
    assert.deepEqual(missingLines(shown ?? '', output), [], output);
  });
}

test('the lines of docs/triggers.md compile', async () => {
  const lines = sourcesOf(page).flatMap(({ source }) => source.trim().split('\n'));
  assert.ok(lines.length >= 8);
  for (const form of ['all', 'any']) assert.ok(lines.some((line) => line.startsWith(`on: { data: { ${form}: [`)));
  for (const line of lines) {
    const [options, body] = line.startsWith('on:') ? [line, "step('a', { command: ['true'] });"] : ['', line];
    const source = `import { pipeline, step } from 'contender';
export default pipeline('example', { ${options} }, () => { ${body} });`;
    const [compiled] = await compiler.compile(commitOf({ '.pipelines/example.ts': source }));
    assert.deepEqual(compiled?.problems, [], line);
  }
});
