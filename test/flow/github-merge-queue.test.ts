/** The merge queue: whoever listens to pull requests runs on the commit of a group too, and nothing is promoted there. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline, quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

const file = (name: string): string => `.pipelines/${name}.ts`;
const waiting = (path: string): string => `import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { pipeline, step } from 'contender';

export default pipeline('waiting', { on: { pullRequest: true } }, () => {
  step('wait', { grace: '1s', run: async () => { while (!existsSync(${JSON.stringify(path)})) await setTimeout(20); } });
});
`;
const runsOf = (sha: string): Promise<readonly RunRow[]> => it.system.journal.runs({ sha, limit: 10 });

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
  await it.push('main', 'Add pipelines', {
    [file('checked')]: quickPipeline('checked', '{ pullRequest: true }'),
    [file('elsewhere')]: quickPipeline('elsewhere', `{ pullRequest: { paths: ['elsewhere/**'] } }`),
    [file('released')]: quickPipeline('released', `{ pullRequest: { branches: ['release/*'] } }`),
  });
  await it.handled();
});
after(() => it.close());
// So that no test is held back by what those before it sent.
beforeEach(() => it.passes(61_000));

async function propose(branch: string, files: Readonly<Record<string, string>>): Promise<number> {
  await it.push(branch, `Change ${branch}`, files);
  return (await it.github.openPullRequest({ head: branch, base: 'main', title: branch, user: 'grace' })).number;
}

test('a group runs what listens to pull requests once, and tells what is not concerned', async () => {
  const number = await propose('topic', { 'notes.md': 'One.\n' });
  const sha = await it.github.queuePullRequest(number, 'grace');
  await it.handled();
  assert.equal((await it.settled(sha, 'checked')).state, 'success');
  const told = await it.settled(sha, 'elsewhere');
  assert.deepEqual([told.state, told.description], ['success', 'Not affected by this change']);
  assert.deepEqual(
    (await runsOf(sha)).map(({ opened }) => opened.pipeline),
    ['checked'],
    'the push and the group are one, and who listens to other branches is not meant',
  );
  assert.ok(it.github.checkRuns(sha).some(({ name }) => name === 'contender/checked'));
  await it.github.endGroup(number, 'merged', 'grace');
  await it.handled();
  assert.equal(it.github.pullRequests().find((each) => each.number === number)?.merged, true);
});

test('a group whose push is told by nobody runs by its own event', async () => {
  const number = await propose('second', { 'notes.md': 'Two.\n' });
  it.hooks(false);
  const sha = await it.github.queuePullRequest(number, 'grace');
  it.hooks(true);
  assert.equal(await it.deliver(it.hook('merge_group', sha)), 202);
  assert.equal((await it.settled(sha, 'checked')).state, 'success');
  await it.github.endGroup(number, 'dequeued', 'grace');
});

test('of a group behind another, what the first changes is no change', async () => {
  const first = await propose('first-of-two', { 'elsewhere/a.md': 'One.\n' });
  const second = await propose('second-of-two', { 'other.md': 'Two.\n' });
  const before = await it.github.queuePullRequest(first, 'grace');
  const sha = await it.github.queuePullRequest(second, 'grace');
  await it.system.untilRun(
    'the run of the first',
    ({ opened }) => opened.sha === before && opened.pipeline === 'elsewhere',
  );
  assert.equal((await it.settled(sha, 'elsewhere')).description, 'Not affected by this change');
  await it.github.endGroup(second, 'dequeued', 'grace');
  await it.github.endGroup(first, 'dequeued', 'grace');
});

test('what a group trained is not promoted, and what was evaluated for its pull request is', async () => {
  const number = await propose('better', { [file('churn')]: modelPipeline({ name: 'churn', noise: 0.5 }) });
  const head = (await it.git('rev-parse', 'HEAD')).trim();
  await it.evaluation(head, 'reported');
  const sha = await it.github.queuePullRequest(number, 'grace');
  assert.match((await it.evaluation(sha, 'refused')).reason ?? '', /merge queue evaluates and never promotes/);
  assert.equal(await it.champion('churn'), null);
  await it.github.endGroup(number, 'merged', 'grace');
  await it.evaluation(head, 'promoted');
});

test('the runs of a group that is taken out are cancelled, those of one that is merged are not', async () => {
  const number = await propose('slow', { [file('waiting')]: waiting(join(it.folder, 'go-on')) });
  const sha = await it.github.queuePullRequest(number, 'grace');
  const isIts = ({ opened }: RunRow): boolean => opened.sha === sha && opened.pipeline === 'waiting';
  await it.system.untilRun('the run of the group', isIts);
  await it.github.endGroup(number, 'dequeued', 'grace');
  const cancelled = await it.system.untilRun('its end', (row) => isIts(row) && row.state === 'cancelled');
  assert.match(cancelled.reason ?? '', /gh-readonly-queue\/main\/.* was deleted/);
  const again = await it.github.queuePullRequest(number, 'grace');
  await it.system.untilRun('the next', ({ opened }) => opened.sha === again && opened.pipeline === 'waiting');
  await it.github.endGroup(number, 'merged', 'grace');
  await it.handled();
  writeFileSync(join(it.folder, 'go-on'), '');
  assert.equal((await it.settled(again, 'waiting')).state, 'success');
});
