/** A run once more: what it is for, what it reuses, and what it must not disturb. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome, RerunSteps, RunEvent } from '../../src/engine/event.ts';
import { readRun } from '../../src/conductor/read.ts';
import { attemptId } from '../../src/executor/executor.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import type { Problem } from '../../src/std/problem.ts';
import type { Result } from '../../src/std/result.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { noRetry, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { outcomes, statesOf } from '../support/drive.ts';
import { finish } from '../support/journal-values.ts';

const everywhere = { branches: ['**'], tags: [], paths: [] };

function pushed(steps: readonly StepDefinition[], more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return pipelineOf(steps, { name: 'own', on: { schedule: null, push: everywhere, pullRequest: null }, ...more });
}

const pair = [
  stepOf({ name: 'train', outputs: { model: 'artifact' } }),
  stepOf({ name: 'report', upstream: ['train'], retry: noRetry }),
];

const challenge = stepOf({
  name: 'challenge',
  upstream: ['train'],
  work: works.challenge({ promote: 'automatic' }),
});

/** In the order in which they were opened. */
function runs(stage: Stage): readonly KeptRun[] {
  return [...stage.world.history.runs.values()];
}

type Answer = Result<string, Problem | string>;

interface Asked {
  readonly runId: string;
  readonly steps?: RerunSteps;
  readonly atHead?: boolean;
  readonly actor?: string;
}

/** The same person asks once for a run, however often. */
async function ask(stage: Stage, { runId, steps = 'failed', atHead = false, actor = 'eve' }: Asked): Promise<Answer> {
  const answers: Answer[] = [];
  const key = `asked by ${actor}`;
  const asked = stage.world.server?.conductor.rerun({ runId, steps, atHead, actor, key });
  void asked?.then((answer) => answers.push(answer));
  await stage.until('there is an answer', () => answers.length > 0);
  const [answer] = answers;
  assert.ok(answer !== undefined);
  return answer;
}

function refusal(answer: Answer): string {
  assert.ok(!answer.ok, 'it is refused');
  return typeof answer.error === 'string' ? answer.error : answer.error.message;
}

function kept(stage: Stage, answer: Answer): KeptRun {
  assert.ok(answer.ok, answer.ok ? '' : refusal(answer));
  const run = stage.world.history.runs.get(answer.value);
  assert.ok(run !== undefined);
  return run;
}

async function end(stage: Stage, run: KeptRun, step: string, outcome: AttemptOutcome): Promise<void> {
  const id = attemptId(run.opened.runId, { step, index: 0, attempt: 1 });
  await stage.until(`${step} runs`, () => stage.world.server?.executor.running().includes(id) === true);
  stage.world.server?.executor.finish(id, outcome);
}

/** A run of a push whose second step failed. */
async function failedRun(stage: Stage): Promise<KeptRun> {
  const before = runs(stage).length;
  stage.world.attemptMs = 5000;
  stage.push();
  await stage.until('the run was opened', () => runs(stage).length > before);
  const run = runs(stage).at(-1);
  assert.ok(run !== undefined);
  await end(stage, run, 'report', outcomes.failed('code'));
  await stage.rest();
  assert.equal(run.state, 'failed');
  return run;
}

function started(run: KeptRun): readonly string[] {
  return run.events.flatMap((event) => (event.type === 'attempt-started' ? [event.step] : []));
}

const reused = (event: RunEvent): boolean => event.type === 'step-reused';

test('from the failed step: the other one stands, and its output is read as if it had run here', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const first = await failedRun(stage);
  const again = kept(stage, await ask(stage, { runId: first.opened.runId }));
  await stage.rest();
  assert.deepEqual(started(again), ['report']);
  assert.equal(again.state, 'success');
  const [before, now] = await Promise.all(
    [first, again].map(({ opened }) => readRun(stage.world.journal, opened.runId)),
  );
  assert.ok(before !== null && before !== undefined && now !== null && now !== undefined);
  assert.deepEqual(statesOf(now), { train: 'success', report: 'success' });
  assert.deepEqual(now.steps.get('train')?.instances?.[0]?.output, before.steps.get('train')?.instances?.[0]?.output);
});

