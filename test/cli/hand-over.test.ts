import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { afterEach, beforeEach, test } from 'node:test';
import { failing, good, slow } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/failing.ts': failing,
    '.pipelines/slow.ts': slow,
  });
});
afterEach(() => sandbox.remove());

const serving = /Contender \S+ is at (\S+), watching work\./;

test('in a folder whose server is at work, run hands the run over and follows it', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(serving);
  const run = await sandbox.run(['run', 'good', '--param', 'depth=5', '--date', '2026-11-16', '--json']);
  assert.equal(run.status, 0, run.err);
  assert.ok(run.err.includes(`Handed to the server at ${url}, which holds this folder: ${url}/runs/`), run.err);
  assert.match(run.err, /✓ second success/);
  assert.match(run.out, /"state":"success"/);
  assert.match((await sandbox.run(['logs', 'good#1', 'first'])).out, /the depth is 5 on 2026-11-16/);
  const page = await (await fetch(`${url}/runs`)).text();
  assert.ok(page.includes(`started by ${userInfo().username}`), page);

  const failed = await sandbox.run(['run', 'failing']);
  assert.equal(failed.status, 1);
  assert.match(failed.out, /exit code 3/);

  const unknown = await sandbox.run(['run', 'nope']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /the server at \S+ said: there is no pipeline "nope".* \[run-refused\]/);

  const cancelled = sandbox.start(['run', 'slow']);
  await cancelled.until(/sleeps running/);
  cancelled.kill('SIGINT');
  assert.equal((await cancelled.ended).status, 130);
});

test('a token that the server does not know is refused with what to do', async () => {
  const server = sandbox.start(['serve', '--port', '0'], { environment: { CONTENDER_API_TOKEN: 'a'.repeat(32) } });
  await server.until(serving);
  const without = await sandbox.run(['run', 'good']);
  assert.equal(without.status, 2);
  assert.match(without.err, /\[server-refused\]\n {2}Set CONTENDER_API_TOKEN/);
  const withToken = await sandbox.run(['run', 'good'], { environment: { CONTENDER_API_TOKEN: 'a'.repeat(32) } });
  assert.equal(withToken.status, 0, withToken.err);
});

test('an address that outlived its server is not taken for the holder of the folder', async () => {
  sandbox.write({ '.contender/server-address.json': '{"url":"http://127.0.0.1:9","pid":1,"host":"elsewhere"}' });
  const first = sandbox.start(['run', 'slow']);
  await first.until(/sleeps running/);
  const second = await sandbox.run(['run', 'good']);
  assert.equal(second.status, 75);
  first.kill('SIGINT');
  await first.ended;
});
