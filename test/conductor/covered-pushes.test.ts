/** A merge that was left to the run of its pull request, and what becomes of it where that run gives no verdict. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sha } from '../../src/git/git.ts';
import { statusKey } from '../simulation/forge.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf, works } from '../support/definitions.ts';

const trained = pipelineOf(
  [
    stepOf({ name: 'train', timeoutMs: 30_000, outputs: { model: 'artifact' } }),
    stepOf({ name: 'challenge', upstream: ['train'], work: works.challenge({ model: 'tick', promote: 'on-merge' }) }),
  ],
  {
    name: 'trained',
    on: { schedule: null, push: { branches: [], tags: [], paths: [] }, pullRequest: { branches: [], paths: [] } },
  },
);

/** A pull request whose run goes on and fails in the end, and its merge, of the very same files. */
async function mergedEarly(): Promise<{ readonly stage: Stage; readonly merge: Sha }> {
  const stage = await Stage.open({ pipelines: [trained] });
  const { world } = stage;
  const { remote } = world;
  world.attemptMs = 60_000;
  const main = remote.branches.get('main');
  const head = stage.commit('feature');
  stage.propose(head);
  await stage.until('the run goes on', () => (world.server?.executor.running().length ?? 0) === 1);
  const merge = remote.commit(
    main === undefined ? [head] : [main, head],
    remote.get(head).files,
    'Merge',
    world.time.now,
  );
  remote.branches.set('main', merge);
  stage.propose(head, { state: 'closed', merged: true, mergeSha: merge });
  stage.hook({ type: 'push', ref: 'refs/heads/main', before: main ?? null, after: merge, actor: 'grace' });
  await stage.until(
    'the push was left to it',
    () => world.forge.statuses.get(statusKey(merge, 'trained'))?.state === 'neutral',
  );
  return { stage, merge };
}

function runsOf(stage: Stage, sha: Sha): readonly KeptRun[] {
  return [...stage.world.history.runs.values()].filter(({ opened }) => opened.sha === sha);
}

test('a merge gets its run where that of the pull request fails', async () => {
  const { stage, merge } = await mergedEarly();
  const { world } = stage;
  await stage.until('the run has failed', () => world.history.unfinished.size === 0);
  world.attemptMs = 1000;
  await stage.until('the push has its run', () => runsOf(stage, merge).length === 1);
  await stage.rest();
  assert.equal(world.forge.statuses.get(statusKey(merge, 'trained'))?.state, 'success');
  assert.equal(runsOf(stage, merge)[0]?.opened.trigger.kind, 'push');
  // Whatever comes again opens nothing more.
  stage.hook({ type: 'push', ref: 'refs/heads/main', before: null, after: merge, actor: 'grace' });
  await stage.rest();
  assert.equal(runsOf(stage, merge).length, 1);
});

test('a merge gets its run though the server dies before the run of the pull request fails', async () => {
  const { stage, merge } = await mergedEarly();
  const { world } = stage;
  world.crash(20_000);
  await stage.until('another server conducts', () => world.conducting !== null);
  await stage.until('the run has failed', () => world.history.unfinished.size === 0);
  world.attemptMs = 1000;
  await stage.until('the push has its run', () => runsOf(stage, merge).length === 1);
  await stage.rest();
  assert.equal(world.forge.statuses.get(statusKey(merge, 'trained'))?.state, 'success');
});

test('a newer commit that has a run of its own is not followed by one of the merge', async () => {
  const { stage, merge } = await mergedEarly();
  const { world } = stage;
  const newer = stage.push();
  await stage.until('the newer one runs', () => runsOf(stage, newer).length === 1);
  await stage.until('all have failed', () => world.history.unfinished.size === 0);
  await stage.until('the merge says so', () =>
    /newer commit of main/.test(world.forge.statuses.get(statusKey(merge, 'trained'))?.summary ?? ''),
  );
  await stage.rest();
  assert.equal(runsOf(stage, merge).length, 0);
});

test('a merge that waits asks nothing of the journal about its run, and nothing that has ended makes more work', async () => {
  const { stage, merge } = await mergedEarly();
  const { world } = stage;
  const { journal } = world;
  const passes = async (ms: number): Promise<void> => {
    const until = world.time.now + ms;
    await stage.until('time has passed', () => world.time.now >= until);
  };
  // What is told of the merge is delivered.
  await passes(8000);
  // Ten thousand orders that were answered before.
  const at = world.wallClock();
  const answer = { refused: 'done' };
  const names = Array.from({ length: 10_000 }, (_, number) => `answered ${number}`);
  await journal.commit(
    names.map((id) => [
      { write: 'order', id, body: { kind: 'none' }, at },
      { write: 'order-answered', id, answer, at },
    ]),
  );
  const asked: string[] = [];
  const counted = journal.run.bind(journal);
  journal.run = (id) => (asked.push(id), counted(id));
  const open = journal.openOrders.bind(journal);
  let rows = 0;
  journal.openOrders = async (limit) => {
    const found = await open(limit);
    rows = Math.max(rows, found.length);
    return found;
  };
  await passes(10_000);
  assert.deepEqual([asked, rows], [[], 1]);
  world.attemptMs = 1000;
  await stage.until('the push has its run', () => runsOf(stage, merge).length === 1);
});
