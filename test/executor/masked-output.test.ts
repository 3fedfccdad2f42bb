import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskedOutput } from '../../src/executor/local/masked-output.ts';
import { createMask } from '../../src/outputs/mask.ts';
import type { Json } from '../../src/std/json.ts';

const mask = createMask(new Map([['PIN', '48151623']]));

function masked(output: Json): { readonly output: Json; readonly said: readonly string[] } {
  const said: string[] = [];
  return { output: maskedOutput(output, { mask, log: { say: (line) => void said.push(line) } }), said };
}

test('a secret is masked in texts, names and numbers of an output, and the log says so once', () => {
  assert.deepEqual(masked({ pin: 48151623, 'for 48151623': ['48151623', { deep: -481516230.5 }], rows: 7 }), {
    output: { pin: '***', 'for ***': ['***', { deep: '-***0.5' }], rows: 7 },
    said: ['The output held a secret, which was masked.'],
  });
});

test('an output without one stays as it is, numbers too', () => {
  const output = { rows: 481516, share: 0.25, none: null, all: true };
  assert.deepEqual(masked(output), { output, said: [] });
});
