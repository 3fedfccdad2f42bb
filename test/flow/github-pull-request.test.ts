/** The story that the product is for: a model is changed in a pull request, compared, and promoted by the merge. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
});
after(() => it.close());
// Nobody writes to GitHub more than sixty times a minute.
beforeEach(() => it.passes(60_000));

const churn = '.pipelines/churn.ts';

test('a push trains, reports on the commit, and the first model becomes champion', async () => {
  const sha = await it.push('main', 'A first model', { [churn]: modelPipeline({ name: 'churn', noise: 0.7 }) });
  await it.evaluation(sha, 'promoted');
  const status = await it.settled(sha, 'churn');
  assert.equal(status.state, 'success');
  assert.match(status.targetUrl ?? '', /\/runs\/[0-9a-z]{26}$/);
  const checks = await it.system.until('the check run to end', async () => {
    const all = it.github.checkRuns(sha);
    return all.every(({ status: state }) => state === 'completed') && all.length > 0 ? all : null;
  });
  assert.deepEqual(
    checks.map(({ name, conclusion }) => [name, conclusion]),
    [['contender/churn', 'success']],
  );
  assert.equal((await it.champion('churn'))?.version, 1);
});

test('a pull request with a worse model is red, says so in one comment, and promotes nothing', async () => {
  const sha = await it.push('worse', 'A worse model', { [churn]: modelPipeline({ name: 'churn', noise: 0.95 }) });
  const { number } = await it.github.openPullRequest({ head: 'worse', base: 'main', title: 'Worse', user: 'grace' });
  await it.evaluation(sha, 'refused');
  assert.equal((await it.settled(sha, 'churn')).state, 'failure');
  const { body } = await it.comment(number, 'churn', /It is not promoted/);
  assert.match(body, /It is not promoted: version 1 stays champion/);
  assert.equal(body.match(/fell from/g)?.length, 1, 'the verdict is said once');
  assert.match(body, /\| \*\*roc_auc\*\* \| 0\.\d+ \| 0\.\d+ \|/);
  assert.ok(body.includes(sha), 'it names the commit that it speaks of');
  assert.equal((await it.champion('churn'))?.version, 1);
});

test('a better model becomes champion by the merge, as the very artifact that was compared, without training again', async () => {
  const sha = await it.push('better', 'A better model', { [churn]: modelPipeline({ name: 'churn', noise: 0.5 }) });
  const { number } = await it.github.openPullRequest({ head: 'better', base: 'main', title: 'Better', user: 'grace' });
  const compared = await it.evaluation(sha, 'reported');
  assert.equal((await it.settled(sha, 'churn')).state, 'success');
  await it.comment(number, 'churn', /becomes champion when this pull request is merged, and not before/);
  assert.equal((await it.champion('churn'))?.version, 1, 'nothing is promoted before the merge');

  const merge = await it.github.mergePullRequest(number, 'grace');
  const promoted = await it.evaluation(sha, 'promoted');
  assert.equal(promoted.version, 2);
  const champion = await it.champion('churn');
  assert.equal(champion?.artifact.$artifact, compared.artifact.$artifact);
  assert.equal(champion?.evidence.runId, compared.runId);
  assert.match(champion?.evidence.decidedBy ?? '', new RegExp(`merge of #${number}`));

  await it.handled();
  const status = await it.settled(merge, 'churn');
  assert.equal(status.state, 'success');
  assert.match(
    status.description ?? '',
    new RegExp(`Evaluated in #${number} at ${sha.slice(0, 7)}; not trained again`),
  );
  assert.equal(it.github.statuses(merge).length, 1);
  assert.deepEqual(await it.system.journal.runs({ sha: merge, limit: 10 }), []);
  await it.comment(number, 'churn', /champion now, as version 2/);
});

test('a pull request says what it changes in pipelines, and what lets more through, in comments and the check run', async () => {
  const model = modelPipeline({ name: 'churn', noise: 0.5 }).replace('threshold: 0.6', 'threshold: 0.1');
  const nightly = `import { pipeline, step } from 'contender';
export default pipeline('nightly', { on: { schedule: '0 2 * * *' } }, () => void step('tidy', { command: ['true'] }));
`;
  const sha = await it.push('weaker', 'Ask for less', { [churn]: model, '.pipelines/nightly.ts': nightly });
  const { number } = await it.github.openPullRequest({ head: 'weaker', base: 'main', title: 'Weaker', user: 'grace' });
  const { body } = await it.comment(number, 'churn', /What happens next/);
  const sentence = /- challenge &quot;challenge-churn&quot;: threshold fell from 0\.6 to 0\.1\n/;
  assert.match(body, sentence);
  assert.match(
    body,
    /#### What changes in the pipeline\n\n- step &quot;challenge-churn&quot;: threshold: 0\.6 → 0\.1\n/,
  );
  const shared = await it.system.until('the comment on the others', () =>
    Promise.resolve(it.github.comments(number).find((each) => each.body.startsWith('<!-- contender -->')) ?? null),
  );
  assert.match(shared.body, /#### nightly: new\n\n- step &quot;tidy&quot; is new\n/);
  assert.match(it.github.checkRuns(sha)[0]?.summary ?? '', sentence);
  assert.equal(it.github.comments(number).length, 2);
});

test('a pull request that is to go to another branch is told of what it changes there, without another run', async () => {
  const model = modelPipeline({ name: 'churn', noise: 0.5 }).replace('threshold: 0.6', 'threshold: 0.2');
  await it.push('least', 'Ask for the least', { [churn]: model });
  await it.git('push', '--quiet', 'origin', 'HEAD:refs/heads/release');
  const sha = await it.push('least', 'Say so', { 'README.md': 'Little is asked.\n' });
  const { number } = await it.github.openPullRequest({ head: 'least', base: 'main', title: 'Least', user: 'grace' });
  const sentence = /threshold fell from 0\.6 to 0\.2/;
  const { id, body } = await it.comment(number, 'churn', /What happens next/);
  assert.match(body, sentence);
  await it.passes(60_000);
  await it.github.retargetPullRequest(number, 'release', 'grace');
  await it.handled();
  await it.passes(60_000);
  const told = await it.comment(number, 'churn', /What happens next/);
  assert.equal(told.id, id);
  assert.doesNotMatch(told.body, sentence);
  const [check, ...more] = it.github.checkRuns(sha);
  assert.doesNotMatch(check?.summary ?? '', sentence);
  assert.equal(more.length, 0);
  assert.equal((await it.system.journal.runs({ sha, limit: 10 })).length, 1);
});
