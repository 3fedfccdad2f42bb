/** Backfills: each interval gets one run, a few at once and in order, whatever becomes of the server meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackfillRequest } from '../../src/conductor/backfills/make-backfill.ts';
import type { BackfillProgress } from '../../src/journal/journal.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { repositoryName } from '../simulation/server.ts';
import { Stage } from '../simulation/stage.ts';
import { noRetry, pipelineOf, stepOf, works } from '../support/definitions.ts';

const day = (date: string): number => Date.parse(`${date}T00:00:00Z`);

/** Daily, so that the clock of the stage, which begins in 2026, brings no tick into the test. */
function daily(more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return pipelineOf([stepOf({ name: 'only' })], {
    name: 'daily',
    maxActiveRuns: 16,
    on: {
      schedule: { cron: '0 0 * * *', timeZone: 'UTC', catchup: 'none' },
      push: null,
      pullRequest: null,
    },
    ...more,
  });
}

/** Trains a challenger for each day, on a schedule and for every push. */
function training(): PipelineDefinition {
  const challenge = works.challenge({ promote: 'automatic' });
  return pipelineOf(
    [
      stepOf({ name: 'train', outputs: { model: 'artifact' } }),
      stepOf({ name: 'challenge', upstream: ['train'], retry: noRetry, work: challenge }),
    ],
    { ...daily(), on: { ...daily().on, push: { branches: ['**'], tags: [], paths: [] } } },
  );
}

async function open(more: Partial<PipelineDefinition> = {}): Promise<Stage> {
  return Stage.open({ pipelines: [daily(more)], slots: 16 });
}

/** Five days of 2025. */
function requestOf(stage: Stage, changes: Partial<BackfillRequest> = {}): BackfillRequest & { readonly id: string } {
  const sha = stage.world.remote.branches.get('main');
  assert.ok(sha !== undefined);
  return {
    repository: repositoryName,
    pipeline: 'daily',
    sha,
    actor: 'mona',
    fromDay: day('2025-11-01'),
    toDay: day('2025-11-05'),
    newestFirst: false,
    maxActive: 1,
    reprocess: 'none',
    parameters: {},
    ...changes,
    id: changes.id ?? 'first',
  };
}

async function make(stage: Stage, changes: Partial<BackfillRequest> = {}): Promise<void> {
  const request = requestOf(stage, changes);
  await settle(stage, () => stage.world.server?.conductor.startBackfill(request));
  await stage.until('it was kept', () => stage.world.history.backfills.has(request.id));
}

/** The answer to what is asked of the conductor, for which the world has to go on. */
async function settle<T>(stage: Stage, ask: () => Promise<T> | undefined): Promise<T> {
  const answer: { value?: T } = {};
  void ask()?.then((value) => (answer.value = value));
  await stage.until('it was answered', () => 'value' in answer);
  assert.ok(answer.value !== undefined);
  return answer.value;
}

async function ended(stage: Stage, id = 'first'): Promise<BackfillProgress> {
  const state = (): string | undefined => stage.world.history.backfills.get(id)?.state;
  await stage.until('the backfill has ended', () => state() === 'done' || state() === 'cancelled');
  await stage.rest();
  const backfill = await stage.world.journal.backfill(id);
  assert.ok(backfill !== null);
  return backfill;
}

function runs(stage: Stage): readonly KeptRun[] {
  return [...stage.world.history.runs.values()];
}

function dates(stage: Stage): readonly string[] {
  return runs(stage).map(({ opened }) => new Date(opened.logicalDate).toISOString().slice(5, 10));
}

const allFive = ['11-01', '11-02', '11-03', '11-04', '11-05'];

test('each interval gets one run of the version that was named, with its dates, in order, one at a time', async () => {
  const stage = await open();
  await make(stage);
  const sha = stage.world.remote.branches.get('main');
  stage.push();
  const backfill = await ended(stage);
  assert.deepEqual(dates(stage), allFive);
  assert.deepEqual([backfill.state, backfill.succeeded, backfill.waiting, backfill.next], ['done', 5, 0, null]);
  const [first, second] = runs(stage);
  assert.deepEqual(first?.opened.trigger, { kind: 'backfill', backfill: 'first', actor: 'mona' });
  assert.deepEqual([first.opened.sha, first.opened.dataIntervalEnd], [sha, day('2025-11-02')]);
  const end = first.events.find(({ type }) => type === 'run-finished');
  assert.ok(end !== undefined && second !== undefined && second.opened.at >= end.at);
});