test('it is for what the first run was for, and says who asked for it', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const first = await failedRun(stage);
  const second = kept(stage, await ask(stage, { runId: first.opened.runId, steps: 'all' }));
  await stage.rest();
  const third = kept(stage, await ask(stage, { runId: second.opened.runId, steps: { from: 'report' }, actor: 'bob' }));
  await stage.rest();
  const trigger = { kind: 'rerun', first: first.opened.trigger } as const;
  const { at: _at, runId: _runId, ...same } = first.opened;
  const ofSecond = { ...same, trigger: { ...trigger, of: first.opened.runId, steps: 'all', actor: 'eve' } };
  const ofThird = {
    ...same,
    trigger: { ...trigger, of: second.opened.runId, steps: { from: 'report' }, actor: 'bob' },
  };
  assert.deepEqual({ ...second.opened }, { ...ofSecond, at: second.opened.at, runId: second.opened.runId });
  assert.deepEqual({ ...third.opened }, { ...ofThird, at: third.opened.at, runId: third.opened.runId });
  const status = stage.world.forge.statuses.get(`${first.opened.sha} contender/own`);
  assert.equal(status?.state, 'success', 'the last run of the commit speaks for it');
});

test('a request has its answer, and the same one is one run, also where its opening was kept without one', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const { runId } = (await failedRun(stage)).opened;
  stage.interfereOnce('open-run', 'unanswered');
  const first = kept(stage, await ask(stage, { runId }));
  const second = kept(stage, await ask(stage, { runId }));
  await stage.rest();
  const third = kept(stage, await ask(stage, { runId }));
  assert.deepEqual([first, second], [third, third]);
  assert.equal(runs(stage).length, 2);
  assert.deepEqual(started(second), ['report']);
});

test('two requests of one key at once are one run', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const { runId } = (await failedRun(stage)).opened;
  const [one, other] = await Promise.all([ask(stage, { runId }), ask(stage, { runId })]);
  assert.deepEqual(one, other);
  assert.equal(kept(stage, one).opened.trigger.kind, 'rerun');
  assert.equal(runs(stage).length, 2);
});

test('a run that has not ended, and a commit that is at work, are left alone', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const first = await failedRun(stage);
  const second = kept(stage, await ask(stage, { runId: first.opened.runId }));
  const { runId } = second.opened;
  assert.equal(refusal(await ask(stage, { runId, actor: 'bob' })), `run ${runId} is under way`);
  assert.equal(refusal(await ask(stage, { runId: first.opened.runId, actor: 'ada' })), `run ${runId} is under way`);
  assert.equal(refusal(await ask(stage, { runId: 'nobody', actor: 'joe' })), 'there is no run nobody');
});

test('a date runs again beside the run of another date at the same commit, and not beside one of its own', async () => {
  const schedule = { cron: '0 * * * *', timeZone: 'UTC', catchup: 'none' } as const;
  const on = { schedule, push: null, pullRequest: null };
  const stage = await Stage.open({ pipelines: [pushed(pair, { on })] });
  stage.world.attemptMs = 90 * 60_000;
  const hours = (count: number) => count * 60 * 60_000;
  await stage.until('the first tick', () => runs(stage).length === 1, hours(2));
  const [first] = runs(stage);
  assert.ok(first !== undefined);
  await end(stage, first, 'train', outcomes.succeeded());
  await end(stage, first, 'report', outcomes.failed('invalid'));
  await stage.until('its end', () => first.state === 'failed', hours(1));
  await stage.until('the second tick', () => runs(stage).length === 2, hours(2));
  const second = runs(stage)[1];
  assert.ok(second?.state === 'running' && second.opened.sha === first.opened.sha);
  const again = kept(stage, await ask(stage, { runId: first.opened.runId }));
  assert.deepEqual([again.opened.logicalDate, second.state], [first.opened.logicalDate, 'running']);
  const twice = await ask(stage, { runId: first.opened.runId, actor: 'ada' });
  assert.equal(refusal(twice), `run ${again.opened.runId} is under way`);
});

