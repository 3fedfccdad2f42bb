import assert from 'node:assert/strict';
import { test } from 'node:test';
import { octokitOf, repository, setUp, statusOf } from './set-up.ts';

test('a context takes a thousand statuses of a commit and no more', async (t) => {
  const { github, first } = await setUp(t, { validate: false });
  const { rest } = octokitOf(github, github.token);
  const write = (): Promise<unknown> => rest.repos.createCommitStatus({ ...repository, sha: first, state: 'pending' });
  for (let batch = 0; batch < 10; batch += 1) await Promise.all(Array.from({ length: 100 }, write));
  assert.equal(github.statuses(first).length, 1000);
  assert.equal(await statusOf(write()), 422);
});

test('a request that the schema does not allow, and an endpoint that is not there, are violations', async (t) => {
  const { github, first } = await setUp(t);
  const octokit = octokitOf(github, github.token);
  const status = { ...repository, sha: first, state: 'success' } as const;
  const raw = 'POST /repos/{owner}/{repo}/statuses/{sha}';
  await statusOf(octokit.request(raw, { ...status, descripton: 'misspelt' }));
  await statusOf(octokit.request(raw, { ...status, target_url: 7 as unknown as string }));
  await statusOf(octokit.request('GET /repos/{owner}/{repo}/pulls', { ...repository, state: 'merged' as 'all' }));
  await statusOf(octokit.request('GET /repos/{owner}/{repo}/topics', repository));
  const found = github.violations().map((violation) => violation.replace(/^\S+ \S+: /, ''));
  assert.deepEqual(found, [
    'request: the field descripton is unknown',
    'request: /target_url must be string,null',
    'request: the query parameter state data/value must be equal to one of the allowed values',
    'there is no such endpoint',
  ]);
});

test('injected faults meet as many requests as they are told, and a lost answer is a done deed', async (t) => {
  const { github, first } = await setUp(t);
  const { rest } = octokitOf(github, github.token);
  const write = (): Promise<unknown> => rest.repos.createCommitStatus({ ...repository, sha: first, state: 'success' });
  const match = ({ method }: { readonly method: string }): boolean => method === 'POST';
  github.inject({ match, times: 2, answer: { kind: 'status', status: 502 } });
  assert.deepEqual([await statusOf(write()), await statusOf(write()), await statusOf(write())], [502, 502, 200]);
  github.inject({ match, times: 1, answer: { kind: 'secondary-limit', retryAfterSeconds: 7 } });
  await assert.rejects(write(), (error: { status: number; response: { headers: Record<string, string> } }) => {
    assert.deepEqual([error.status, error.response.headers['retry-after']], [403, '7']);
    return true;
  });
  github.inject({ match, times: 1, answer: { kind: 'hourly-limit', resetAt: 2_000_000_000_000 } });
  await assert.rejects(write(), (error: { response: { headers: Record<string, string> } }) => {
    assert.equal(error.response.headers['x-ratelimit-remaining'], '0');
    assert.equal(error.response.headers['x-ratelimit-reset'], '2000000000');
    return true;
  });
  const before = github.statuses(first).length;
  github.inject({ match, times: 1, answer: { kind: 'drop' } });
  await assert.rejects(write());
  assert.equal(github.statuses(first).length, before);
  github.inject({ match, times: 1, answer: { kind: 'lose-answer' } });
  await assert.rejects(write());
  assert.equal(github.statuses(first).length, before + 1);
  const gate = Promise.withResolvers<void>();
  github.inject({ match, times: 1, answer: { kind: 'hold', until: gate.promise } });
  const held = write();
  await rest.repos.get(repository);
  assert.equal(github.statuses(first).length, before + 1);
  gate.resolve();
  await held;
  assert.equal(github.statuses(first).length, before + 2);
});
