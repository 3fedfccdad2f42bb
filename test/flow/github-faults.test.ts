/** GitHub says no, hangs up, or loses its answers for a while: in the end it shows what is true, once. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { CheckRun } from '../../src/demo/github/github.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline, quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
});
after(() => it.close());
beforeEach(async () => {
  it.github.clearFaults();
  await it.passes(600_000);
});

const minuteMs = 60_000;

interface Proposal {
  readonly number: number;
  readonly sha: string;
}

/** A pull request with a pipeline of its own that succeeds at once. */
async function propose(name: string): Promise<Proposal> {
  const files = { [`.pipelines/${name}.ts`]: quickPipeline(name, '{ pullRequest: true }') };
  const sha = await it.push(name, `Add ${name}`, files);
  const { number } = await it.github.openPullRequest({ head: name, base: 'main', title: name, user: 'grace' });
  return { number, sha };
}

async function ended(sha: string): Promise<void> {
  await it.system.untilRun('the run to end', (row) => row.opened.sha === sha && row.finishedAt !== null);
}

/** Time passes until what is to be seen is seen: status, one check run, one comment. */
async function shown({ number, sha }: Proposal, name: string): Promise<readonly CheckRun[]> {
  await it.system.until('everything to be delivered', async () => {
    await it.passes(minuteMs);
    return it.delivered();
  });
  assert.equal((await it.settled(sha, name)).state, 'success');
  await it.comment(number, name, /All steps ended well/);
  assert.deepEqual(await it.system.journal.troubledOutbox(10), []);
  return it.github.checkRuns(sha);
}

test('a GitHub that is down while a run begins and ends shows its end when it is back', async () => {
  const writes = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
    method !== 'GET' && path.includes('/repos/');
  it.github.inject({ match: writes, times: 1000, answer: { kind: 'status', status: 502 } });
  const proposal = await propose('down');
  await ended(proposal.sha);
  await it.system.conductor.outboxSettled();
  assert.deepEqual(it.github.statuses(proposal.sha), []);
  const troubled = await it.system.until('the trouble to be shown', async () => {
    const rows = await it.system.journal.troubledOutbox(10);
    return rows.length === 3 ? rows : null;
  });
  assert.ok(troubled.every(({ error }) => error?.includes('502')));
  it.github.clearFaults();
  assert.deepEqual(
    (await shown(proposal, 'down')).map(({ conclusion }) => conclusion),
    ['success'],
  );
});

test('a write whose answer was lost is not done twice where that would show', async () => {
  for (const path of ['/comments', '/check-runs', '/statuses/'])
    it.github.inject({
      match: (request) => request.method === 'POST' && request.path.includes(path),
      times: 2,
      answer: { kind: 'lose-answer' },
    });
  const proposal = await propose('deaf');
  await ended(proposal.sha);
  assert.equal((await shown(proposal, 'deaf')).length, 1);
});

test('a rate limit is waited for as long as GitHub asks', async () => {
  const statuses = ({ path }: { readonly path: string }): boolean => path.includes('/statuses/');
  it.github.inject({ match: statuses, times: 1, answer: { kind: 'secondary-limit', retryAfterSeconds: 300 } });
  const proposal = await propose('hasty');
  await ended(proposal.sha);
  await it.system.until('the refusal', async () => {
    await it.system.conductor.outboxSettled();
    const rows = await it.system.journal.troubledOutbox(10);
    return rows.some(({ error }) => error?.includes('rate limit')) ? true : null;
  });
  const before = it.github.requests().length;
  await it.passes(minuteMs);
  assert.equal(it.github.requests().length, before, 'nothing is asked while GitHub wants to be left alone');
  await shown(proposal, 'hasty');
});

test('tokens that expire on the way are renewed', async () => {
  const proposal = await propose('expired');
  await it.system.untilRun('the run to begin', ({ opened }) => opened.sha === proposal.sha);
  it.github.expireInstallationTokens();
  await ended(proposal.sha);
  await shown(proposal, 'expired');
});

test('a merge waits for GitHub to say whose it was, rather than to train twice', async () => {
  const sha = await it.push('model', 'Add it', { '.pipelines/model.ts': modelPipeline({ name: 'model', noise: 0.5 }) });
  const { number } = await it.github.openPullRequest({ head: 'model', base: 'main', title: 'Model', user: 'grace' });
  await it.evaluation(sha, 'reported');
  it.github.inject({
    match: ({ path }) => /\/commits\/[0-9a-f]+\/pulls/.test(path),
    times: 1,
    answer: { kind: 'drop' },
  });
  const merge = await it.github.mergePullRequest(number, 'grace');
  assert.match((await it.settled(merge, 'model')).description ?? '', /not trained again/);
  await it.evaluation(sha, 'promoted');
  assert.deepEqual(await it.system.journal.runs({ sha: merge, limit: 10 }), []);
});

test('what GitHub refuses for want of a permission keeps nothing else back, and is told once there is one', async () => {
  const checks = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
    method !== 'GET' && path.includes('/check-runs');
  it.github.inject({
    match: checks,
    times: 1000,
    answer: { kind: 'status', status: 403, message: 'Resource not accessible' },
  });
  const proposal = await propose('refused');
  assert.equal((await it.settled(proposal.sha, 'refused')).state, 'success');
  await it.comment(proposal.number, 'refused', /All steps ended well/);
  const refused = await it.system.until('the check run to be refused', async () => {
    const rows = await it.system.journal.troubledOutbox(10);
    return rows.find((row) => row.kind === 'check');
  });
  assert.match(refused.error ?? '', /403.*Resource not accessible/);
  assert.notEqual(refused.dueAt, null);
  it.github.clearFaults();
  const shownAtLast = await shown(proposal, 'refused');
  assert.equal(shownAtLast.filter(({ name }) => name === 'contender/refused').length, 1);
});

test('a run that ends while the token is refused is told when the next server begins with one that is not', async () => {
  it.github.inject({
    match: ({ path }) => path.includes('/repos/'),
    times: 1000,
    answer: { kind: 'status', status: 401 },
  });
  const files = { '.pipelines/locked-out.ts': quickPipeline('locked-out', '{ push: { branches: ["**"] } }') };
  const sha = await it.push('locked-out', 'Add it', files);
  await ended(sha);
  await it.system.conductor.outboxSettled();
  assert.deepEqual(it.github.statuses(sha), []);
  it.github.clearFaults();
  it = await it.restart();
  assert.equal((await it.settled(sha, 'locked-out')).state, 'success');
});