test('what is newer is neither cancelled for it nor run beside it where that is forbidden', async () => {
  for (const policy of [{ overlap: 'forbid' }, { overlap: 'replace' }, { cancelInProgress: true }] as const) {
    const stage = await Stage.open({ pipelines: [pushed(pair, policy)] });
    const first = await failedRun(stage);
    stage.push();
    await stage.until('the newer run was opened', () => runs(stage).length === 2);
    const newer = runs(stage)[1];
    assert.ok(newer !== undefined);
    const answer = await ask(stage, { runId: first.opened.runId });
    assert.equal(refusal(answer), `run ${newer.opened.runId} is under way`);
    await stage.rest();
    assert.equal(newer.state, 'success');
    const again = kept(stage, await ask(stage, { runId: first.opened.runId }));
    await stage.rest();
    assert.deepEqual(started(again), ['report']);
    assert.equal(runs(stage)[2]?.state, 'success');
  }
});

test('it waits for its turn like every run, and has not begun because it reuses something', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair, { maxActiveRuns: 1 })] });
  const first = await failedRun(stage);
  stage.push();
  await stage.until('the newer run was opened', () => runs(stage).length === 2);
  const again = kept(stage, await ask(stage, { runId: first.opened.runId }));
  assert.equal(again.events.filter(reused).length, 1);
  stage.world.crash(1000);
  await stage.until('the next server is up', () => stage.world.server?.conducts === true);
  await stage.rest();
  assert.deepEqual(
    runs(stage).map(({ state }) => state),
    ['failed', 'success', 'success'],
  );
  const [, newer] = runs(stage);
  const endedAt = newer?.events.find((event) => event.type === 'run-finished')?.at ?? 0;
  const begunAt = again.events.find((event) => event.type === 'attempt-started')?.at ?? 0;
  assert.ok(endedAt <= begunAt, 'one after the other');
});

test('at the head of its branch, which is another commit by now', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const first = await failedRun(stage);
  const head = stage.commit('main');
  const again = kept(stage, await ask(stage, { runId: first.opened.runId, atHead: true }));
  assert.equal(again.opened.sha, head);
  assert.equal(again.events.filter(reused).length, 1);
  await stage.until('it has ended', () => again.state === 'success');
});

test('a branch that is gone has no head', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  stage.push('topic');
  await stage.until('it was opened', () => runs(stage).length === 1);
  await stage.rest();
  stage.world.remote.branches.delete('topic');
  const runId = runs(stage)[0]?.opened.runId ?? '';
  assert.match(refusal(await ask(stage, { runId, steps: 'all', atHead: true })), /topic/);
});

test('an artifact that is not stored any more is not reused', async () => {
  const stage = await Stage.open({ pipelines: [pushed(pair)] });
  const { opened, events } = await failedRun(stage);
  for (const [sha256] of JSON.stringify(events).matchAll(/[0-9a-f]{64}/g)) stage.world.gone.add(sha256);
  assert.equal(
    refusal(await ask(stage, { runId: opened.runId })),
    'the step "train" cannot be reused: model.json is no longer stored. Begin at that step, or run all',
  );
  assert.equal(runs(stage).length, 1);
  kept(stage, await ask(stage, { runId: opened.runId, steps: { from: 'train' } }));
});

