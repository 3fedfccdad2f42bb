import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { examplesOf, missingLines, pageOf } from './blocks.ts';
import { createReader } from './reader.ts';

const examples = examplesOf(pageOf('quick-start.md'));
const reader = createReader();
after(() => reader.leave());

test('the quick start has its examples', () => assert.ok(examples.length >= 8));

for (const { line, commands, shown } of examples) {
  test(`line ${line} of the quick start does what it shows`, async () => {
    const output = await reader.type(commands);
    if (shown !== null) assert.deepEqual(missingLines(shown, output), [], output);
  });
}
