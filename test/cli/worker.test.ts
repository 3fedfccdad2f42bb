/** `contender worker` as its user sees it: what it is told, what it says, how it stops. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { redisMissing, startRedis } from '../support/redis.ts';
import { freePort } from '../support/postgres.ts';
import { good } from './pipelines.ts';
import { createProject, createSandbox, type Sandbox } from './sandbox.ts';

const skip = redisMissing();
let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox();
});
afterEach(() => sandbox.remove());

const environment = { CONTENDER_REDIS_URL: 'redis://:s3cret@127.0.0.1:1/0' };

test('without a Redis, a server or a queue that could be one, it says what to give', async () => {
  const without = await sandbox.run(['worker', '--server', 'http://127.0.0.1:1']);
  assert.equal(without.status, 2);
  assert.match(without.err, /CONTENDER_REDIS_URL is not set.*\n {2}Write it as redis:\/\//);
  const nowhere = await sandbox.run(['worker'], { environment });
  assert.equal(nowhere.status, 2);
  assert.match(nowhere.err, /a worker does not know its server.*\n {2}Give the address .* --server http:/);
  const name = await sandbox.run(['worker', '--queue', 'GPU'], { environment });
  assert.deepEqual([name.status, name.err.includes('A name of lower-case letters')], [2, true]);
  const address = await sandbox.run(['worker', '--server', 'contender.internal'], { environment });
  assert.deepEqual([address.status, address.err.includes('An address such as http://HOST:8081')], [2, true]);
});

test('it says which Redis and which server do not answer, without a password, and stops when it is told', async () => {
  const worker = sandbox.start(['worker', '--server', 'http://127.0.0.1:1'], { environment });
  await worker.until(/Redis at 127\.0\.0\.1:1 does not answer \(.*\): it is tried again/);
  worker.kill('SIGTERM');
  const { status, out, err } = await worker.ended;
  assert.equal(status, 0);
  assert.ok(!`${out}${err}`.includes('s3cret'));
});

test('in the folder of the server it finds it by itself, and carries out what that has', { skip }, async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const port = await freePort();
  const project = createProject({
    '.pipelines/good.ts': good,
    'contender.yaml': `repositories: [{ url: . }]\nexecutor: { fleet: { listen: { host: 127.0.0.1, port: ${port} } } }\n`,
  });
  t.after(() => project.remove());
  const given = { environment: { CONTENDER_REDIS_URL: redis.url } };
  const worker = project.start(['worker', '--state', 'worker'], given);
  await worker.until(new RegExp(`takes steps from the queue "default", \\d+ at once, for http://localhost:${port}\\.`));
  await worker.until(
    new RegExp(`The server at http://localhost:${port} does not answer \\(.*\\): steps wait until it does\\.`),
  );
  const second = await project.run(['worker', '--state', 'worker'], given);
  assert.equal(second.status, 75);
  assert.match(
    second.err,
    new RegExp(`in use by process ${worker.pid} .*\n {2}Stop that worker first, or .* --state FOLDER`),
  );
  const { status, out } = await project.run(['run', 'good'], given);
  assert.equal(status, 0, out);
  await worker.until(/second\/0\/1 has ended: succeeded\./);
  worker.kill('SIGINT');
  const ended = await worker.ended;
  assert.equal(ended.status, 0);
  assert.match(ended.out, /Stopped\.\n$/);
});
