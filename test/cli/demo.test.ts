import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox();
});
afterEach(() => sandbox.remove());

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a story that ${signal} ends was not told: status ${status}`, async () => {
    const demo = sandbox.start(['demo', '--once']);
    await demo.until(/Contender: http/);
    demo.kill(signal);
    const ended = await demo.ended;
    assert.equal(ended.status, status, ended.err);
    assert.doesNotMatch(ended.out, /Told in/);
  });
}

test('a port that is taken is a mistake, and the kept folder is as it was', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const { status, err } = await sandbox.run(['demo', '--once', '--port', String(port), '--keep', 'kept']);
    assert.equal(status, 2, err);
    assert.match(
      err,
      new RegExp(`^error: .*port ${port}: another program has that port \\[listen-refused\\]\n {2}Give`),
    );
    assert.doesNotMatch(err, /^\s+at /m);
    assert.deepEqual(readdirSync(join(sandbox.folder, 'kept')), []);
  } finally {
    other.close();
  }
});

test('a folder that holds something is not built upon, and no secret is told', async () => {
  sandbox.write({ 'mine/notes.txt': 'mine' });
  const { status, err } = await sandbox.run(['demo', '--once', '--keep', 'mine']);
  assert.equal(status, 2);
  assert.match(err, /^error: \S+\/mine is not empty: there is notes\.txt in it \[folder-not-empty\]\n {2}Name a new/);
  assert.doesNotMatch(err, /@127\.0\.0\.1/);
  assert.deepEqual(readdirSync(join(sandbox.folder, 'mine')), ['notes.txt']);
});

test('the settings of the user are for the servers of the user', async () => {
  const demo = sandbox.start(['demo', '--once', '--keep', 'kept'], {
    environment: {
      CONTENDER_DATABASE_URL: 'postgresql://mona@127.0.0.1:1/mine',
      CONTENDER_API_TOKEN: 'of another server, long enough',
      CONTENDER_SECRET_PASSWORD: 'geheim',
    },
  });
  await demo.until(/Contender: http/);
  assert.ok(existsSync(join(sandbox.folder, 'kept/server/.contender/journal.sqlite')));
  assert.ok(existsSync(join(sandbox.folder, 'kept/server/.contender/api-token')));
  demo.kill('SIGTERM');
  await demo.ended;
});
