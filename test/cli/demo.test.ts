import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { listProcesses } from '../../src/executor/local/processes.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox();
});
afterEach(() => sandbox.remove());

/** A demo's environment whose temporary folders can be counted. */
function ownTemporary(): { readonly TMPDIR: string; readonly left: () => readonly string[] } {
  const TMPDIR = join(sandbox.folder, 'tmp');
  mkdirSync(TMPDIR);
  return { TMPDIR, left: () => readdirSync(TMPDIR).filter((name) => name.startsWith('contender-demo-')) };
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`a story that ${signal} ends was not told: status ${status}, and its folder is gone`, async () => {
    const { TMPDIR, left } = ownTemporary();
    const demo = sandbox.start(['demo', '--once'], { environment: { TMPDIR } });
    await demo.until(/Contender: http/);
    demo.kill(signal);
    const ended = await demo.ended;
    assert.equal(ended.status, status, ended.err);
    assert.doesNotMatch(ended.out, /Told in/);
    assert.deepEqual(left(), []);
  });
}

function isServer(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('\0serve\0');
  } catch {
    // It has ended.
    return false;
  }
}

test('a story that nohup began outlives its terminal, and its server does', async (t) => {
  // At a terminal, nohup gives its program this for its input.
  const input = openSync('/dev/null', 'w');
  t.after(() => closeSync(input));
  const demo = sandbox.start(['demo', '--once'], { stdio: [input, 'pipe', 'pipe'] });
  await demo.until(/Contender: http/);
  const server = listProcesses().find(({ pid, parent }) => parent === demo.pid && isServer(pid));
  assert.ok(server !== undefined);
  for (const pid of [demo.pid, server.pid]) process.kill(pid, 'SIGHUP');
  await demo.until(/a signed webhook, a run/);
  demo.kill('SIGTERM');
  assert.equal((await demo.ended).status, 143);
});

test('a story that nobody listens to any longer ends, and its folder is gone', async () => {
  const { TMPDIR, left } = ownTemporary();
  const demo = sandbox.start(['demo', '--once'], { environment: { TMPDIR } });
  await demo.until(/Contender: http/);
  demo.child.stdout?.destroy();
  const { status, err } = await demo.ended;
  assert.equal(status, 141, err);
  assert.deepEqual(left(), []);
});

/** A `git` before the real one on the PATH, as a script. */
function gitInstead(script: string): { readonly PATH: string } {
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  sandbox.write({ 'bin/git': `#!/bin/sh\n${script}\nexec ${real} "$@"\n` });
  chmodSync(join(sandbox.folder, 'bin/git'), 0o755);
  return { PATH: `${join(sandbox.folder, 'bin')}:${process.env['PATH'] ?? ''}` };
}

for (const moment of ['init', 'config', 'remote'])
  test(`Ctrl-C while the stage is set ends its programs (git ${moment}), and is no fault`, async () => {
    const { TMPDIR, left } = ownTemporary();
    // A terminal sends it to all of them.
    const interrupted = gitInstead(`case " $* " in *" ${moment} "*) kill -INT $PPID; kill -INT $$; esac`);
    const { status, err } = await sandbox.run(['demo', '--once'], { environment: { TMPDIR, ...interrupted } });
    assert.deepEqual({ status, err, left: left() }, { status: 130, err: '', left: [] });
  });

const gits: readonly (readonly [what: string, environment: () => { readonly PATH: string }, said: RegExp])[] = [
  ['no Git', () => ({ PATH: sandbox.folder }), /there is no git on the PATH/],
  ['a Git that cannot merge', () => gitInstead('echo git version 2.37.7; exit'), /the git on the PATH is 2\.37/],
];
for (const [what, environment, said] of gits)
  test(`${what} is told before anything is made`, async () => {
    const { status, err } = await sandbox.run(['demo', '--once', '--keep', 'kept'], { environment: environment() });
    assert.equal(status, 2, err);
    assert.match(err, said);
    assert.match(err, /\[git-unusable\]\n {2}The demo needs Git 2\.38 or newer/);
    assert.equal(existsSync(join(sandbox.folder, 'kept')), false);
  });

test('neither the repository that Git is told of, nor its configuration, nor a proxy has a part in the story', async () => {
  sandbox.git('init', '--quiet', '--initial-branch=main', 'own');
  const own = join(sandbox.folder, 'own');
  const demo = sandbox.start(['demo', '--once'], {
    environment: {
      GIT_DIR: join(own, '.git'),
      GIT_WORK_TREE: own,
      GIT_INDEX_FILE: join(own, '.git/index'),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'commit.gpgSign',
      GIT_CONFIG_VALUE_0: 'true',
      http_proxy: 'http://127.0.0.1:1',
      NODE_USE_ENV_PROXY: '1',
    },
  });
  await demo.until(/champion v1/);
  demo.kill('SIGTERM');
  await demo.ended;
  assert.equal(sandbox.git('-C', 'own', 'for-each-ref'), '');
  assert.equal(sandbox.git('-C', 'own', 'remote'), '');
});

test('a server that dies ends the story with what it said last: status 1', async () => {
  const demo = sandbox.start(['demo', '--once', '--keep', 'kept']);
  await demo.until(/A push to main/);
  process.kill(serverOf(demo.pid), 'SIGKILL');
  const { status, out, err } = await demo.ended;
  assert.equal(status, 1, err);
  assert.match(out, /✗ the demo's server ended by SIGKILL/);
  assert.match(err, /^1 chapter of the story went wrong\.$/m);
  assert.ok(existsSync(join(sandbox.folder, 'kept/server/server.log')));
});

/** The process that the demo started with `serve`. */
function serverOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const found = children.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').endsWith('\0serve\0'));
  assert.ok(found !== undefined);
  return found;
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
