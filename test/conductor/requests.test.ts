/** What is asked of a run stands in the journal: no death of a server, and no lost answer, loses it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askIn } from '../../src/conductor/requests.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const push = { branches: [], tags: [], paths: [] };

function pushed(more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  const on = { schedule: null, push, pullRequest: null };
  return pipelineOf(more.steps ?? [stepOf({ name: 'only', timeoutMs: 7_200_000 })], { name: 'own', on, ...more });
}

/** Its step takes an hour. */
async function running(more: Partial<PipelineDefinition> = {}): Promise<{ stage: Stage; run: KeptRun }> {
  const stage = await Stage.open({ pipelines: [pushed(more)] });
  stage.world.attemptMs = 3_600_000;
  stage.push();
  await stage.until('a run was opened', () => stage.world.history.runs.size === 1);
  const run = stage.run('own');
  await stage.until('it runs', () => run.events.some(({ type }) => type === 'attempt-running'));
  return { stage, run };
}

function openRequests(stage: Stage): number {
  return [...stage.world.history.requests.values()].filter(({ open }) => open).length;
}

test('a cancel whose server dies right after it was kept is carried out by the next one', async () => {
  const { stage, run } = await running();
  stage.cancel(run);
  await stage.until('it was kept', () => openRequests(stage) === 1);
  stage.world.crash(2000);
  await stage.until('the run is cancelled', () => run.state === 'cancelled', 60_000);
  await stage.rest();
});

test('a cancel that was kept without an answer is carried out all the same', async () => {
  const { stage, run } = await running();
  stage.interfereOnce('request', 'unanswered');
  const answer = stage.cancel(run);
  await stage.until('nobody knows', () => answer.said === 'unanswered');
  await stage.until('the run is cancelled', () => run.state === 'cancelling', 5000);
});

test('a cancel that was not kept is not accepted', async () => {
  const { stage, run } = await running();
  stage.interfereOnce('request', 'refused');
  const answer = stage.cancel(run);
  await stage.until('nobody knows', () => answer.said === 'unanswered');
  await stage.until('the run ended', () => run.state === 'success', 3_700_000);
});

test('a cancel that another process leaves in the journal is seen within seconds', async () => {
  const { stage, run } = await running();
  const { world } = stage;
  const request = { type: 'cancel', by: 'eve', reason: 'from another terminal' } as const;
  const row = { id: 'from-elsewhere', runId: run.opened.runId, request, at: world.wallClock() };
  assert.equal((await askIn(world.journal, row)).ok, true);
  await stage.until('it is being cancelled', () => run.state === 'cancelling', 5000);
  assert.deepEqual(await world.journal.openRequests(5), []);
});

test('a run that has ended accepts no cancel', async () => {
  const { stage, run } = await running();
  stage.cancel(run);
  await stage.until('the run is cancelled', () => run.state === 'cancelled');
  const answer = stage.cancel(run);
  await stage.until('it was answered', () => answer.said !== null);
  assert.equal(answer.said, 'the run has just ended');
});

test('a second cancel changes nothing, and is settled', async () => {
  const { stage, run } = await running();
  stage.cancel(run);
  stage.cancel(run);
  await stage.until('the run is cancelled', () => run.state === 'cancelled');
  assert.equal(run.events.filter(({ type }) => type === 'cancel-requested').length, 1);
  assert.equal(openRequests(stage), 0);
});

test('a cancel of a run whose finally-steps run ends those, and outlives the server', async () => {
  const steps = [stepOf({ name: 'only', timeoutMs: 7_200_000 }), stepOf({ name: 'tidy', finally: true })];
  const { stage, run } = await running({ steps });
  const tidyStarts = () => run.events.some((event) => event.type === 'attempt-started' && event.step === 'tidy');
  stage.cancel(run);
  await stage.until('its finally-step runs', tidyStarts);
  stage.cancel(run);
  await stage.until('it was kept', () => openRequests(stage) === 1);
  stage.world.crash(2000);
  await stage.until('the run is cancelled', () => run.state === 'cancelled', 60_000);
  const end = run.events.findLast((event) => event.type === 'step-finished');
  assert.deepEqual([end?.step, end?.state, end?.reason], ['tidy', 'cancelled', 'cancelled by ada: never mind']);
  await stage.rest();
});

test('a run that replaces cancels what is under way, however soon after its opening the server dies', async () => {
  const { stage, run } = await running({ overlap: 'replace' });
  stage.push();
  await stage.until('the newer run was opened', () => stage.world.history.runs.size === 2);
  assert.equal(openRequests(stage), 1, 'the cancel of the older run is in the same commit');
  stage.world.crash(2000);
  await stage.until('the older run is cancelled', () => run.state === 'cancelled', 60_000);
  await stage.until('the newer one ended', () => stage.world.history.unfinished.size === 0, 4_000_000);
});