test('newest first, and a few at once', async () => {
  const stage = await open();
  await make(stage, { newestFirst: true, maxActive: 3 });
  await stage.until('three at once', () => stage.world.history.unfinished.size === 3);
  await ended(stage);
  assert.deepEqual(dates(stage), allFive.toReversed());
});

test('a server that dies at any moment leaves no interval out and runs none twice', async () => {
  for (let moment = 0; moment < 60; moment += 7) {
    const stage = await open();
    await make(stage, { maxActive: 2 });
    for (let steps = 0; steps < moment; steps += 1) await stage.world.step();
    stage.world.crash(500);
    await ended(stage);
    assert.deepEqual(dates(stage), allFive, `dead after ${moment} steps`);
  }
});

test('a commit that is refused, or kept without an answer, makes no difference', async () => {
  for (const how of ['refused', 'unanswered'] as const) {
    for (const what of ['open-run', 'backfill-interval', 'backfill-state'] as const) {
      const stage = await open();
      await make(stage);
      stage.interfereOnce(what, how);
      await ended(stage);
      assert.deepEqual(dates(stage), allFive, `${what} ${how}`);
    }
  }
});

test('the same request again is the same backfill', async () => {
  const stage = await open();
  await make(stage);
  await make(stage);
  await ended(stage);
  await make(stage);
  assert.equal(runs(stage).length, 5);
});

test('a date that has a run is skipped, run again where it failed, or in any case, as was asked', async () => {
  const stage = await open();
  await make(stage, { toDay: day('2025-11-02') });
  await ended(stage);
  // One of them as if it had failed.
  const failed = runs(stage)[1]?.opened.runId ?? '';
  const { journal } = stage.world;
  const runsOfDates = journal.runsOfDates.bind(journal);
  journal.runsOfDates = async (...range) =>
    (await runsOfDates(...range)).map((row) => (row.id === failed ? { ...row, state: 'failed' } : row));
  const planned = async (reprocess: BackfillRequest['reprocess']): Promise<readonly string[]> => {
    const plan = await settle(stage, () =>
      stage.world.server?.conductor.planBackfill(requestOf(stage, { reprocess, toDay: day('2025-11-03') })),
    );
    assert.ok(plan.ok);
    return plan.value.map(({ skipped }) => skipped ?? 'run');
  };
  assert.deepEqual(await planned('none'), ['run 1 was for it: success', 'run 2 was for it: failed', 'run']);
  assert.deepEqual(await planned('failed'), ['run 1 was for it: success', 'run', 'run']);
  assert.deepEqual(await planned('completed'), ['run', 'run', 'run']);
  assert.equal(runs(stage).length, 2, 'a plan begins nothing');
});

test('dates that have ended are run again as was asked, and the models that were promoted stay the same', async () => {
  const stage = await Stage.open({ pipelines: [training()], slots: 16 });
  stage.push();
  const promoted = async (): Promise<readonly number[]> => {
    const ledger = await stage.world.registry.ledger('churn');
    assert.ok(ledger.ok);
    return ledger.value.map(({ version }) => version);
  };
  await stage.until('the push has its run', () => runs(stage).length > 0);
  await stage.rest();
  assert.deepEqual(await promoted(), [1]);
  const pushed = runs(stage).length;
  const ofDays = (): readonly (readonly [string, string])[] =>
    runs(stage)
      .slice(pushed)
      .map(({ opened, state }) => [new Date(opened.logicalDate).toISOString().slice(5, 10), state] as const);

  stage.world.attemptMs = 120_000;
  await make(stage, { toDay: day('2025-11-03'), maxActive: 3 });
  await stage.until('all three at work', () => stage.world.history.unfinished.size === 3);
  stage.cancel(runs(stage)[pushed + 1] ?? assert.fail('there is no second run'));
  await ended(stage);
  stage.world.attemptMs = null;
  const first = [
    ['11-01', 'success'],
    ['11-02', 'cancelled'],
    ['11-03', 'success'],
  ] as const;
  assert.deepEqual(ofDays(), first);

  const tally = async (id: string): Promise<readonly number[]> => {
    const { succeeded, failed, skipped } = await ended(stage, id);
    return [succeeded, failed, skipped];
  };
  await make(stage, { id: 'failed', reprocess: 'failed', toDay: day('2025-11-03') });
  assert.deepEqual(await tally('failed'), [1, 0, 2]);
  assert.deepEqual(ofDays(), [...first, ['11-02', 'success']]);

  await make(stage, { id: 'completed', reprocess: 'completed', toDay: day('2025-11-03') });
  assert.deepEqual(await tally('completed'), [3, 0, 0]);
  const again = ['11-01', '11-02', '11-03'].map((date) => [date, 'success'] as const);
  assert.deepEqual(ofDays(), [...first, ['11-02', 'success'], ...again]);

  await make(stage, { id: 'none', reprocess: 'none', toDay: day('2025-11-03') });
  assert.deepEqual(await tally('none'), [0, 0, 3]);
  const evaluated = [...stage.world.history.evaluations.values()].map(({ state }) => state);
  assert.deepEqual(evaluated, ['promoted', ...Array.from({ length: 6 }, () => 'refused')]);
  assert.deepEqual(await promoted(), [1]);
});

