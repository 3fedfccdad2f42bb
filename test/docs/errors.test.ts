import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemCodes } from '../../src/std/problem-codes.ts';
import { pageOf } from './blocks.ts';

const [, ...sections] = pageOf('errors.md').split(/^## /m);
const explained = new Map(
  sections.map((section) => {
    const [code = '', ...lines] = section.split('\n');
    return [code.trim(), lines.join('\n').trim()];
  }),
);

test('docs/errors.md explains each code, and no code that there is not', () => {
  const known: readonly string[] = problemCodes;
  assert.deepEqual(
    known.filter((code) => !explained.has(code)),
    [],
    'codes without a section',
  );
  assert.deepEqual(
    [...explained.keys()].filter((code) => !known.includes(code)),
    [],
    'sections without a code',
  );
  assert.equal(sections.length, explained.size, 'a code is explained twice');
});

for (const [code, text] of explained) {
  test(`${code} is explained with what it means and what to do`, () => {
    const [means = '', does = ''] = text.split('**What to do.**');
    assert.ok(means.trim().length > 40, 'what it means');
    assert.ok(does.trim().length > 20, 'what to do');
  });
}

test('each code is what some other test expects', () => {
  const folder = join(import.meta.dirname, '..');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const tests = files
    .filter((name) => join(folder, name) !== import.meta.filename)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const unexpected = problemCodes.filter((code) => !new RegExp(`(?<![\\w-])${code}(?![\\w-])`).test(tests));
  assert.deepEqual(unexpected, []);
});
