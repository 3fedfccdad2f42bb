import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { isJsonObject, type JsonObject } from '../../src/std/json.ts';
import { commit, git, pushBranch, secret, setUp, type Received } from './set-up.ts';

function payload(received: Received | undefined): JsonObject {
  const value: unknown = JSON.parse(received?.body ?? 'null');
  assert.ok(isJsonObject(value));
  return value;
}

test('a push tells the webhook the ref, its commits and files, signed', async (t) => {
  const { github, clone, received, first } = await setUp(t);
  await git(clone, 'rm', '--quiet', 'README.md');
  const second = await commit(clone, 'data/rows.csv', 'a,b\n');
  await git(clone, 'push', '--quiet', 'origin', 'main');
  await github.hooksDelivered();

  assert.equal(received.length, 2);
  const [created, moved] = received.map(payload);
  assert.equal(created?.['created'], true);
  assert.equal(created['before'], '0'.repeat(40));
  assert.equal(created['after'], first);
  assert.deepEqual(
    { ref: moved?.['ref'], before: moved?.['before'], after: moved?.['after'], forced: moved?.['forced'] },
    { ref: 'refs/heads/main', before: first, after: second, forced: false },
  );
  const commits = moved?.['commits'];
  assert.ok(Array.isArray(commits) && isJsonObject(commits[0]));
  assert.deepEqual(commits[0]['added'], ['data/rows.csv']);
  assert.deepEqual(commits[0]['removed'], ['README.md']);
  const { headers, body, event } = received[1] ?? assert.fail();
  assert.equal(event, 'push');
  assert.equal(headers['x-hub-signature-256'], `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  assert.match(String(headers['user-agent']), /^GitHub-Hookshot\//);
  assert.match(String(headers['x-github-delivery']), /^[0-9a-f-]{36}$/);
  assert.deepEqual(github.violations(), []);
});

test('a redelivery keeps its id', async (t) => {
  const { github, received } = await setUp(t);
  await github.hooksDelivered();
  const [delivery] = github.deliveries();
  assert.equal(delivery?.status, 202);
  await github.redeliver(delivery.id);
  assert.deepEqual(
    received.map(({ headers }) => headers['x-github-delivery']),
    [delivery.id, delivery.id],
  );
});

test('a clone gets what was pushed, and any commit by its id, also after a forced push', async (t) => {
  const { github, clone, directory, received } = await setUp(t);
  const old = await pushBranch(clone, 'change', 'one.txt', 'first');
  const young = await pushBranch(clone, 'change', 'one.txt', 'second');
  const other = join(directory, 'other');
  await git(directory, 'clone', '--quiet', github.pushUrl, other);
  assert.equal(await git(other, 'rev-parse', 'origin/change'), young);
  await git(other, 'fetch', '--quiet', 'origin', old);
  assert.equal(await git(other, 'show', `${old}:one.txt`), 'first');
  await github.hooksDelivered();
  assert.equal(payload(received.at(-1))['forced'], true);
});

test('a body large enough to be sent in compressed pieces arrives whole', async (t) => {
  const { clone, directory, github } = await setUp(t);
  const text = Array.from({ length: 200_000 }, (_, row) => `${row},${(row * 7919) % 10_007}`).join('\n');
  await git(clone, 'config', 'http.postBuffer', '65536');
  const sha = await commit(clone, 'data/large.csv', text);
  await git(clone, 'push', '--quiet', 'origin', 'main');
  const other = join(directory, 'other');
  await git(directory, 'clone', '--quiet', github.pushUrl, other);
  assert.equal(await git(other, 'rev-parse', 'HEAD'), sha);
});

test('a private repository is hidden from whoever has no token, and read-only for a reader', async (t) => {
  const { github, clone } = await setUp(t);
  const withToken = (login: string, scopes?: readonly string[]): string =>
    github.cloneUrl.replace('://', `://x-access-token:${github.tokenOf(login, scopes)}@`);
  await assert.rejects(git(clone, 'ls-remote', github.cloneUrl), /terminal prompts disabled|Authentication/);
  await assert.rejects(git(clone, 'ls-remote', withToken('nobody')), /not found/i);
  await assert.rejects(git(clone, 'ls-remote', withToken('ada', ['gist'])), /not found/i);
  assert.match(await git(clone, 'ls-remote', withToken('mallory')), /refs\/heads\/main/);
  await assert.rejects(git(clone, 'push', withToken('mallory'), 'main:evil'), /403/);
  await git(clone, 'push', '--quiet', withToken('grace'), 'main:fine');
});

test('a public repository is read without a token and written with one', async (t) => {
  const { github, clone } = await setUp(t, { isPrivate: false });
  assert.match(await git(clone, 'ls-remote', github.cloneUrl), /refs\/heads\/main/);
  await assert.rejects(git(clone, 'push', github.cloneUrl, 'main:evil'));
});

test('pull requests keep their refs, move with their branch, and merge with a commit of two parents', async (t) => {
  const { github, clone, received, first } = await setUp(t);
  const one = await pushBranch(clone, 'change');
  const pull = await github.openPullRequest({ head: 'change', base: 'main', title: 'Change', user: 'grace' });
  assert.equal(pull.headSha, one);
  const two = await commit(clone, 'more.txt', 'more');
  await git(clone, 'push', '--quiet', 'origin', 'change');
  await git(clone, 'fetch', '--quiet', 'origin', 'refs/pull/1/head', 'refs/pull/1/merge:merge');
  assert.equal(await git(clone, 'rev-parse', 'FETCH_HEAD'), two);
  assert.equal(await git(clone, 'rev-parse', 'merge^1', 'merge^2'), `${first}\n${two}`);

  const merge = await github.mergePullRequest(1, 'ada');
  await git(clone, 'fetch', '--quiet', 'origin', 'main');
  assert.equal(
    await git(clone, 'rev-parse', 'FETCH_HEAD', 'FETCH_HEAD^1', 'FETCH_HEAD^2'),
    `${merge}\n${first}\n${two}`,
  );
  await github.hooksDelivered();
  assert.deepEqual(
    received.map((each) => [each.event, payload(each)['action'] ?? payload(each)['ref']]),
    [
      ['push', 'refs/heads/main'],
      ['push', 'refs/heads/change'],
      ['pull_request', 'opened'],
      ['push', 'refs/heads/change'],
      ['pull_request', 'synchronize'],
      ['push', 'refs/heads/main'],
      ['pull_request', 'closed'],
    ],
  );
  assert.deepEqual(github.violations(), []);
});

test('a pull request in conflict has no trial merge and cannot be merged', async (t) => {
  const { github, clone } = await setUp(t);
  await pushBranch(clone, 'one', 'README.md', 'one\n');
  await pushBranch(clone, 'two', 'README.md', 'two\n');
  await github.openPullRequest({ head: 'one', base: 'main', title: 'One', user: 'grace' });
  const two = await github.openPullRequest({ head: 'two', base: 'main', title: 'Two', user: 'grace' });
  assert.notEqual(two.mergeSha, null);
  await github.mergePullRequest(1, 'ada');
  assert.equal(two.mergeSha, null);
  await assert.rejects(github.mergePullRequest(2, 'ada'), /not mergeable/);
});

test('commits pushed to the base merge their pull request; a deleted branch closes it', async (t) => {
  const { github, clone } = await setUp(t);
  await pushBranch(clone, 'one');
  await pushBranch(clone, 'two');
  const one = await github.openPullRequest({ head: 'one', base: 'main', title: 'One', user: 'grace' });
  const two = await github.openPullRequest({ head: 'two', base: 'main', title: 'Two', user: 'grace' });
  await git(clone, 'push', '--quiet', 'origin', 'one:main', ':two');
  assert.deepEqual([one.state, one.merged], ['closed', true]);
  assert.deepEqual([two.state, two.merged], ['closed', false]);
});

test("a fork's pull request follows the fork, and its owner writes nothing else", async (t) => {
  const { github, clone, received } = await setUp(t);
  const fork = await github.fork('mallory');
  await git(clone, 'checkout', '--quiet', '-b', 'gift');
  const one = await commit(clone, 'gift.txt', 'one');
  await git(clone, 'push', '--quiet', fork.pushUrl, 'gift');
  const pull = await github.openPullRequest({ head: 'mallory:gift', base: 'main', title: 'Gift', user: 'mallory' });
  assert.equal(pull.headSha, one);
  assert.notEqual(pull.headRepository.id, github.pullRequests()[0]?.id);
  const two = await commit(clone, 'gift.txt', 'two');
  await git(clone, 'push', '--quiet', fork.pushUrl, 'gift');
  assert.equal(pull.headSha, two);
  await git(clone, 'fetch', '--quiet', 'origin', 'refs/pull/1/head');
  assert.equal(await git(clone, 'rev-parse', 'FETCH_HEAD'), two);
  await github.hooksDelivered();
  assert.deepEqual(
    received.map(({ event }) => event),
    ['push', 'pull_request', 'pull_request'],
  );
  assert.deepEqual(github.violations(), []);
});
