import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { good, slow } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/slow.ts': slow });
});
afterEach(() => sandbox.remove());

test('cancel asks the server that is at work in the folder, with the name and reason of who asks', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
  const run = sandbox.start(['run', 'slow']);
  await run.until(/sleeps running/);
  const asked = await sandbox.run(['cancel', 'slow#1', '--reason', 'wrong data']);
  assert.deepEqual(
    [asked.status, asked.err, asked.out],
    [0, '', `Asked to cancel slow#1. The server at ${url} takes it in.\n`],
  );
  assert.equal((await run.ended).status, 1);
  assert.match((await sandbox.run(['runs'])).out, /cancelled slow#1[^\n]*\n {4}cancelled by .+: wrong data\n/);
});

test('cancel ends a run that another terminal carries out, without a server', async () => {
  const run = sandbox.start(['run', 'slow']);
  await run.until(/sleeps running/);
  const asked = await sandbox.run(['cancel', 'slow#1']);
  assert.equal(asked.status, 0, asked.err);
  assert.match(
    asked.out,
    /^Asked to cancel slow#1\. It stands in the journal: whoever carries the run out takes it in/,
  );
  const { status, out } = await run.ended;
  assert.equal(status, 1);
  assert.match(out, /cancelled by/);
});

test('a cancel that nobody could take in waits for the next server', async () => {
  const run = sandbox.start(['run', 'slow']);
  await run.until(/sleeps running/);
  run.kill('SIGKILL');
  await run.ended;
  assert.equal((await sandbox.run(['cancel', 'slow#1', '--reason', 'no more'])).status, 0);
  const server = sandbox.start(['serve', '--port', '0']);
  await server.until(/slow: cancelled|slow.*cancelled by .+: no more/);
});

test('a run that has ended, or is not there, is said so', async () => {
  assert.equal((await sandbox.run(['run', 'good'])).status, 0);
  const ended = await sandbox.run(['cancel', 'good#1']);
  assert.deepEqual([ended.status, ended.out], [2, '']);
  assert.match(ended.err, /good#1: it ended already: success \[run-not-asked\]\n {2}`contender runs --state running`/);
  const unknown = await sandbox.run(['cancel', 'good#7']);
  assert.match(unknown.err, /there is no run "good#7" \[run-unknown\]/);
});
