/** Tags: whoever names one in `push.tags` runs the commit that it stands at. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline, quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
});
after(() => it.close());

const file = (name: string): string => `.pipelines/${name}.ts`;
const runsOf = (sha: string): Promise<readonly RunRow[]> => it.system.journal.runs({ sha, limit: 10 });
const refsOf = async (sha: string): Promise<readonly string[]> =>
  (await runsOf(sha)).map(({ opened }) => (opened.trigger.kind === 'push' ? opened.trigger.branch : '')).toSorted();

test('a tag runs the commit that it names, annotated or not, and its deletion runs nothing', async () => {
  const sha = await it.push('main', 'Add one', {
    [file('release')]: quickPipeline('release', `{ push: { tags: ['v*'] } }`),
  });
  await it.handled();
  assert.deepEqual(await runsOf(sha), [], 'a branch is not meant');
  await it.git('tag', '--annotate', '-m', 'The first', 'v1');
  await it.git('tag', 'v2');
  await it.git('tag', 'other');
  await it.git('push', '--quiet', 'origin', 'v1', 'v2', 'other');
  await it.handled();
  assert.deepEqual(await refsOf(sha), ['refs/tags/v1', 'refs/tags/v2']);
  assert.equal((await it.settled(sha, 'release')).state, 'success');
  await it.git('push', '--quiet', '--delete', 'origin', 'v1');
  await it.handled();
  assert.equal((await runsOf(sha)).length, 2);
});

test('a tag on a commit that is not merged promotes nothing', async () => {
  const text = modelPipeline({ name: 'tagged', noise: 0.5 }).replace(/push: \{.*?\}/, `push: { tags: ['early'] }`);
  const sha = await it.push('unmerged', 'Train it', { [file('tagged')]: text });
  await it.git('tag', 'early');
  await it.git('push', '--quiet', 'origin', 'early');
  assert.match((await it.evaluation(sha, 'refused')).reason ?? '', /Only commits of main promote/);
  assert.equal(await it.champion('tagged'), null);
});
