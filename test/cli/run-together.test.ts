import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { good, slow } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/slow.ts': slow });
});
after(() => sandbox.remove());

test('of two at once on one folder, the second ends with 75 and names the first', async () => {
  const first = sandbox.start(['run', 'slow']);
  await first.until(/sleeps running/);
  const { status, err } = await sandbox.run(['run', 'good']);
  assert.equal(status, 75);
  assert.match(err, new RegExp(`in use by process ${first.pid} on \\S+ \\[folder-locked\\]`));
  first.kill('SIGINT');
  await first.ended;
});

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} cancels the run, which is kept as cancelled, and ends with ${status}`, async () => {
    const running = sandbox.start(['run', 'slow']);
    await running.until(/sleeps running/);
    running.kill(signal);
    const ended = await running.ended;
    assert.equal(ended.status, status, ended.err);
    assert.match(ended.out, /Cancelling/);
    assert.match(ended.out, /■ cancelled/);
    const listed = await sandbox.run(['runs', '--limit', '1']);
    assert.match(listed.out, /cancelled\s+slow#/);
  });
}

test('a run that was left is listed as interrupted, and who takes it up says so', async () => {
  const left = sandbox.start(['run', 'slow']);
  await left.until(/sleeps running/);
  const [, name = ''] = /running +(slow#\d+) /.exec((await sandbox.run(['runs', '--state', 'running'])).out) ?? [];
  left.kill('SIGKILL');
  await left.ended;
  const listed = await sandbox.run(['runs', '--state', 'running']);
  assert.match(listed.out, new RegExp(`^▶ running, interrupted +${name} `));
  const asJson = await sandbox.run(['runs', '--limit', '1', '--json']);
  assert.deepEqual(Object(JSON.parse(asJson.out)).interrupted, true);
  const { status, out, err } = await sandbox.run(['run', 'good']);
  assert.equal(status, 0, err);
  assert.match(err, new RegExp(`takes up ${name}, which an earlier server left`));
  assert.doesNotMatch(out, /takes up/);
});

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} before the run is shown cancels it as durably, and leaves none that runs`, async () => {
    const { out } = await sandbox.run(['runs', '--json']);
    const known = new Set(out.match(/"id":"[0-9a-z]+"/g));
    const running = sandbox.start(['run', 'slow']);
    // Said before the run is opened, while the one that the test before left is there.
    await running.until(/takes up slow#/);
    running.kill(signal);
    const ended = await running.ended;
    assert.equal(ended.status, status, ended.out + ended.err);
    const rows = (await sandbox.run(['runs', '--pipeline', 'slow', '--json'])).out.trimEnd().split('\n');
    const mine = rows.filter((row) => !known.has(/"id":"[0-9a-z]+"/.exec(row)?.[0] ?? ''));
    assert.equal(mine.length, 1);
    assert.match(mine[0] ?? '', /"state":"cancelled"/);
  });
}
