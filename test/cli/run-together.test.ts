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
