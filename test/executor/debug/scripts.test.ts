import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { receiveScript } from '../../../src/executor/debug/scripts.ts';

function receiving(context: TestContext, bytes: number) {
  const folder = mkdtempSync(join(tmpdir(), 'contender-scripts-'));
  const path = join(folder, "what's sent");
  const child = spawn('sh', ['-c', receiveScript(path, bytes)], { stdio: ['pipe', 'ignore', 'pipe'] });
  context.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  return { child, path, ended: once(child, 'close') };
}

test('what is sent is written as it is, and no more of it', async (context) => {
  const { child, path, ended } = receiving(context, 9);
  child.stdin.write('a\0b\nc\n\nd and more');
  assert.deepEqual((await ended)[0], 0);
  assert.equal(readFileSync(path, 'latin1'), 'a\0b\nc\n\nd ');
});

test('less than was to be sent is a failure, which says how much came', async (context) => {
  const { child, ended } = receiving(context, 9);
  child.stdin.end('a');
  assert.equal(await text(child.stderr), '1 of 9 bytes arrived\n');
  assert.equal((await ended)[0], 1);
});
