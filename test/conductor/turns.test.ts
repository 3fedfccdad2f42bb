/** What may go wrong between a decision and its being carried out, one fault at one place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRun } from '../../src/conductor/read.ts';
import { decide } from '../../src/engine/engine.ts';
import type { RunEvent } from '../../src/engine/event.ts';
import type { Write } from '../../src/journal/journal.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { noRetry, pipelineOf, stepOf, works } from '../support/definitions.ts';

const push = { branches: [], tags: [], paths: [] };

function pushed(
  name: string,
  steps: readonly StepDefinition[],
  more: Partial<PipelineDefinition> = {},
): PipelineDefinition {
  return pipelineOf(steps, { name, on: { schedule: null, push, pullRequest: null }, ...more });
}

const pair = pushed('pair', [stepOf({ name: 'first' }), stepOf({ name: 'second', upstream: ['first'] })]);
const other = pushed('other', [stepOf({ name: 'only' })]);

function has(run: KeptRun, type: RunEvent['type']): boolean {
  return run.events.some((event) => event.type === type);
}

async function opened(stage: Stage, runs: number): Promise<void> {
  stage.push();
  await stage.until('the runs were opened', () => stage.world.history.runs.size === runs);
}

test('the end of an attempt that could not be kept at once is kept later', async () => {
  for (const how of ['refused', 'unanswered'] as const) {
    const stage = await Stage.open({ pipelines: [pair] });
    stage.interfereOnce('attempt-finished', how);
    await opened(stage, 1);
    await stage.rest();
    assert.equal(stage.run('pair').state, 'success');
    assert.deepEqual([...stage.world.begun.values()], [1, 1], 'each attempt was begun once');
  }
});

test('a run that another writer brought further is folded again and goes on from there', async () => {
  const stage = await Stage.open({ pipelines: [pair] });
  stage.world.attemptMs = 5000;
  await opened(stage, 1);
  const run = stage.run('pair');
  await stage.until('its first step runs', () => has(run, 'attempt-running'));
  const { runId } = run.opened;
  const folded = await readRun(stage.world.journal, runId);
  assert.ok(folded !== null);
  const { position } = folded;
  const at = stage.world.wallClock();
  const events = decide(folded, { type: 'cancel', at, by: 'another server', reason: 'it says so' });
  const write: Write = {
    write: 'append',
    runId,
    position,
    events,
    becomes: { state: 'cancelling', reason: null, finishedAt: null },
  };
  const [kept] = await stage.world.journal.commit([[write]]);
  stage.world.history.kept(write);
  assert.equal(kept?.ok, true);
  await stage.until('it ended', () => run.state === 'cancelled');
  assert.equal(stage.world.server?.executor.running().length, 0);
});

test('a report that makes no sense harms neither its run nor the others', async () => {
  const stage = await Stage.open({ pipelines: [pair, other] });
  stage.world.attemptMs = 5000;
  await opened(stage, 2);
  await stage.until('both run', () =>
    [...stage.world.history.runs.values()].every((run) => has(run, 'attempt-running')),
  );
  const { runId } = stage.run('pair').opened;
  for (const attempt of [`${runId}/second/0/9`, `${runId}/nowhere/0/1`, `01k${'0'.repeat(23)}/first/0/1`, 'nonsense']) {
    const outcome = { kind: 'succeeded', output: { inline: null }, control: null } as const;
    const at = stage.world.wallClock();
    stage.world.server?.conductor.report({ type: 'finished', attemptId: attempt, at, outcome, usage: null });
  }
  await stage.rest();
  assert.deepEqual([stage.run('pair').state, stage.run('other').state], ['success', 'success']);
});

test('a cancel that overtakes the start of an attempt still ends it', async () => {
  const stage = await Stage.open({ pipelines: [pair] });
  stage.world.attemptMs = 3_600_000;
  await opened(stage, 1);
  const run = stage.run('pair');
  await stage.until('the start was kept', () => has(run, 'attempt-started'));
  assert.deepEqual(stage.world.server?.executor.running(), [], 'the executor has not heard of it yet');
  stage.cancel(run);
  await stage.until('the run is cancelled', () => run.state === 'cancelled', 60_000);
  assert.deepEqual(stage.world.server?.executor.running(), []);
});

test('a cancel in the very moment in which the executor takes the attempt ends it too', async () => {
  const stage = await Stage.open({ pipelines: [pair] });
  stage.world.attemptMs = 3_600_000;
  await opened(stage, 1);
  const run = stage.run('pair');
  await stage.until('it runs', () => (stage.world.server?.executor.running().length ?? 0) > 0);
  stage.cancel(run);
  await stage.until('the run is cancelled', () => run.state === 'cancelled', 60_000);
});

test('a cancel waits for no registry that an attempt asks before it starts', async () => {
  const trained = stepOf({ name: 'train', outputs: { model: 'artifact' } });
  const compared = stepOf({ name: 'compare', upstream: ['train'], work: works.challenge() });
  const stage = await Stage.open({ pipelines: [pushed('judged', [trained, compared])] });
  const asked: (() => void)[] = [];
  const { registry } = stage.world;
  const champion = registry.champion.bind(registry);
  const hangs = (model: string): ReturnType<typeof champion> =>
    new Promise((resolve) => asked.push(() => resolve(champion(model))));
  Object.assign(registry, { champion: hangs });
  await opened(stage, 1);
  const run = stage.run('judged');
  await stage.until('the registry is asked', () => asked.length > 0);
  stage.cancel(run);
  await stage.until('the run is cancelled', () => run.state === 'cancelled', 60_000);
  const events = run.events.length;
  for (const go of asked) go();
  const { now } = stage.world.time;
  await stage.until('it could have begun', () => stage.world.time.now > now + 60_000);
  assert.deepEqual(stage.world.server?.executor.running(), []);
  assert.equal(run.events.length, events);
});

test('a cancel whose answer is lost stops what runs', async () => {
  const stage = await Stage.open({ pipelines: [pair] });
  stage.world.attemptMs = 3_600_000;
  await opened(stage, 1);
  const run = stage.run('pair');
  await stage.until('it runs', () => has(run, 'attempt-running'));
  stage.interfereOnce('cancel-requested', 'unanswered');
  stage.cancel(run);
  await stage.until('the run is cancelled', () => run.state === 'cancelled', 120_000);
});

test('the end of a run whose answer is lost lets the next one of its lane go on', async () => {
  const alone = { ...pair, maxActiveRuns: 1 };
  const stage = await Stage.open({ pipelines: [alone] });
  await opened(stage, 1);
  await opened(stage, 2);
  stage.interfereOnce('run-finished', 'unanswered');
  await stage.rest();
  assert.deepEqual(
    [...stage.world.history.runs.values()].map(({ state }) => state),
    ['success', 'success'],
  );
});

test('a run that waits for its lane beyond its own time limit costs nothing while it waits, and has all of its time', async () => {
  const steps = [stepOf({ name: 'only', timeoutMs: 7_200_000 })];
  const patient = pushed('alone', steps, { maxActiveRuns: 1 });
  const stage = await Stage.open({ pipelines: [patient] });
  stage.world.attemptMs = 3_600_000;
  await opened(stage, 1);
  const hasty = pushed('alone', steps, { maxActiveRuns: 1, runTimeoutMs: 60_000 });
  Object.assign(stage.world.catalogue, { definition: () => hasty });
  await opened(stage, 2);
  const [first, second] = [...stage.world.history.runs.values()];
  const before = stage.world.steps;
  await stage.until('the first one ended', () => first?.state === 'success', 3_700_000);
  const taken = stage.world.steps - before;
  assert.ok(taken < 6000, `it took ${taken} steps of the world`);
  await stage.until('the second one ended', () => second?.state === 'failed');
  const began = second?.events.find(({ type }) => type === 'step-scheduled');
  const timedOut = second?.events.find(({ type }) => type === 'run-timed-out');
  assert.ok(began !== undefined && timedOut !== undefined, 'it began, and then its time was over');
  assert.ok(timedOut.at - began.at >= 60_000, `${timedOut.at - began.at} ms`);
});

test('runs that wait for a slot get it in turn, whoever frees it', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const stage = await Stage.open({
    pipelines: names.map((name) => pushed(name, [stepOf({ name: 'only', retry: noRetry })])),
    slots: 1,
  });
  stage.world.attemptMs = 2000;
  await opened(stage, names.length);
  await stage.rest();
  assert.deepEqual(
    names.map((name) => stage.run(name).state),
    names.map(() => 'success'),
  );
});

test('a server that dies at any commit of a run leaves it to the next one', async () => {
  const whens = ['open-run', 'step-scheduled', 'attempt-started', 'attempt-finished', 'run-finished'] as const;
  for (const when of whens) {
    const stage = await Stage.open({ pipelines: [pair] });
    let isKept = false;
    stage.world.interfere = (commits) => {
      const text = JSON.stringify(commits);
      if (!isKept && text.includes(`"${when}"`)) {
        isKept = true;
        // After the commit, before anything that follows from it.
        stage.world.time.later(0, () => stage.world.crash(2000));
      }
      return null;
    };
    await opened(stage, 1);
    await stage.rest();
    assert.equal(stage.run('pair').state, 'success', when);
    assert.ok(
      [...stage.world.begun.values()].every((count) => count === 1),
      when,
    );
  }
});
