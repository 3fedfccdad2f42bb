import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentOf, tableOf } from '../../bench/document.ts';
import type { Figure } from '../../bench/figures.ts';

const machine: Figure = { workload: 'machine', cores: 2, load_before: 0.1, contender: 'built', smoke: false };

test('a table has a row for each figure and a column for each name that any of them has', () => {
  const table = tableOf([
    { workload: 'chain-40', peer: 'make -j8', per_step_ms: 1.4 },
    { workload: 'chain-40', peer: 'contender', per_step_ms: 0.8, target_per_step_ms: 0.8 },
  ]);
  assert.equal(
    table,
    '| peer | per step ms | target per step ms |\n' +
      '| -- | -- | -- |\n' +
      '| make -j8 | 1.4 |  |\n' +
      '| contender | 0.8 | 0.8 |\n',
  );
});

test('what would end a cell does not', () => {
  assert.match(tableOf([{ workload: 'peers', error: 'one | two\nthree' }]), /\| one \\\| two three \|/);
});

test('the document has one table for each workload, in the order in which they were measured', () => {
  const document = documentOf([
    machine,
    { workload: 'chain-40', peer: 'contender', per_step_ms: 0.8 },
    { workload: 'idle', peer: 'contender', rss_mb: 99 },
    { workload: 'chain-40', peer: 'dbos', per_step_ms: 2.4 },
  ]);
  const headings = [...document.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  assert.deepEqual(headings, ['How to read it', 'The machine', 'Chain-40', 'At rest']);
  assert.match(document, /\| contender \| 0\.8 \|\n\| dbos \| 2\.4 \|/);
});

test('each figure that has a target stands above the tables, with whether it was met', () => {
  const document = documentOf([
    machine,
    { workload: 'chain-40', peer: 'contender', how: 'functions', per_step_ms: 0.8, target_per_step_ms: 0.8 },
    { workload: 'idle', peer: 'contender', how: 'at rest', rss_mb: 150, target_rss_mb: 100, core_percent: 0 },
    { workload: 'idle', peer: 'another', how: 'at rest', rss_mb: 10 },
  ]);
  assert.match(
    document,
    /## What was aimed at\n\n1 of 2 met\.\n\n.*\n.*\n\| Chain-40 \| functions \| per step ms \| 0\.8 \| 0\.8 \| yes \|\n\| At rest \| at rest \| rss mb \| 150 \| 100 \| no, 1\.5 times \|\n\n/,
  );
});

test('figures of a machine at rest carry no warning', () => {
  assert.doesNotMatch(documentOf([machine]), /say little/);
});

const doubtful: readonly (readonly [title: string, machine: Figure, says: RegExp])[] = [
  ['a machine that did something else', { ...machine, load_before: 3 }, /the load before the run was 3 on 2 cores/],
  ['a smoke run', { ...machine, smoke: true }, /it was a smoke run/],
  ['a product that was not built', { ...machine, contender: 'from source' }, /Contender was not built/],
];

for (const [title, figure, says] of doubtful) {
  test(`figures of ${title} say so above them`, () => {
    assert.match(documentOf([figure]), says);
  });
}
