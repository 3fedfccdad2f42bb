import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { asking } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({ '.pipelines/asking.ts': asking });
});
afterEach(() => sandbox.remove());

const howTo =
  /Waiting for the approval of go\/release: Release a model of 0\.91\?\n {2}In another terminal: contender (approve \S+ go\/release)\n/;

test('run says what it waits for and how to decide, and goes on when another terminal has', async () => {
  const run = sandbox.start(['run', 'asking']);
  const [, command = ''] = await run.until(howTo);
  const approved = await sandbox.run([...command.split(' '), '--reason', 'the slices look good']);
  assert.equal(approved.status, 0, approved.err);
  assert.match(approved.out, /^Asked to approve go\/release of asking#1\. It stands in the journal/);
  const { status, out } = await run.ended;
  assert.equal(status, 0, out);
  const logs = await sandbox.run(['logs', 'asking#1', 'deploy']);
  assert.match(logs.out, /released by .+ because the slices look good/);
  const none = await sandbox.run(['logs', 'asking#1', 'go/release']);
  assert.equal(none.status, 2);
  assert.match(none.err, /step "go\/release" is an approval, which has no log: success/);
});

test('a rejection fails the run with who and why, and there is one decision', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  await server.until(/is at (\S+), watching/);
  const run = sandbox.start(['run', 'asking']);
  await run.until(howTo);
  const early = await sandbox.run(['approve', 'asking#1', 'deploy']);
  assert.match(
    early.err,
    /the server at \S+ said: "deploy" is no approval; its approvals: go\/release \[step-unknown\]/,
  );
  const rejected = await sandbox.run(['reject', 'asking#1', 'go/release', '--reason', 'too slow']);
  assert.match(rejected.out, /^Asked to reject go\/release of asking#1\. The server at \S+ takes it in\.\n$/);
  const { status, out } = await run.ended;
  assert.equal(status, 1);
  assert.match(out, /go\/release failed: rejected by .+: too slow/);
  const again = await sandbox.run(['approve', 'asking#1', 'go/release']);
  assert.equal(again.status, 2);
  assert.match(again.err, /asking#1: it ended already: failed \[run-not-asked\]/);
});

test('a rejection without a reason is a mistake', async () => {
  for (const reason of [[], ['--reason', ' ']]) {
    const { status, err } = await sandbox.run(['reject', 'asking#1', 'go/release', ...reason]);
    assert.equal(status, 2);
    assert.match(err, /--reason/);
  }
  assert.match((await sandbox.run(['reject', '--help'])).out, /--reason <text> [^-]*needed/);
});

test('a run that waits survives the death of who carried it out, and is decided meanwhile', async () => {
  const run = sandbox.start(['run', 'asking']);
  await run.until(howTo);
  run.kill('SIGKILL');
  await run.ended;
  assert.equal((await sandbox.run(['approve', 'asking#1', 'go/release'])).status, 0);
  const second = await sandbox.run(['reject', 'asking#1', 'go/release', '--reason', 'too late']);
  assert.match(second.err, /asking#1: "go\/release" was approved by .+ already \[run-not-asked\]/);
  const server = sandbox.start(['serve', '--port', '0']);
  await server.until(/asking.* all steps ended well/i);
});
