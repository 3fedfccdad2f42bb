import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { slow } from './pipelines.ts';
import { createProject, createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({ '.pipelines/slow.ts': slow });
});
afterEach(() => sandbox.remove());

const serving = /Contender \S+ is at (\S+), watching work\./;

test('a server says where it is, keeps its address and token to its owner, and SIGTERM ends it in order', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(serving);
  const health = await fetch(`${url}/healthz`);
  const said = Object(await health.json());
  assert.deepEqual([health.status, said.conducts, said.conductor.pid], [200, true, server.pid]);
  assert.equal((await fetch(`${url}/ready`)).status, 200);
  await waitFor(() => existsSync(join(sandbox.folder, '.contender/server-address.json')));
  for (const file of ['server-address.json', 'api-token']) {
    assert.equal(statSync(join(sandbox.folder, '.contender', file)).mode & 0o777, 0o600, file);
  }
  server.kill('SIGTERM');
  const { status, out } = await server.ended;
  assert.equal(status, 0);
  assert.match(out, /Stopping\.\n$/);
  assert.equal(existsSync(join(sandbox.folder, '.contender/server-address.json')), false);
  assert.equal(existsSync(join(sandbox.folder, '.contender/server.json')), false);
});

test('a person at a terminal is not shown what is in the log for a program', async () => {
  const terminal = { NODE_OPTIONS: '--import data:text/javascript,process.stderr.isTTY=true' };
  const said: string[] = [];
  for (const environment of [{}, terminal]) {
    const server = sandbox.start(['serve', '--port', '0'], { environment });
    await server.until(serving);
    server.kill('SIGTERM');
    said.push((await server.ended).err);
  }
  assert.match(said[0] ?? '', /^\{"level":30,/m);
  assert.equal(said[1], '');
});

test('a server that is told to stop while it starts ends in order', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  await waitFor(() => existsSync(join(sandbox.folder, '.contender/server.json')));
  server.kill('SIGTERM');
  const { status, out } = await server.ended;
  assert.equal(status, 0);
  assert.match(out, /Stopping\.\n$/);
  assert.equal(existsSync(join(sandbox.folder, '.contender/server.json')), false);
});

test('a request that is never sent to its end holds up no stop', async () => {
  const fastTime = new URL('../support/fast-time.mjs', import.meta.url).href;
  const server = sandbox.start(['serve', '--port', '0'], { environment: { NODE_OPTIONS: `--import=${fastTime}` } });
  const [, url = ''] = await server.until(serving);
  const { hostname, port } = new URL(url);
  const half = connect(Number(port), hostname);
  half.on('error', () => undefined);
  const head = ['POST /login HTTP/1.1', `Host: ${hostname}`, 'Sec-Fetch-Site: same-origin', 'Expect: 100-continue'];
  const form = ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 100'];
  half.write(`${[...head, ...form].join('\r\n')}\r\n\r\ntoken=`);
  assert.match(String(await once(half, 'data')), /100 Continue/);
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0);
});

test('a server that is stopped leaves no process of its steps behind, and the next one takes the run up again', async () => {
  const first = sandbox.start(['serve', '--port', '0']);
  await first.until(serving);
  const run = sandbox.start(['run', 'slow']);
  await run.until(/sleeps running/);
  const logs = sandbox.start(['logs', 'slow#1', '--follow']);
  const [, pid = ''] = await logs.until(/has begun as (\d+)/);
  first.kill('SIGTERM');
  assert.equal((await first.ended).status, 0);
  assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
  const second = sandbox.start(['serve', '--port', '0']);
  await second.until(serving);
  await logs.until(/has begun as \d+[^]*has begun as \d+/);
  // It follows the journal, so it goes on from server to server.
  assert.equal((await sandbox.run(['cancel', 'slow#1'])).status, 0);
  const { status, out } = await run.ended;
  assert.equal(status, 1);
  assert.match(out, /sleeps cancelled/);
  second.kill('SIGTERM');
  assert.equal((await second.ended).status, 0);
});

test('a folder that is no repository is a mistake, and nothing is made in it', async () => {
  const elsewhere = createSandbox();
  try {
    const { status, out, err } = await elsewhere.run(['serve', '--port', '0']);
    assert.deepEqual({ status, out }, { status: 2, out: '' });
    assert.match(err, /work is no Git repository \[repository-unreadable\]\n {2}Make it one/);
    assert.equal(existsSync(join(elsewhere.folder, '.contender')), false);
  } finally {
    await elsewhere.remove();
  }
});

test('a port that is taken, or cannot be had, is a mistake with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const { status, err } = await sandbox.run(['serve', '--port', String(port)]);
    assert.equal(status, 2);
    assert.match(
      err,
      new RegExp(`cannot listen on 127\\.0\\.0\\.1, port ${port}: another program has that port \\[listen-refused\\]`),
    );
    assert.doesNotMatch(err, /^\s+at /m);
  } finally {
    other.close();
  }
});

test('a second server on the folder ends with 75, and a broken configuration with 2 and its place', async () => {
  const first = sandbox.start(['serve', '--port', '0']);
  await first.until(serving);
  const second = await sandbox.run(['serve', '--port', '0']);
  assert.equal(second.status, 75);
  assert.match(second.err, new RegExp(`in use by process ${first.pid} `));
  sandbox.write({ 'contender.yaml': 'server:\n  port: many\n' });
  const broken = await sandbox.run(['serve']);
  assert.equal(broken.status, 2);
  assert.match(broken.err, /^error: contender\.yaml:2:3: server\.port: /);
});

async function waitFor(fact: () => boolean): Promise<void> {
  for (const endsAt = performance.now() + 120_000; !fact();) {
    if (performance.now() > endsAt) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
