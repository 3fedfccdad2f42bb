import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPipeStock } from '../../src/executor/local/pipes.ts';

test('nothing is made any more once the stock is closed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipes-'));
  const stock = createPipeStock(folder);
  await stock.close();
  const made = readdirSync(folder).length;
  assert.equal(made, 8, 'the first pipes are being made from the start, and closing waits for them');
  rmSync(folder, { recursive: true });
});
