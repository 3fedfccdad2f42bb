/** Webhooks are hints: they come twice, late, in any order, or not at all. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline, quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
});
after(() => it.close());
beforeEach(async () => {
  it.hooks(false);
  await it.passes(60_000);
});

const file = (name: string): string => `.pipelines/${name}.ts`;
const runsOf = (sha: string): Promise<readonly RunRow[]> => it.system.journal.runs({ sha, limit: 10 });

test('the same event under its own id and under others is one run', async () => {
  const sha = await it.push('main', 'Add one', { [file('once')]: quickPipeline('once', '{ push: true }') });
  const hook = it.hook('push', sha);
  assert.equal(await it.deliver(hook, hook.id), 202);
  assert.equal(await it.deliver(hook, hook.id), 200);
  assert.equal(await it.deliver(hook), 200);
  await it.settled(sha, 'once');
  assert.equal(await it.deliver(hook), 200);
  await it.handled();
  assert.equal((await runsOf(sha)).length, 1);
});

test('a webhook that nobody signed is refused', async () => {
  const { body } = it.hook('push', 'refs/heads/main');
  const answer = await fetch(it.hookUrl, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'x' },
  });
  assert.equal(answer.status, 401);
});

test('a push that is told after a newer one runs nothing', async () => {
  const on = `{ push: { branches: ['**'] } }`;
  const first = await it.push('busy', 'One', { [file('busy')]: quickPipeline('busy', on) });
  const second = await it.push('busy', 'Two', { [file('busy')]: quickPipeline('busy', on, `owner: 'mona'`) });
  await it.deliver(it.hook('push', `"after":"${second}"`));
  await it.settled(second, 'busy');
  await it.deliver(it.hook('push', `"after":"${first}"`));
  await it.handled();
  assert.deepEqual(await runsOf(first), []);
  assert.equal(await it.system.journal.head(it.system.repository, 'busy'), second);
});

test('a commit that a force push has taken away runs nothing when it is told of late', async () => {
  const on = `{ push: { branches: ['**'] } }`;
  const first = await it.push('torn', 'One', { [file('torn')]: quickPipeline('torn', on) });
  await it.git('commit', '--quiet', '--amend', '-m', 'Another one');
  await it.git('push', '--quiet', '--force', 'origin', 'torn');
  const second = await it.git('rev-parse', 'HEAD');
  await it.deliver(it.hook('push', `"after":"${second}"`));
  await it.deliver(it.hook('push', `"after":"${first}"`));
  await it.settled(second, 'torn');
  await it.handled();
  assert.deepEqual(await runsOf(first), []);
});

test('of a pull request whose events come in the wrong order, the newest head runs', async () => {
  const on = '{ pullRequest: true }';
  const first = await it.push('turned', 'One', {
    [file('turned')]: quickPipeline('turned', on, 'cancelInProgress: true'),
  });
  await it.github.openPullRequest({ head: 'turned', base: 'main', title: 'Turned', user: 'grace' });
  const second = await it.push('turned', 'Two', { [file('turned')]: quickPipeline('turned', on, `owner: 'mona'`) });
  await it.deliver(it.hook('pull_request', '"action":"synchronize"'));
  await it.deliver(it.hook('pull_request', '"action":"opened"'));
  await it.handled();
  assert.equal((await it.settled(second, 'turned')).state, 'success');
  assert.deepEqual(await runsOf(first), []);
});

test('a merge that is told before its push promotes all the same', async () => {
  const sha = await it.push('hasty', 'Add it', { [file('hasty')]: modelPipeline({ name: 'hasty', noise: 0.5 }) });
  const { number } = await it.github.openPullRequest({ head: 'hasty', base: 'main', title: 'Hasty', user: 'grace' });
  await it.deliver(it.hook('pull_request', `"title":"Hasty"`));
  await it.evaluation(sha, 'reported');
  const merge = await it.github.mergePullRequest(number, 'grace');
  await it.deliver(it.hook('pull_request', '"action":"closed"'));
  await it.evaluation(sha, 'promoted');
  await it.deliver(it.hook('push', `"after":"${merge}"`));
  assert.match((await it.settled(merge, 'hasty')).description ?? '', /not trained again/);
  const trained = (await runsOf(merge)).map(({ opened }) => opened.pipeline);
  assert.ok(!trained.includes('hasty'), 'it is not trained again');
});

test('a merge of which only the push is told promotes all the same', async () => {
  const sha = await it.push('half', 'Add it', { [file('half')]: modelPipeline({ name: 'half', noise: 0.5 }) });
  const { number } = await it.github.openPullRequest({ head: 'half', base: 'main', title: 'Half told', user: 'grace' });
  await it.deliver(it.hook('pull_request', `"title":"Half told"`));
  await it.evaluation(sha, 'reported');
  const merge = await it.github.mergePullRequest(number, 'grace');
  await it.deliver(it.hook('push', `"after":"${merge}"`));
  await it.evaluation(sha, 'promoted');
});
