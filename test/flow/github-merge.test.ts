/** Merges that are not as simple as the story: late, early, stale, of moved branches, and none at all. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline, type ModelPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
});
after(() => it.close());
// Nobody writes to GitHub more than sixty times a minute.
beforeEach(() => it.passes(60_000));

interface Proposal {
  readonly number: number;
  readonly sha: string;
}

/** A pull request that brings a model of its own, so that tests do not meet; the first of its model, if `noise` clears the threshold. */
async function propose(model: ModelPipeline): Promise<Proposal> {
  const { name } = model;
  const sha = await it.push(name, `Add ${name}`, { [`.pipelines/${name}.ts`]: modelPipeline(model) });
  const { number } = await it.github.openPullRequest({ head: name, base: 'main', title: name, user: 'grace' });
  return { number, sha };
}

test('a merge before the run has ended promotes at its end, and trains nothing twice', async () => {
  const until = join(it.folder, 'go on');
  const { number, sha } = await propose({ name: 'early', noise: 0.5, until });
  const row = await it.system.untilRun('the run of the pull request', ({ opened }) => opened.sha === sha);
  const merge = await it.github.mergePullRequest(number, 'grace');
  await it.handled();
  assert.match((await it.settled(merge, 'early')).description ?? '', /Being evaluated in #\d+ .* not trained again/);
  assert.equal(await it.champion('early'), null);
  await writeFile(until, '');
  const promoted = await it.evaluation(sha, 'promoted');
  assert.equal(promoted.runId, row.id);
  assert.equal((await it.champion('early'))?.version, 1);
  assert.deepEqual(await it.system.journal.runs({ sha: merge, limit: 10 }), []);
  await it.system.until('the merge to show what came of it', async () =>
    it.github.statuses(merge).find(({ description }) => description?.startsWith('Evaluated in #') ?? false),
  );
});

test('a merge into a main that has moved on is another tree, and is trained', async () => {
  const { number, sha } = await propose({ name: 'moved', noise: 0.5 });
  await it.evaluation(sha, 'reported');
  await it.push('main', 'Write something else', { 'README.md': 'Other words.\n' });
  const merge = await it.github.mergePullRequest(number, 'grace');
  const row = await it.system.untilRun(
    'the run of the merge',
    (each) => each.opened.sha === merge && each.finishedAt !== null,
  );
  assert.equal(row.opened.trigger.kind, 'push');
  assert.equal((await it.settled(merge, 'moved')).state, 'success');
  // Whichever of the two comes first: the model of the pull request, or the same of the merge.
  const champion = await it.system.until('a champion', () => it.champion('moved'));
  assert.equal(champion.version, 1);
});

test('a comparison that went stale is refused, and the pull request says why', async () => {
  const { number, sha } = await propose({ name: 'stale', noise: 0.5 });
  const compared = await it.evaluation(sha, 'reported');
  assert.equal(compared.championVersion, null);
  const registry = it.system.projects.get(it.system.repository)?.registry;
  const between = await registry?.promote({
    decision: 'somewhere/else',
    model: 'stale',
    artifact: { $artifact: 'a'.repeat(64), name: 'model.json', bytes: 1 },
    predictions: null,
    expectedChampion: null,
    evidence: {
      repository: it.system.repository,
      pipeline: 'stale',
      runId: 'elsewhere',
      sha,
      digest: 'd'.repeat(64),
      verdict: {},
      comparedWith: null,
      decidedBy: 'another server',
    },
    at: 1_760_000_000_000,
  });
  assert.equal(between?.ok, true);
  await it.github.mergePullRequest(number, 'grace');
  const refused = await it.evaluation(sha, 'refused');
  assert.match(refused.reason ?? '', /compared with no champion, but the champion is v1 now: evaluate it again/);
  await it.comment(number, 'stale', /It is not promoted: it was compared with no champion/);
  assert.equal((await it.champion('stale'))?.evidence.runId, 'elsewhere');
});

test('a pull request that is closed without a merge promotes nothing, and may still be merged later', async () => {
  const { number, sha } = await propose({ name: 'closed', noise: 0.5 });
  await it.evaluation(sha, 'reported');
  await it.github.closePullRequest(number, 'grace');
  await it.handled();
  await it.system.conductor.outboxSettled();
  assert.equal(await it.champion('closed'), null);
  await it.github.reopenPullRequest(number, 'grace');
  await it.github.mergePullRequest(number, 'grace');
  await it.evaluation(sha, 'promoted');
  assert.equal((await it.champion('closed'))?.version, 1);
});

test('of a pull request that moved on, the merged commit alone is promoted', async () => {
  const first = await propose({ name: 'twice', noise: 0.6 });
  await it.evaluation(first.sha, 'reported');
  const second = await it.push('twice', 'Better still', {
    '.pipelines/twice.ts': modelPipeline({ name: 'twice', noise: 0.5 }),
  });
  await it.evaluation(second, 'reported');
  await it.comment(first.number, 'twice', new RegExp(second));
  await it.github.mergePullRequest(first.number, 'grace', 'squash');
  const promoted = await it.evaluation(second, 'promoted');
  assert.equal(promoted.version, 1);
  const refused = await it.evaluation(first.sha, 'refused');
  assert.match(refused.reason ?? '', new RegExp(`Another commit was merged: ${second.slice(0, 7)}`));
  await it.comment(first.number, 'twice', new RegExp(second));
});

test('the merge of a model that is refused is as red as its pull request', async () => {
  const { number, sha } = await propose({ name: 'poor', noise: 50 });
  const refused = await it.settled(sha, 'poor');
  assert.equal(refused.state, 'failure');
  await it.evaluation(sha, 'refused');
  const merge = await it.github.mergePullRequest(number, 'grace');
  await it.handled();
  const { state, description } = await it.settled(merge, 'poor');
  assert.equal(state, 'failure');
  assert.match(description ?? '', new RegExp(`^Evaluated in #${number} .* not trained again: .*misses the threshold`));
  assert.deepEqual(await it.system.journal.runs({ sha: merge, limit: 10 }), []);
});
