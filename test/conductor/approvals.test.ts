/** A step that a person decides: through crashes, lost answers, two who decide at once, and what the commit is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRun } from '../../src/conductor/read.ts';
import { reportOf } from '../../src/conductor/reports/report.ts';
import type { ApprovalWork } from '../../src/pipeline/definition.ts';
import type { DecideRequest } from '../../src/engine/request.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf, works } from '../support/definitions.ts';

const push = { branches: [], tags: [], paths: [] };

function decide(decision: 'approve' | 'reject', by: string): DecideRequest {
  return { type: 'decide', step: 'release', decision, by, reason: 'seen' };
}

async function waiting(given: Partial<ApprovalWork> = {}): Promise<{ stage: Stage; run: KeptRun }> {
  const work = works.approval({ message: 'Release it?', timeoutMs: 3_600_000, ...given });
  const steps = [
    stepOf({ name: 'train' }),
    stepOf({ name: 'release', upstream: ['train'], work }),
    stepOf({ name: 'deploy', upstream: ['release'] }),
  ];
  const asking = pipelineOf(steps, { name: 'asking', on: { schedule: null, push, pullRequest: null } });
  const stage = await Stage.open({ pipelines: [asking], slots: 1 });
  stage.push();
  await stage.until('it waits', () => stage.world.history.awaited().length === 1);
  return { stage, run: stage.run('asking') };
}

function decisions(run: KeptRun): readonly string[] {
  return run.events.flatMap((event) => (event.type === 'approval-decided' ? [`${event.decision} by ${event.by}`] : []));
}

test('while a run waits, its commit is told so, and its slot is free', async () => {
  const { stage, run } = await waiting();
  const told = (): string | undefined => stage.world.forge.statuses.get(`${run.opened.sha} contender/asking`)?.summary;
  const sentence = 'Waiting for the approval of "release": Release it?';
  await stage.until('the commit was told', () => told() === sentence, 10_000);
  assert.deepEqual(stage.world.server?.executor.running(), []);
  const folded = await readRun(stage.world.journal, run.opened.runId);
  assert.ok(folded !== null);
  const report = reportOf(folded, 1, null, []);
  assert.deepEqual([report.state, report.steps[1]?.message], ['waiting', 'Release it?']);
  stage.askOf(run, decide('approve', 'ada'));
  await stage.rest();
  assert.equal(run.state, 'success');
});

test('a decision whose server dies right after it was kept is taken in by the next one', async () => {
  const { stage, run } = await waiting();
  stage.askOf(run, decide('reject', 'ada'));
  await stage.until('it was kept', () => stage.world.history.wasAsked(run.opened.runId, 'ada'));
  stage.world.crash(2000);
  await stage.rest();
  assert.deepEqual([run.state, ...decisions(run)], ['failed', 'reject by ada']);
});

test('of two who decide at once the first counts, and the second hears who was first', async () => {
  const { stage, run } = await waiting();
  const first = stage.askOf(run, decide('approve', 'ada'));
  const second = stage.askOf(run, decide('reject', 'eve'));
  await stage.until('both were answered', () => first.said !== null && second.said !== null);
  assert.notEqual(first.said === 'accepted', second.said === 'accepted');
  const refused = first.said === 'accepted' ? second.said : first.said;
  assert.match(refused ?? '', /^"release" was (approved by ada|rejected by eve) already$/);
  await stage.rest();
  assert.equal(decisions(run).length, 1);
});

test('who asks about something else hears what there is to decide', async () => {
  const { stage, run } = await waiting();
  const [known, unknown] = ['train', 'nowhere'].map((step) => stage.askOf(run, { ...decide('approve', 'ada'), step }));
  await stage.until('both were answered', () => known?.said !== null && unknown?.said !== null);
  assert.equal(known?.said, '"train" is no approval; its approvals: release');
  assert.equal(unknown?.said, 'the run has no step "nowhere"; its approvals: release');
});

test('a decision that was asked for while no server was up comes before the end of its time', async () => {
  const { stage, run } = await waiting({ timeoutMs: 60_000 });
  const { world } = stage;
  stage.askOf(run, decide('approve', 'ada'));
  await stage.until('it was kept', () => world.history.wasAsked(run.opened.runId, 'ada'));
  world.crash(120_000);
  await stage.rest();
  assert.deepEqual([run.state, ...decisions(run)], ['success', 'approve by ada']);
});

test('nobody decides: the step fails at the end of its time, also where a server slept over it', async () => {
  const { stage, run } = await waiting({ timeoutMs: 60_000 });
  stage.world.crash(120_000);
  await stage.rest();
  const end = run.events.find((event) => event.type === 'step-finished' && event.step === 'release');
  assert.equal(end?.type === 'step-finished' && end.reason, 'timeout: nobody decided within 1 min 0 s');
  assert.equal(run.state, 'failed');
});

test('a cancel ends the waiting', async () => {
  const { stage, run } = await waiting();
  stage.cancel(run);
  await stage.rest();
  assert.equal(run.state, 'cancelled');
  const late = stage.askOf(run, decide('approve', 'ada'));
  await stage.until('it was answered', () => late.said !== null);
  assert.equal(late.said, '"release" is cancelled already: cancelled by ada: never mind');
});