test('of two backfills of the same days, each finds the runs of the other', async () => {
  const stage = await open();
  await make(stage);
  await make(stage, { id: 'second' });
  const both = [await ended(stage), await ended(stage, 'second')];
  assert.deepEqual(dates(stage).toSorted(), allFive);
  assert.deepEqual(
    both.map(({ state, succeeded, skipped }) => [state, succeeded + skipped]),
    [
      ['done', 5],
      ['done', 5],
    ],
  );
});

test('an interval that has not ended is left to the schedule', async () => {
  const stage = await open();
  const today = Math.floor(stage.world.wallClock() / 86_400_000) * 86_400_000;
  await make(stage, { fromDay: today - 86_400_000, toDay: today });
  const backfill = await ended(stage);
  assert.deepEqual([backfill.succeeded, backfill.skipped], [1, 1]);
  const [, last] = await stage.world.journal.backfillIntervals('first');
  assert.equal(last?.reason, 'it has not ended yet');
});

test('a cancel ends the runs that go on, and nothing more begins', async () => {
  for (const how of ['refused', 'unanswered', 'answered'] as const) {
    const stage = await open();
    stage.world.attemptMs = 120_000;
    await make(stage, { maxActive: 2 });
    await stage.until('two at work', () => stage.world.history.unfinished.size === 2);
    if (how !== 'answered') stage.interfereOnce('request', how);
    const asked = await settle(stage, () => stage.world.server?.conductor.cancelBackfill('first', 'grace'));
    assert.equal(asked, 'accepted');
    const backfill = await ended(stage);
    assert.deepEqual([backfill.state, backfill.failed, backfill.skipped], ['cancelled', 2, 3]);
    const intervals = await stage.world.journal.backfillIntervals('first');
    assert.deepEqual(
      [intervals[0]?.runState, intervals[4]?.reason],
      ['cancelled', 'the backfill was cancelled by grace'],
    );
    const again = await settle(stage, () => stage.world.server?.conductor.cancelBackfill('first', 'grace'));
    assert.equal(again, 'ended');
  }
});

test('where the overlap policy is forbid, a backfill waits for other runs instead of leaving intervals out', async () => {
  const stage = await open({ overlap: 'forbid' });
  stage.world.attemptMs = 30_000;
  stage.ask('daily');
  await stage.until('it runs', () => stage.world.history.unfinished.size === 1);
  await make(stage, { maxActive: 4 });
  const backfill = await ended(stage);
  assert.equal(backfill.succeeded, 5);
});

test('where the overlap policy is replace, the runs of a backfill cancel none, and none cancels them', async () => {
  const stage = await open({ overlap: 'replace' });
  await make(stage, { maxActive: 4 });
  await stage.until('some at work', () => stage.world.history.unfinished.size === 4);
  stage.ask('daily');
  assert.equal((await ended(stage)).succeeded, 5);
});

test('its parameters are those of each of its runs', async () => {
  const number = { type: 'number', description: null, choices: null } as const;
  const stage = await open({ parameters: { depth: { ...number, default: null }, weeks: { ...number, default: 4 } } });
  await make(stage, { parameters: { depth: '6' } });
  assert.equal((await ended(stage)).succeeded, 5);
  for (const { opened } of runs(stage)) assert.deepEqual(opened.parameters, { depth: 6, weeks: 4 });
});

test('what cannot be a backfill is refused with a sentence', async () => {
  const stage = await open({
    parameters: { depth: { type: 'number', default: null, description: null, choices: null } },
  });
  const refusal = async (changes: Partial<BackfillRequest>): Promise<unknown> => {
    const made = await settle(stage, () => stage.world.server?.conductor.startBackfill(requestOf(stage, changes)));
    return made.ok ? null : made.error;
  };
  assert.match(JSON.stringify(await refusal({})), /depth.* \(number\) has no default.*Give --param depth=VALUE/);
  assert.match(JSON.stringify(await refusal({ parameters: { depth: 'x' } })), /must be a number/);
  assert.match(String(await refusal({ pipeline: 'nightly' })), /there is no pipeline "nightly"/);
  assert.match(String(await refusal({ repository: 'none' })), /not in the configuration/);
});
