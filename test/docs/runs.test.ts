/** What docs/runs.md says of retries is what the engine does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backOffMs } from '../../src/engine/back-off.ts';
import { pipeline, step } from '../../src/pipeline/index.ts';
import { pageOf } from './blocks.ts';

const rows = [...pageOf('runs.md').matchAll(/^\| (\d+)(?: and later)? \| ([\d.]+) s \| ([\d.]+) s \|$/gm)];

test('the waits of docs/runs.md are those of a step that says nothing of them', () => {
  const { steps } = pipeline('waits', {}, () => void step('train', { command: ['true'] })).definition;
  const retry = steps[0]?.retry;
  assert.ok(retry !== undefined && rows.length === 7);
  for (const [, number, least, most] of [...rows, ['', '50', '450', '600']]) {
    const waits = Array.from({ length: 1000 }, (_, run) => backOffMs(retry, Number(number), `run-${run}/train/0/1`));
    const [leastMs, mostMs] = [Number(least) * 1000, Number(most) * 1000];
    assert.ok(Math.min(...waits) >= leastMs && Math.max(...waits) <= mostMs, `retry ${number}`);
    const near = (mostMs - leastMs) / 100;
    assert.ok(Math.min(...waits) < leastMs + near && Math.max(...waits) > mostMs - near, `retry ${number}, as it says`);
  }
});