test('a model that is a version already is not registered again, whatever is said of it the second time', async () => {
  const tell = stepOf({ name: 'tell', upstream: ['challenge'] });
  const stage = await Stage.open({ pipelines: [pushed([...pair.slice(0, 1), challenge, tell])] });
  stage.push();
  await stage.until('it was opened', () => runs(stage).length === 1);
  await stage.rest();
  const runId = runs(stage)[0]?.opened.runId ?? '';
  const evaluations = (): readonly (readonly [string, string | null])[] =>
    [...stage.world.history.evaluations.values()].map(({ state, reason }) => [state, reason]);
  assert.deepEqual(
    evaluations().map(([state]) => state),
    ['promoted'],
  );

  stage.world.attemptMs = 5000;
  const judged = kept(stage, await ask(stage, { runId, steps: { from: 'challenge' } }));
  const better = runs(stage)[0]?.events.find(
    (event) => event.type === 'attempt-finished' && event.step === 'challenge',
  );
  assert.ok(better?.type === 'attempt-finished' && better.outcome.kind === 'succeeded');
  const text = JSON.stringify(better.outcome).replace('"championVersion":null', '"championVersion":1');
  const outcome: AttemptOutcome = JSON.parse(text);
  await end(stage, judged, 'challenge', outcome);
  await stage.rest();
  const already = `this very model is version 1 already, from run ${runId}.`;
  assert.deepEqual(evaluations().slice(1), [['refused', already]]);

  kept(stage, await ask(stage, { runId, steps: { from: 'tell' }, actor: 'bob' }));
  await stage.rest();
  assert.deepEqual(evaluations().slice(2), [['refused', already]], 'the challenge itself was reused');
  const ledger = await stage.world.registry.ledger('churn');
  assert.equal(ledger.ok && ledger.value.length, 1);
});

test('"Re-run all checks" repeats the run that each check shows: no backfill, and behind however many of another pipeline', async () => {
  const only = [stepOf({ name: 'only' })];
  const schedule = { cron: '0 0 * * *', timeZone: 'UTC', catchup: 'none' } as const;
  const daily = pushed(only, { name: 'daily', on: { schedule, push: everywhere, pullRequest: null } });
  const stage = await Stage.open({ pipelines: [daily, pushed(only), pushed(only, { name: 'often' })], slots: 16 });
  const { world } = stage;
  const sha = stage.push();
  await stage.rest();
  const shown = runs(stage).map(({ opened }) => opened);
  await stage.backfillADay('daily', sha);
  const often = shown.find(({ pipeline }) => pipeline === 'often');
  assert.ok(often !== undefined);
  const later = (number: number): string => `7z${String(number).padStart(24, '0')}`;
  for (let number = 0; number < 200; number += 1) {
    const opened = { ...often, runId: later(number) };
    await world.journal.commit([
      [{ write: 'open-run', triggerKey: `tick ${number}`, opened, reused: [] }, finish(opened.runId, 1)],
    ]);
  }
  stage.hook({ type: 'rerequested', sha, runId: null, actor: 'eve' });
  const again = (): readonly string[] =>
    runs(stage).flatMap(({ opened: { trigger } }) => (trigger.kind === 'rerun' ? [trigger.of] : []));
  await stage.until('all run again', () => again().length === 3, 120_000);
  const ofOthers = shown.filter(({ pipeline }) => pipeline !== 'often').map(({ runId }) => runId);
  assert.deepEqual(again().toSorted(), [...ofOthers, later(199)].toSorted());
});

test('a challenge of a run that failed elsewhere is decided when the rest has been made good', async () => {
  const report = stepOf({ name: 'report', upstream: ['challenge'], retry: noRetry });
  const stage = await Stage.open({ pipelines: [pushed([...pair.slice(0, 1), challenge, report])] });
  const first = await failedRun(stage);
  const states = (): readonly string[] => [...stage.world.history.evaluations.values()].map(({ state }) => state);
  assert.deepEqual(states(), ['refused']);
  const again = kept(stage, await ask(stage, { runId: first.opened.runId }));
  await stage.rest();
  assert.deepEqual(started(again), ['report']);
  assert.deepEqual(states(), ['refused', 'promoted']);
  const model = await stage.world.registry.champion('churn');
  assert.equal(model.ok && model.value?.evidence.decidedBy, 'push to main by ada, run again for eve');
});
