import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { examplesOf, missingLines, pageOf } from './blocks.ts';
import { createReader } from './reader.ts';

const page = pageOf('simulate.md');
const [first, ...examples] = examplesOf(page);
const reader = createReader();
before(async () => {
  assert.ok(first !== undefined && examples.length >= 3);
  await reader.type(first.commands);
});
after(() => reader.leave());

for (const { line, commands, shown } of examples) {
  test(`line ${line} of docs/simulate.md shows what it does`, async () => {
    const output = await reader.type(commands);
    assert.deepEqual(missingLines(shown ?? '', output), [], output);
  });
}

/** The names of all fields, at any depth. */
function fieldsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => fieldsOf(item));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...fieldsOf(inner)]);
}

test('docs/simulate.md tells each field of the documents', async () => {
  const told = new Set([...(page.split('## As JSON')[1] ?? '').matchAll(/[\w]+/g)].map(([word]) => word));
  const name = 'nightly-churn';
  for (const options of ['--outcome train=failed || true', '--from 2026-10-23 --until 5d --duration train=25h']) {
    const document: unknown = JSON.parse(await reader.type(`contender simulate ${name} --json ${options}`));
    const untold = fieldsOf(document).filter((field) => !told.has(field));
    assert.deepEqual(untold, []);
  }
});

test('docs/simulate.md has every outcome that the command offers', async () => {
  const refused = await reader.type('contender simulate nightly-churn --outcome train=nothing 2>&1 || true');
  const [, offered = ''] = /There are: (.*)\./.exec(refused) ?? [];
  const words = offered.split(', ');
  assert.ok(words.length > 5, refused);
  for (const word of words) assert.ok(page.includes(`\`${word}\``), word);
});
