/** Tags that no webhook tells of: looks at the repository find them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSha, type Sha } from '../../src/git/git.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const push = { branches: [], tags: ['v*'], paths: [] };
const release = pipelineOf([stepOf({ name: 'only' })], {
  name: 'release',
  on: { schedule: null, push, pullRequest: null },
});
const tagged = (name: string, after: Sha | null) =>
  ({ type: 'push', ref: `refs/tags/${name}`, before: null, after, actor: 'ada' }) as const;

function head(stage: Stage): Sha {
  const sha = stage.world.remote.branches.get('main');
  assert.ok(sha !== undefined);
  return sha;
}

/** Which tag each run is of, and its commit. */
function runs(stage: Stage): readonly string[] {
  const opened = [...stage.world.history.runs.values()].map((run) => run.opened);
  return opened.map(({ trigger, sha }) => `${trigger.kind === 'push' ? trigger.branch : ''} ${sha}`).toSorted();
}

async function passes(stage: Stage, ms: number): Promise<void> {
  const until = stage.world.time.now + ms;
  await stage.until('time has passed', () => stage.world.time.now >= until, ms + 60_000);
}

test('a look finds tags that were made or moved, and one that was deleted takes nothing back', async () => {
  const stage = await Stage.open({ pipelines: [release] });
  const { remote } = stage.world;
  await passes(stage, 1000);
  const first = head(stage);
  remote.tags.set('v1', first).set('other', first);
  await stage.until('the tag runs', () => runs(stage).length === 1);
  assert.deepEqual(runs(stage), [`refs/tags/v1 ${first}`]);
  const second = stage.commit('main');
  remote.tags.set('v1', second);
  await stage.until('it runs where it was moved to', () => runs(stage).length === 2);
  remote.tags.delete('v1');
  const seen = (): string | null | undefined => stage.world.history.heads.get('refs/tags/v1');
  await stage.until('it is forgotten', () => seen() === null);
  remote.tags.set('v1', second);
  await stage.until('it is seen again', () => seen() === second);
  await stage.rest();
  assert.deepEqual(runs(stage), [`refs/tags/v1 ${first}`, `refs/tags/v1 ${second}`].toSorted());
});

test('tags that were there at the first look run nothing, whatever the server goes through', async () => {
  const stage = await Stage.open({ pipelines: [release], tags: ['v1'] });
  const { remote } = stage.world;
  await passes(stage, 1000);
  stage.world.crash(1000);
  await passes(stage, 300_000);
  assert.deepEqual(runs(stage), []);
  remote.tags.set('v2', head(stage));
  await stage.until('one that comes later runs', () => runs(stage).length === 1);
  assert.deepEqual(runs(stage), [`refs/tags/v2 ${head(stage)}`]);
});

test('a tag whose run could not be kept is looked at again', async () => {
  const stage = await Stage.open({ pipelines: [release] });
  const { remote } = stage.world;
  await passes(stage, 1000);
  const sha = stage.commit('main');
  remote.tags.set('v1', sha);
  stage.interfereOnce('open-run', 'refused');
  await stage.until('it runs', () => runs(stage).length === 1);
  await stage.rest();
  assert.deepEqual(runs(stage), [`refs/tags/v1 ${sha}`]);
});

test('many tags at once are taken in several looks, and branches are looked at in between', async () => {
  const stage = await Stage.open({ pipelines: [release] });
  const { remote, history } = stage.world;
  await passes(stage, 1000);
  const sha = head(stage);
  for (let number = 0; number < 250; number += 1) remote.tags.set(`old-${number}`, sha);
  const seen = (): number => [...history.heads.keys()].filter((ref) => ref.startsWith('refs/tags/')).length;
  await stage.until('the first look at them', () => seen() === 100);
  const branch = stage.commit('main');
  await stage.until('the branch is seen', () => history.heads.get('main') === branch);
  assert.equal(seen(), 100);
  await stage.until('all are seen', () => seen() === 250);
});

test('tags that have to wait are bounded as well', async () => {
  let waits = 0;
  const tell = (line: string): void => void (waits += Number(line.includes('a tag found by polling waits')));
  const stage = await Stage.open({ pipelines: [release], tell });
  const { remote, history } = stage.world;
  await passes(stage, 1000);
  const gone = parseSha('0123456789'.repeat(4));
  assert.ok(gone.ok);
  for (let number = 0; number < 250; number += 1) remote.tags.set(`v${number}`, gone.value);
  await stage.until('the first look at them', () => waits > 0);
  const branch = stage.commit('main');
  await stage.until('the branch is seen', () => history.heads.get('main') === branch);
  assert.equal(waits, 100);
});

test('of a repository with too many tags the log says once that none are looked at, and its branches are', async () => {
  const lines: string[] = [];
  const stage = await Stage.open({ pipelines: [release], tell: (line) => lines.push(line) });
  stage.world.remote.hasTooManyTags = true;
  await passes(stage, 300_000);
  const sha = stage.commit('main');
  await stage.until('the branch is seen', () => stage.world.history.heads.get('main') === sha);
  assert.equal(lines.filter((line) => line.includes('tags are not looked at')).length, 1);
});

test('a webhook and a look that find the same tag are one run, whichever comes first', async () => {
  const stage = await Stage.open({ pipelines: [release] });
  const { remote, history } = stage.world;
  await passes(stage, 1000);
  const sha = head(stage);
  remote.tags.set('v1', sha);
  stage.hook(tagged('v1', sha), 'v1');
  await stage.until('the webhook is handled', () => history.deliveries.get('v1')?.state === 'done');
  assert.equal(history.heads.get('refs/tags/v1'), sha, 'so that no look tells of it again');
  await passes(stage, 300_000);
  remote.tags.set('v2', sha);
  await stage.until('a look finds the next one', () => runs(stage).length === 2);
  stage.hook(tagged('v2', sha), 'v2');
  await stage.until('its webhook is handled', () => history.deliveries.get('v2')?.state === 'done');
  assert.deepEqual(runs(stage), [`refs/tags/v1 ${sha}`, `refs/tags/v2 ${sha}`]);
});
