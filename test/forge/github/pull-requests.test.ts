import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headSha } from '../reports.ts';
import { errorOf, scriptedForge, valueOf } from './forge-under-test.ts';

const sha = (digit: string): string => digit.repeat(40);

function answered(number: number, changes: object = {}): object {
  return {
    number,
    state: 'open',
    title: 'A title',
    merged_at: null,
    merge_commit_sha: sha('9'),
    user: { login: 'ada' },
    head: { sha: headSha, ref: 'topic', repo: { id: 1 } },
    base: { sha: sha('b'), ref: 'main', repo: { id: 1 } },
    ...changes,
  };
}

test('a pull request is read again with our own credentials', async (t) => {
  const { forge, server } = await scriptedForge(t, () => ({ status: 200, body: answered(5, { merged: false }) }));
  assert.deepEqual(valueOf(await forge.pullRequest(5)), {
    number: 5,
    state: 'open',
    merged: false,
    mergeSha: null,
    headSha,
    headBranch: 'topic',
    baseBranch: 'main',
    baseSha: sha('b'),
    fork: false,
    author: 'ada',
    title: 'A title',
  });
  assert.equal(server.asked[0]?.path, '/repos/octo/churn/pulls/5');
});

test('whoever deleted the account is a ghost, and a head without repository is a fork', async (t) => {
  for (const base of [{ id: 1 }, null]) {
    const body = answered(5, {
      user: null,
      head: { sha: headSha, ref: 'topic', repo: null },
      base: { sha: sha('b'), ref: 'main', repo: base },
    });
    const { forge } = await scriptedForge(t, () => ({ status: 200, body }));
    const found = valueOf(await forge.pullRequest(5));
    assert.deepEqual([found.author, found.fork], ['ghost', true]);
  }
});

test('a pull request that is not there is final, one that cannot be read is worth another try', async (t) => {
  const gone = await scriptedForge(t, () => ({ status: 404, body: { message: 'Not Found' } }));
  assert.equal(errorOf(await gone.forge.pullRequest(5)).kind, 'final');
  const strange = await scriptedForge(t, () => ({ status: 200, body: { number: 'five' } }));
  assert.equal(errorOf(await strange.forge.pullRequest(5)).kind, 'unreachable');
});

test('open pull requests are read page by page, up to a thousand, each once', async (t) => {
  for (const [there, expected, calls] of [
    [0, 0, 1],
    [99, 99, 1],
    [100, 100, 2],
    [101, 101, 2],
    [999, 999, 10],
    [1000, 1000, 10],
    [1001, 1000, 10],
  ] as const) {
    const { forge, server } = await scriptedForge(t, ({ query }) => {
      const page = Number(query.get('page'));
      const numbers = Array.from({ length: there }, (_, at) => at + 1).slice((page - 1) * 100, page * 100);
      return { status: 200, body: numbers.map((number) => answered(number)) };
    });
    assert.equal(valueOf(await forge.openPullRequests()).length, expected);
    assert.equal(server.asked.length, calls);
  }
  const { forge } = await scriptedForge(t, ({ query }) => ({
    status: 200,
    body:
      query.get('page') === '1'
        ? Array.from({ length: 100 }, (_, at) => answered(200 - at))
        : [answered(101), answered(100)],
  }));
  assert.equal(valueOf(await forge.openPullRequests()).length, 101);
});

test('of the pull requests that contain a commit, those count whose head or merge it is', async (t) => {
  const { forge, server } = await scriptedForge(t, () => ({
    status: 200,
    body: [
      answered(1),
      answered(2, { head: { sha: sha('c'), ref: 'x', repo: { id: 1 } } }),
      answered(3, {
        state: 'closed',
        merged_at: '2026-01-05T10:00:00Z',
        merge_commit_sha: headSha,
        head: { sha: sha('c'), ref: 'x', repo: { id: 1 } },
      }),
      answered(4, { merge_commit_sha: headSha, head: { sha: sha('c'), ref: 'x', repo: { id: 1 } } }),
    ],
  }));
  assert.deepEqual(
    valueOf(await forge.pullRequestsOf(headSha)).map(({ number }) => number),
    [1, 3],
  );
  assert.equal(server.asked[0]?.path, `/repos/octo/churn/commits/${headSha}/pulls`);
});

test('a commit that GitHub does not know has no pull requests', async (t) => {
  for (const status of [404, 422]) {
    const { forge } = await scriptedForge(t, () => ({ status, body: { message: 'No commit found for SHA' } }));
    assert.deepEqual(valueOf(await forge.pullRequestsOf(headSha)), []);
  }
});
