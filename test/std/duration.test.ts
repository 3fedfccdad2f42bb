import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, writeDuration } from '../../src/std/duration.ts';

test('a duration is written in the largest unit that says it exactly, and reads back', () => {
  const written = [
    [0, '0s'],
    [1, '1ms'],
    [1000, '1s'],
    [1500, '1500ms'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [5_400_000, '90m'],
    [36 * 3_600_000, '36h'],
    [30 * 86_400_000, '30d'],
    [366 * 86_400_000, '366d'],
  ] as const;
  for (const [ms, text] of written) {
    assert.equal(writeDuration(ms), text);
    assert.deepEqual(parseDuration(text), { ok: true, value: ms });
  }
});
