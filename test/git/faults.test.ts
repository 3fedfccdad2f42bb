/** What a killed git, a broken disk, a silent or hostile remote does to a mirror. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gitLimits } from '../../src/git/limits.ts';
import { openMirror, type MirrorOptions } from '../../src/git/mirror.ts';
import type { GitRepository } from '../../src/git/git.ts';
import { author, errorKind, value } from '../contract/git-repository.ts';
import { makeRemote, temporaryFolder, type GitRemote } from '../support/git-remote.ts';

function mirrorOf(t: TestContext, options: MirrorOptions): GitRepository {
  const repository = openMirror(options);
  t.after(() => repository.close());
  return repository;
}

/** Waits for a fact, for at most ten seconds. */
async function until(fact: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (fact()) return;
    await pause(10);
  }
  assert.fail('it never happened');
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: TestContext, handler: Handler): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** The files of a bare repository over HTTP, as git has served them before it had a protocol. */
function dumbServer(remote: GitRemote): Handler {
  remote.git('update-server-info');
  return (request, response) => {
    const path = join(remote.path, new URL(request.url ?? '/', 'http://host').pathname);
    if (!existsSync(path)) response.writeHead(404).end();
    else response.end(readFileSync(path));
  };
}

function plantLocks(directory: string): void {
  for (const name of ['packed-refs.lock', 'config.lock', 'HEAD.lock', 'shallow.lock', 'refs/heads/main.lock']) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), '');
  }
  mkdirSync(join(directory, 'objects/pack'), { recursive: true });
  writeFileSync(join(directory, 'objects/pack/tmp_pack_x'), 'half');
}

function locksIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.lock$|tmp_pack/.test(name));
}

test('a git that was killed in the middle of a fetch leaves locks, and the next fetch works', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1' });
  const files = dumbServer(remote);
  let silent = true;
  const url = await serve(t, (request, response) => (silent ? undefined : files(request, response)));
  const directory = join(temporaryFolder(t), 'mirror');
  const repository = mirrorOf(t, { url, directory });
  const fetching = repository.fetch();
  const writer = join(directory, 'contender-writer.pid');
  await until(() => existsSync(writer) && readFileSync(writer, 'utf8') !== '');
  plantLocks(directory);
  process.kill(-Number(readFileSync(writer, 'utf8')), 'SIGKILL');
  assert.equal(errorKind(await fetching), 'unreachable');
  assert.deepEqual(locksIn(directory), []);
  silent = false;
  value(await repository.fetch());
  assert.equal(value(await repository.resolve('main')), tip);
});

test('locks and a git that outlived a killed server are gone when the mirror is opened again', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1' });
  const files = dumbServer(remote);
  let silent = true;
  const url = await serve(t, (request, response) => (silent ? undefined : files(request, response)));
  const directory = join(temporaryFolder(t), 'mirror');
  const script = `
    import { openMirror } from ${JSON.stringify(import.meta.resolve('../../src/git/mirror.ts'))};
    await openMirror(${JSON.stringify({ url, directory })}).fetch();
  `;
  const server = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  t.after(() => server.kill('SIGKILL'));
  const writer = join(directory, 'contender-writer.pid');
  await until(() => existsSync(writer) && readFileSync(writer, 'utf8') !== '');
  const orphan = Number(readFileSync(writer, 'utf8'));
  server.kill('SIGKILL');
  await once(server, 'exit');
  assert.ok(readFileSync(`/proc/${orphan}/cmdline`, 'utf8').includes(directory), 'its git is there still');
  plantLocks(directory);
  silent = false;
  value(await mirrorOf(t, { url, directory }).fetch());
  assert.ok(!existsSync(`/proc/${orphan}/cmdline`) || readFileSync(`/proc/${orphan}/cmdline`, 'utf8') === '');
  assert.deepEqual(locksIn(directory), []);
  value(await mirrorOf(t, { url, directory }).read(tip, ['a']));
});

