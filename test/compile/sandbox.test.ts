/** The life of the sandbox's threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { compileLimits } from '../../src/compile/compile.ts';
import { guest, writePrebuiltGuest } from '../../src/compile/guest-bundle.ts';
import { Sandbox } from '../../src/compile/sandbox.ts';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const nothing = '(() => ({}))()';

test('a sandbox without work ends its threads, and starts them again for the next definition', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits, 1);
  t.after(() => sandbox.close());
  for (let round = 0; round < 3; round += 1) {
    const evaluation = await sandbox.evaluate(nothing, Infinity);
    assert.deepEqual(evaluation, { kind: 'json', text: '{"missing":"none"}' });
    while (sandbox.isAwake) await turn();
  }
});

test('definitions that come while the threads end are evaluated all the same', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits, 0);
  t.after(() => sandbox.close());
  const evaluations = await Promise.all(Array.from({ length: 20 }, () => sandbox.evaluate(nothing, Infinity)));
  assert.deepEqual(new Set(evaluations.map(({ kind }) => kind)), new Set(['json']));
});

test('a closed sandbox says so, and starts nothing', async () => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits);
  await sandbox.close();
  assert.equal((await sandbox.evaluate(nothing, Infinity)).kind, 'crashed');
  assert.equal(sandbox.isAwake, false);
});

test('what the build of the package writes down is what development makes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'contender-guest-'));
  t.after(() => rm(folder, { recursive: true }));
  await writePrebuiltGuest(folder);
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'prebuilt/guest.json'), 'utf8')), await guest());
});