test('an object that was half received when git was killed is received whole', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1' });
  // As this server knows no ranges, going on with a half would give a half and a whole.
  const url = await serve(t, dumbServer(remote));
  const directory = join(temporaryFolder(t), 'mirror');
  const first = mirrorOf(t, { url, directory });
  value(await first.fetch());
  await first.close();
  const next = remote.commit('main', { a: '2' });
  remote.git('update-server-info');
  const half = readFileSync(join(remote.path, 'objects', next.slice(0, 2), next.slice(2))).subarray(0, 20);
  const folder = join(directory, 'objects', next.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${next.slice(2)}.temp`), half);
  const second = mirrorOf(t, { url, directory });
  value(await second.fetch());
  assert.notEqual(tip, value(await second.resolve('main')));
  assert.equal(value(await second.read(next, ['a'])).size, 1);
});

test('what is refused for its size leaves nothing behind', async (t) => {
  const remote = makeRemote(t);
  remote.commit('main', { a: '1' });
  const directory = join(temporaryFolder(t), 'mirror');
  const repository = mirrorOf(t, { url: remote.path, directory });
  value(await repository.fetch());
  const before = readdirSync(directory, { recursive: true });
  const large = remote.commit('large', { b: randomBytes(300_000).toString('base64') });
  assert.equal(errorKind(await repository.ensure(large, 100_000)), 'refused');
  assert.deepEqual(readdirSync(directory, { recursive: true }), before);
});

test('a remote that never answers is given up after the time limit, and its git is gone', async (t) => {
  const url = await serve(t, () => undefined);
  const directory = join(temporaryFolder(t), 'mirror');
  const repository = mirrorOf(t, { url, directory, limits: { transferTimeMs: 300 } });
  assert.equal(errorKind(await repository.fetch()), 'unreachable');
  assert.equal(errorKind(await repository.remoteBranches()), 'unreachable');
  await until(() => !execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(url));
  assert.equal(existsSync(join(directory, 'contender-writer.pid')), false);
});

test('the default branch is told while a fetch is under way', async (t) => {
  const remote = makeRemote(t);
  remote.commit('main', { a: '1' });
  let [holds, held] = [false, false];
  const url = await serve(t, (request, response) => {
    held = holds && request.url?.includes('/objects/') === true;
    if (!held) dumbServer(remote)(request, response);
  });
  const limits = { transferTimeMs: 15_000 };
  const repository = mirrorOf(t, { url, directory: join(temporaryFolder(t), 'mirror'), limits });
  value(await repository.fetch());
  remote.commit('main', { a: '2' });
  holds = true;
  const fetching = repository.fetch();
  await until(() => held);
  assert.deepEqual(await Promise.race([repository.defaultBranch(), fetching]), { ok: true, value: 'main' });
});

test('HEAD of the mirror follows the remote to another default branch', async (t) => {
  const remote = makeRemote(t);
  remote.commit('main', { a: '1' });
  const other = remote.commit('trunk', { a: '2' });
  const repository = mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  value(await repository.fetch());
  remote.git('symbolic-ref', 'HEAD', 'refs/heads/trunk');
  assert.equal(value(await repository.defaultBranch()), 'trunk');
  assert.equal(value(await repository.resolve('HEAD')), other);
});

test('an unreachable remote is unreachable for every question', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1' });
  const repository = mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  value(await repository.fetch());
  const other = remote.commit('main', { a: '2' });
  rmSync(remote.path, { recursive: true });
  assert.equal(errorKind(await repository.fetch()), 'unreachable');
  assert.equal(errorKind(await repository.ensure(other)), 'unreachable');
  assert.equal(errorKind(await repository.branchTip('main')), 'unreachable');
  assert.equal(errorKind(await repository.remoteBranches()), 'unreachable');
  assert.equal(errorKind(await repository.defaultBranch()), 'unreachable');
  const change = { branch: 'main', expected: tip, files: new Map([['b', '1']]), message: 'm', author, at: 1 };
  assert.equal(errorKind(await repository.commitFiles(change)), 'unreachable');
  assert.equal(errorKind(await repository.changeNotes('contender', new Map([[tip, () => 'x']]), 1)), 'unreachable');
  value(await repository.ensure(tip));
  assert.equal(value(await repository.resolve('main')), tip, 'what is here can still be read');
});

test('a corrupt mirror is made anew, at most once in ten minutes', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1', 'b/c': '2' });
  const clock = { time: 1_000_000, now: () => clock.time };
  const directory = join(temporaryFolder(t), 'mirror');
  const object = join(directory, 'objects', tip.slice(0, 2), tip.slice(2));
  const damage = (): void => {
    rmSync(object);
    writeFileSync(object, '');
  };
  const first = mirrorOf(t, { url: remote.path, directory, clock });
  value(await first.fetch());
  await first.close();

  clock.time += gitLimits.recloneIntervalMs;
  damage();
  const second = mirrorOf(t, { url: remote.path, directory, clock });
  value(await second.fetch());
  assert.equal(value(await second.read(tip, ['a'])).size, 1);
  await second.close();

  damage();
  clock.time += gitLimits.recloneIntervalMs - 1;
  const third = mirrorOf(t, { url: remote.path, directory, clock });
  const early = await third.fetch();
  assert.ok(
    !early.ok && early.error.kind === 'unreachable' && early.error.message.includes('corrupt'),
    JSON.stringify(early),
  );
  clock.time += 1;
  value(await third.fetch());
  assert.equal(value(await third.resolve('HEAD')), tip);
});

test('a read that meets a broken object mends the mirror and answers', async (t) => {
  for (const breakIt of ['lose', 'spoil'] as const) {
    const remote = makeRemote(t);
    const tip = remote.commit('main', { a: 'contents' });
    const clock = { time: 1_000_000, now: () => clock.time };
    const directory = join(temporaryFolder(t), 'mirror');
    const repository = mirrorOf(t, { url: remote.path, directory, clock });
    value(await repository.fetch());
    clock.time += gitLimits.recloneIntervalMs;
    const blob = remote.git('rev-parse', `${tip}:a`);
    const path = join(directory, 'objects', blob.slice(0, 2), blob.slice(2));
    rmSync(path);
    if (breakIt === 'spoil') writeFileSync(path, 'no object');
    const answers = await Promise.all(Array.from({ length: 5 }, () => repository.read(tip, ['a'])));
    for (const answer of answers) assert.equal(Buffer.from(value(answer).get('a') ?? []).toString(), 'contents');
    value(await repository.fetch());
    assert.equal(value(await repository.files(tip, '')).length, 1);
  }
});

test('reads survive the death of the reading process', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: 'x'.repeat(100_000) });
  const directory = join(temporaryFolder(t), 'mirror');
  const repository = mirrorOf(t, { url: remote.path, directory });
  value(await repository.fetch());
  for (let round = 0; round < 5; round += 1) {
    const reads = Array.from({ length: 20 }, () => repository.read(tip, ['a']));
    const running = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
    const line = running.find((each) => each.includes(directory) && each.includes('cat-file'));
    if (line !== undefined) process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
    for (const read of await Promise.all(reads)) assert.equal(value(read).get('a')?.length, 100_000);
  }
});

test('a folder with something else in it is not touched', async (t) => {
  const remote = makeRemote(t);
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'thesis.txt'), 'precious');
  const repository = mirrorOf(t, { url: remote.path, directory });
  assert.equal(errorKind(await repository.fetch()), 'refused');
  assert.deepEqual(readdirSync(directory), ['thesis.txt']);
});

test('a mirror whose making ended in the middle of its first file is made anew', async (t) => {
  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1' });
  for (const torn of ['', '{"address":"/so']) {
    const directory = join(temporaryFolder(t), 'mirror');
    mkdirSync(directory);
    writeFileSync(join(directory, 'contender-mirror.json'), torn);
    const repository = mirrorOf(t, { url: remote.path, directory });
    value(await repository.fetch());
    assert.equal(value(await repository.resolve('HEAD')), tip);
  }
});

test('a mirror whose URL was changed starts anew from the new one', async (t) => {
  const [one, two] = [makeRemote(t), makeRemote(t)];
  one.commit('old', { a: '1' });
  const tip = two.commit('main', { a: '2' });
  const directory = join(temporaryFolder(t), 'mirror');
  const before = mirrorOf(t, { url: one.path, directory });
  value(await before.fetch());
  await before.close();
  const after = mirrorOf(t, { url: two.path, directory });
  value(await after.fetch());
  assert.equal(value(await after.resolve('main')), tip);
  assert.equal(errorKind(await after.resolve('old')), 'missing');
});

test('credentials go to the remote in a header, and stand nowhere else', async (t) => {
  const password = 'ghs_secret0123456789';
  const encoded = Buffer.from(`x-access-token:${password}`).toString('base64');
  const seen: (string | undefined)[] = [];
  let elsewhere = 0;
  const other = await serve(t, (_request, response) => {
    elsewhere += 1;
    response.writeHead(404).end();
  });
  let redirect = false;
  const url = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    if (redirect) response.writeHead(302, { location: `${other}${request.url}` }).end();
    // An answer that tells the client its own secret, as some proxies do.
    else
      response
        .writeHead(500, { 'content-type': 'text/plain' })
        .end(`denied: ${request.headers.authorization} ${password}`);
  });
  const directory = join(temporaryFolder(t), 'mirror');
  let asked = 0;
  const credentials = () => Promise.resolve({ username: 'x-access-token', password, asked: (asked += 1) });
  const repository = mirrorOf(t, { url, directory, credentials });
  const results = [await repository.fetch(), await repository.remoteBranches(), await repository.branchTip('main')];
  redirect = true;
  results.push(await repository.fetch());
  for (const result of results) {
    assert.ok(!result.ok && result.error.kind === 'unreachable');
    assert.ok(
      !result.error.message.includes(password) && !result.error.message.includes(encoded),
      result.error.message,
    );
  }
  assert.ok(seen.length >= 4 && seen.every((header) => header === `Basic ${encoded}`));
  assert.equal(elsewhere, 0, 'a redirect was followed with the credentials in hand');
  assert.ok(asked >= 4, 'they are asked for anew, as they expire');
  for (const name of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) assert.ok(!readFileSync(join(name.parentPath, name.name)).includes(password), name.name);
  }
});

test('credentials that cannot be had make the remote unreachable, without the reason', async (t) => {
  const url = await serve(t, (_request, response) => response.writeHead(404).end());
  const credentials = () => Promise.reject(new Error('the key is hunter2'));
  const repository = mirrorOf(t, { url, directory: join(temporaryFolder(t), 'mirror'), credentials });
  const result = await repository.fetch();
  assert.ok(!result.ok && result.error.kind === 'unreachable' && !result.error.message.includes('hunter2'));
});

test('two mirrors that write to one branch: each round one wins, the other learns where it is', async (t) => {
  const remote = makeRemote(t);
  const writers = ['left', 'right', 'middle'].map((name) => ({
    name,
    repository: mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') }),
  }));
  for (let round = 0; round < 5; round += 1) {
    const expected = remote.tip('own');
    const results = await Promise.all(
      writers.map(({ name, repository }) =>
        repository.commitFiles({
          branch: 'own',
          expected,
          files: new Map([[name, `${round}`]]),
          message: name,
          author,
          at: round,
        }),
      ),
    );
    const tip = remote.tip('own');
    assert.deepEqual(results.map(errorKind).sort(), ['moved', 'moved', 'no error']);
    for (const result of results) {
      if (result.ok) assert.equal(result.value, tip);
      else assert.ok(result.error.kind === 'moved' && result.error.actual === tip);
    }
  }
  assert.equal(remote.git('rev-list', '--count', 'own'), '5');
});

test('a commit whose push was answered to nobody is found by trying again', async (t) => {
  const remote = makeRemote(t);
  const base = remote.commit('own', { a: '1' });
  const change = { branch: 'own', expected: base, files: new Map([['b', '1']]), message: 'm', author, at: 5 };
  const first = mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  const made = value(await first.commitFiles(change));
  // Another process, which knows nothing of the first one's success.
  const second = mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  assert.equal(value(await second.commitFiles(change)), made);
  remote.commit('own', { c: 'more' });
  const third = mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  assert.equal(value(await third.commitFiles(change)), made);
});

test('what the remote turns down is denied, with its reason and without its control characters', async (t) => {
  const remote = makeRemote(t);
  mkdirSync(join(remote.path, 'hooks'), { recursive: true });
  const hook = '#!/bin/sh\nprintf "\\033[31mprotected branch\\033[0m: ask mona\\007\\n" >&2\nexit 1\n';
  writeFileSync(join(remote.path, 'hooks', 'pre-receive'), hook, { mode: 0o755 });
  const repository = mirrorOf(t, { url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  const change = { branch: 'own', expected: null, files: new Map([['a', '1']]), message: 'm', author, at: 1 };
  const denied = await repository.commitFiles(change);
  assert.ok(!denied.ok && denied.error.kind === 'denied');
  assert.match(denied.error.message, /protected branch: ask mona/);
  assert.ok(!/\p{Cc}/u.test(denied.error.message));
  assert.equal(errorKind(await repository.resolve('own')), 'missing');
});

test('a branch that somebody works on in a working copy is not pulled from under them', async (t) => {
  const folder = join(temporaryFolder(t), 'copy');
  const bare = makeRemote(t);
  bare.commit('main', { a: '1' });
  execFileSync('git', ['clone', '--quiet', bare.path, folder]);
  const repository = mirrorOf(t, { url: folder, directory: join(temporaryFolder(t), 'mirror') });
  value(await repository.fetch());
  const tip = value(await repository.resolve('main'));
  const change = { expected: tip, files: new Map([['a', '2']]), message: 'm', author, at: 1 };
  assert.equal(errorKind(await repository.commitFiles({ ...change, branch: 'main' })), 'denied');
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1');
  value(await repository.commitFiles({ ...change, branch: 'contender/models', expected: null }));
});

test('a mirror that nobody closed does not keep the program from ending', (t) => {
  const remote = makeRemote(t);
  remote.commit('main', { a: '1' });
  const directory = join(temporaryFolder(t), 'mirror');
  const script = `
    import { openMirror } from ${JSON.stringify(import.meta.resolve('../../src/git/mirror.ts'))};
    const repository = openMirror({ url: ${JSON.stringify(remote.path)}, directory: ${JSON.stringify(directory)} });
    await repository.fetch();
    const tip = await repository.resolve('main');
    process.stdout.write(String(tip.ok));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(output, 'true');
});
