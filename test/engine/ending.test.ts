import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptsToStop, decide, nextWakeAt, unfinishedAttempts } from '../../src/engine/engine.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { drive, foldOf, openedAt, openedOf, outcomes, statesOf } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const line = pipelineOf([
  stepOf({ name: 'load' }),
  stepOf({ name: 'train', upstream: ['load'], graceMs: 5000 }),
  stepOf({ name: 'deploy', upstream: ['train'] }),
  stepOf({ name: 'tidy', finally: true }),
]);

test('a cancel ends what has not started at once, and the run when what runs has reported', () => {
  const scenario = new Scenario(line);
  scenario.proceed(0);
  scenario.finished(1, 'load', outcomes.succeeded());
  assert.deepEqual(scenario.cancel(2), ['cancelled by ada', 'deploy cancelled (cancelled by ada: wrong data)']);
  assert.equal(scenario.run.state, 'cancelling');
  const placed = { step: 'train', index: 0, attempt: 1, graceMs: 5000 };
  assert.deepEqual(attemptsToStop(scenario.run), [{ ...placed, cause: 'cancelled' }]);
  assert.deepEqual(attemptsToStop(scenario.folded()), [{ ...placed, cause: 'cancelled' }]);
  assert.deepEqual(scenario.finished(3, 'train', outcomes.failed('cancelled', 'stopped')), [
    'train cancelled (cancelled by ada: wrong data)',
    'start tidy',
  ]);
  assert.deepEqual(attemptsToStop(scenario.run), []);
  assert.deepEqual(scenario.finished(4, 'tidy', outcomes.succeeded()), [
    'tidy success',
    'run cancelled (cancelled by ada: wrong data)',
  ]);
});

const tidying = pipelineOf([
  stepOf({ name: 'load' }),
  stepOf({ name: 'tidy', finally: true, retry: { count: 1, delayMs: 10_000, factor: 1, delayMaxMs: 10_000 } }),
  stepOf({ name: 'tell', upstream: ['tidy'], finally: true }),
]);

function stopped(definition = tidying): Scenario {
  const scenario = new Scenario(definition);
  scenario.proceed(0);
  scenario.cancel(1);
  scenario.finished(2, 'load', outcomes.failed('cancelled'));
  return scenario;
}

test('finally-steps of a cancelled run are tried again and come one after the other, and the run stays cancelled', () => {
  const scenario = stopped();
  assert.deepEqual(scenario.finished(3, 'tidy', outcomes.failed()), ['tidy up_for_retry at 13']);
  assert.equal(nextWakeAt(scenario.folded()), openedAt + 13_000);
  assert.deepEqual(scenario.proceed(13), ['start tidy#2']);
  assert.deepEqual(scenario.finished(14, 'tidy#2', outcomes.failed()), ['tidy failed (it broke)', 'start tell']);
  assert.deepEqual(scenario.finished(15, 'tell', outcomes.succeeded()), [
    'tell success',
    'run cancelled (cancelled by ada: wrong data)',
  ]);
});

test('a second cancel ends the finally-steps too, whether they run or wait for what runs', () => {
  const running = stopped();
  assert.deepEqual(running.cancel(3), [], 'by a rule that cancels what is cancelled already');
  assert.deepEqual(running.cancelFinally(4), [
    'finally-steps cancelled by grace',
    'tell cancelled (cancelled by grace)',
  ]);
  assert.deepEqual(running.cancelFinally(4), []);
  for (const run of [running.run, running.folded()])
    assert.deepEqual(attemptsToStop(run), [
      { step: 'tidy', index: 0, attempt: 1, graceMs: 30_000, cause: 'cancelled' },
    ]);
  assert.deepEqual(running.finished(5, 'tidy', outcomes.failed('cancelled')), [
    'tidy cancelled (cancelled by grace)',
    'run cancelled (cancelled by ada: wrong data)',
  ]);
  const waiting = new Scenario(tidying);
  waiting.proceed(0);
  assert.deepEqual(waiting.cancelFinally(1), [], 'of a run that goes on');
  waiting.cancel(1);
  assert.equal(waiting.cancelFinally(2).length, 3);
  assert.equal(
    waiting.finished(3, 'load', outcomes.failed('cancelled')).at(-1),
    'run cancelled (cancelled by ada: wrong data)',
  );
});

test('a cancel while finally-steps run lets them end, and the run ends cancelled', () => {
  const scenario = new Scenario(tidying);
  scenario.proceed(0);
  scenario.finished(1, 'load', outcomes.succeeded());
  assert.deepEqual(scenario.cancel(2), ['cancelled by ada']);
  assert.deepEqual(attemptsToStop(scenario.run), []);
  scenario.finished(3, 'tidy', outcomes.succeeded());
  assert.equal(
    scenario.finished(4, 'tell', outcomes.succeeded()).at(-1),
    'run cancelled (cancelled by ada: wrong data)',
  );
});

test('finally-steps of a stopped run have so long from the end of all others, whatever they wait for', () => {
  for (const [definition, limit] of [
    [tidying, 1800],
    [{ ...tidying, finallyTimeoutMs: 60_000 }, 60],
  ] as const) {
    const scenario = stopped(definition);
    const end = 2 + limit;
    assert.equal(nextWakeAt(scenario.folded()), openedAt + end * 1000);
    assert.deepEqual(scenario.proceed(end - 1), []);
    assert.deepEqual(scenario.proceed(end), [
      'finally-timed-out',
      'tell cancelled (the finally-steps were longer than their time limit)',
    ]);
    assert.deepEqual(
      attemptsToStop(scenario.run).map(({ step, cause }) => [step, cause]),
      [['tidy', 'timeout']],
    );
    assert.equal(nextWakeAt(scenario.run), null);
    assert.equal(
      scenario.finished(end + 1, 'tidy', outcomes.failed('timeout')).at(-1),
      'run cancelled (cancelled by ada: wrong data)',
    );
  }
  const noSlot = new Scenario(tidying, 0);
  noSlot.proceed(0);
  noSlot.cancel(1);
  noSlot.proceed(1801);
  assert.deepEqual(noSlot.run.state, 'cancelled', 'it waited for a slot all the time');
});

test('a finally-step with a rule takes what the time limit ended for failed, and what a cancel ended for skipped', () => {
  const rules = ['one_failed', 'all_done', 'none_failed', 'none_skipped'] as const;
  const definition = pipelineOf(
    [stepOf({ name: 'load' }), ...rules.map((rule) => stepOf({ name: rule, finally: true, triggerRule: rule }))],
    { runTimeoutMs: 60_000 },
  );
  const late = new Scenario(definition);
  late.proceed(0);
  late.proceed(60);
  assert.deepEqual(late.finished(61, 'load', outcomes.failed('timeout')).slice(1), [
    'none_failed skipped (none_failed: of the other steps 1 cancelled)',
    'start one_failed',
    'start all_done',
    'start none_skipped',
  ]);
  const cancelled = new Scenario(definition);
  cancelled.proceed(0);
  cancelled.cancel(1);
  assert.deepEqual(cancelled.finished(2, 'load', outcomes.failed('cancelled')).slice(1), [
    'one_failed skipped (one_failed: of the other steps 1 cancelled)',
    'none_skipped skipped (none_skipped: of the other steps 1 cancelled)',
    'start all_done',
    'start none_failed',
  ]);
});

test('a journal in which a stopped run ended its finally-steps at once folds as it ended', () => {
  const { definition } = stopped().run;
  const at = openedAt;
  const reason = 'cancelled by ada';
  const run = foldOf(definition, openedOf(), [
    { type: 'step-scheduled', at, step: 'load', index: 0 },
    { type: 'attempt-started', at, step: 'load', index: 0, attempt: 1 },
    { type: 'cancel-requested', at, by: 'ada', reason: '' },
    { type: 'step-finished', at, step: 'tidy', index: null, state: 'cancelled', reason },
    { type: 'step-finished', at, step: 'tell', index: null, state: 'cancelled', reason },
  ]);
  assert.deepEqual(
    unfinishedAttempts(run).map(({ step }) => step),
    ['load'],
  );
  const key = { step: 'load', index: 0, attempt: 1 };
  const outcome = outcomes.failed('cancelled');
  const events = decide(run, { type: 'report-finished', at, key, outcome, usage: null, admit: () => true });
  assert.deepEqual(events.at(-1), { type: 'run-finished', at, state: 'cancelled', reason });
});

test('what succeeds while the run is being cancelled has succeeded', () => {
  const scenario = new Scenario(line);
  scenario.proceed(0);
  scenario.cancel(1);
  assert.deepEqual(scenario.finished(2, 'load', outcomes.succeeded()), ['load success', 'start tidy']);
});

test('what fails by itself while the run is being cancelled has failed and is not tried again', () => {
  const retry = { count: 5, delayMs: 0, factor: 1, delayMaxMs: 0 };
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'load', retry })]));
  scenario.proceed(0);
  scenario.cancel(1);
  assert.deepEqual(scenario.finished(2, 'load', outcomes.failed('code', 'no memory'))[0], 'load failed (no memory)');
});

test('a cancel before anything runs ends the run in one decision, and a second cancel changes nothing', () => {
  const scenario = new Scenario(line);
  assert.equal(scenario.cancel(0, 'ada', '').at(-1), 'run cancelled (cancelled by ada)');
  assert.deepEqual(scenario.cancel(1), []);
  assert.deepEqual(scenario.proceed(2), []);
});

test('a cancel ends planned retries and the instances of a mapped step that wait for a slot', () => {
  const retry = { count: 5, delayMs: 60_000, factor: 1, delayMaxMs: 60_000 };
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'train', map: mapOver([1, 2, 3]), retry })]), 2);
  scenario.proceed(0);
  scenario.finished(1, 'train', outcomes.failed());
  scenario.cancel(2);
  assert.deepEqual(statesOf(scenario.run), { train: ['cancelled', 'queued', 'queued'] });
  assert.equal(nextWakeAt(scenario.run), null);
  assert.equal(scenario.run.steps.get('train')?.instances?.[0]?.dueAt, null);
  scenario.finished(3, 'train[1]', outcomes.failed('cancelled'));
  assert.equal(
    scenario.finished(4, 'train[2]', outcomes.failed('cancelled')).at(-1),
    'run cancelled (cancelled by ada: wrong data)',
  );
  assert.deepEqual(statesOf(scenario.run), { train: ['cancelled', 'cancelled', 'cancelled'] });
});

test('a run over its time limit is stopped like a cancelled one and fails', () => {
  const scenario = new Scenario({ ...line, runTimeoutMs: 60_000 });
  scenario.proceed(0);
  assert.equal(nextWakeAt(scenario.run), openedAt + 60_000);
  assert.deepEqual(scenario.proceed(59), []);
  assert.deepEqual(scenario.proceed(60).slice(0, 2), [
    'run-timed-out',
    'train cancelled (the run was longer than its time limit)',
  ]);
  assert.equal(nextWakeAt(scenario.run), null);
  assert.deepEqual(
    attemptsToStop(scenario.run).map(({ step, cause }) => [step, cause]),
    [['load', 'timeout']],
  );
  assert.deepEqual(scenario.cancel(61), [], 'the first reason counts');
  assert.deepEqual(scenario.finished(62, 'load', outcomes.failed('timeout', 'stopped')), [
    'load cancelled (the run was longer than its time limit)',
    'start tidy',
  ]);
  assert.deepEqual(scenario.finished(63, 'tidy', outcomes.succeeded()), [
    'tidy success',
    'run failed (timeout: the run was stopped after its limit of 1 min 0 s)',
  ]);
});

test('the time limit counts from the turn of the run, the deadline from its opening', () => {
  const each = [
    stepOf({ name: 'first' }).work,
    works.wait({ intervalMs: 1000, timeoutMs: 600_000, softFail: false }),
    works.approval({ timeoutMs: 600_000 }),
  ];
  for (const work of each) {
    const definition = pipelineOf([stepOf({ name: 'first', work })], { runTimeoutMs: 60_000, deadlineMs: 10_000 });
    const scenario = new Scenario(definition);
    assert.equal(nextWakeAt(scenario.run), openedAt + 10_000);
    assert.deepEqual(scenario.do({ type: 'watch-deadline', at: openedAt + 100_000 }), ['deadline-missed']);
    assert.equal(nextWakeAt(scenario.run), null, 'while it waits, its time does not run');
    scenario.proceed(200);
    assert.equal(nextWakeAt(scenario.folded()), openedAt + 260_000, 'after a restart, too');
    assert.deepEqual(scenario.proceed(259), []);
    assert.equal(scenario.proceed(260)[0], 'run-timed-out');
  }
});

test('a run whose last report comes after the time limit has ended by itself', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'load' })], { runTimeoutMs: 60_000 }));
  scenario.proceed(0);
  assert.deepEqual(scenario.finished(61, 'load', outcomes.succeeded()), ['load success', 'run success']);
});

test('a missed deadline is told once, and the run goes on', () => {
  const scenario = new Scenario({ ...line, deadlineMs: 60_000 });
  scenario.proceed(0);
  assert.equal(nextWakeAt(scenario.run), openedAt + 60_000);
  assert.deepEqual(scenario.proceed(60), ['deadline-missed']);
  assert.deepEqual(scenario.proceed(61), []);
  assert.equal(nextWakeAt(scenario.run), null);
  assert.deepEqual(scenario.finished(62, 'load', outcomes.succeeded()), ['load success', 'start train']);
});

test('of a late run it is told before whatever ends it', () => {
  const cancelled = new Scenario({ ...line, deadlineMs: 60_000 });
  cancelled.proceed(0);
  assert.deepEqual(cancelled.cancel(61).slice(0, 2), ['deadline-missed', 'cancelled by ada']);
  assert.deepEqual(cancelled.cancel(62), []);
  const approval = stepOf({ name: 'release', work: works.approval({ timeoutMs: 600_000 }) });
  const decided = new Scenario(pipelineOf([approval], { deadlineMs: 60_000 }));
  decided.proceed(0);
  assert.deepEqual(decided.decide(61, 'release', 'approve'), [
    'deadline-missed',
    'ada: approve release',
    'release success',
    'run success',
  ]);
});

test('the next wake-up is the earliest of retry, time limit and deadline', () => {
  const retry = { count: 1, delayMs: 30_000, factor: 1, delayMaxMs: 30_000 };
  const scenario = new Scenario(
    pipelineOf([stepOf({ name: 'load', retry })], { runTimeoutMs: 90_000, deadlineMs: 60_000 }),
  );
  scenario.proceed(0);
  assert.equal(nextWakeAt(scenario.run), openedAt + 60_000);
  scenario.finished(10, 'load', outcomes.failed());
  assert.equal(nextWakeAt(scenario.run), openedAt + 40_000);
});

test('after a restart the attempts that were started and have not ended are known', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'a' }), stepOf({ name: 'b' }), stepOf({ name: 'c' })]));
  scenario.proceed(0);
  scenario.running(1, 'b');
  scenario.finished(2, 'a', outcomes.succeeded());
  assert.deepEqual(
    unfinishedAttempts(scenario.folded()).map(({ step, attempt }) => [step, attempt]),
    [
      ['b', 1],
      ['c', 1],
    ],
  );
});

test('finally-steps start when all others have ended, whatever the outcome, and make nobody skip', () => {
  const definition = pipelineOf([
    stepOf({ name: 'load' }),
    stepOf({ name: 'train', upstream: ['load'] }),
    stepOf({ name: 'tidy', finally: true }),
    stepOf({ name: 'notify', finally: true, upstream: ['train', 'tidy'] }),
  ]);
  const scenario = new Scenario(definition);
  assert.deepEqual(scenario.proceed(0), ['start load']);
  assert.deepEqual(scenario.finished(1, 'load', outcomes.failed()), [
    'load failed (it broke)',
    'train upstream_failed (all_success: load is failed)',
    'start tidy',
  ]);
  assert.deepEqual(scenario.finished(2, 'tidy', outcomes.failed('code', 'no disk')), [
    'tidy failed (no disk)',
    'start notify',
  ]);
  assert.deepEqual(scenario.finished(3, 'notify', outcomes.succeeded()), [
    'notify success',
    'run failed (load failed: it broke)',
  ]);
});

test('the rule of a finally-step is about all other steps, whatever it comes after', () => {
  const definition = pipelineOf([
    stepOf({ name: 'load' }),
    stepOf({ name: 'check', upstream: ['load'], work: works.gate() }),
    stepOf({ name: 'train', upstream: ['check'] }),
    stepOf({ name: 'alert', upstream: ['train'], finally: true, triggerRule: 'one_failed' }),
    stepOf({ name: 'praise', finally: true, triggerRule: 'none_failed' }),
    stepOf({ name: 'tidy', finally: true }),
  ]);
  const endOf = (isGood: boolean): readonly unknown[] => {
    const { run } = drive(definition, ({ step }) => (step === 'check' ? outcomes.pass(isGood) : outcomes.succeeded()));
    const states = ['alert', 'praise', 'tidy'].map((name) => run.steps.get(name)?.state);
    return [run.state, ...states, run.steps.get('alert')?.reason ?? run.steps.get('praise')?.reason];
  };
  assert.deepEqual(endOf(true), [
    'success',
    'skipped',
    'success',
    'success',
    'one_failed: of the other steps 3 success',
  ]);
  const why = 'none_failed: of the other steps 1 success, 1 failed, 1 skipped';
  assert.deepEqual(endOf(false), ['failed', 'success', 'skipped', 'success', why]);
});

test('a finally-step whose rule says no never makes the run fail', () => {
  const { run } = drive(
    pipelineOf([
      stepOf({ name: 'load' }),
      stepOf({ name: 'mend', upstream: ['load'], triggerRule: 'one_failed' }),
      stepOf({ name: 'praise', finally: true, triggerRule: 'none_failed' }),
    ]),
    ({ step }) => (step === 'load' ? outcomes.failed() : outcomes.succeeded()),
  );
  assert.deepEqual([run.state, run.steps.get('praise')?.state], ['success', 'skipped']);
});

test('a run whose only failure is a finally-step has failed', () => {
  const { run } = drive(
    pipelineOf([
      stepOf({ name: 'load' }),
      stepOf({ name: 'tidy', finally: true }),
      stepOf({ name: 'last', finally: true, upstream: ['tidy'] }),
    ]),
    ({ step }) => (step === 'tidy' ? outcomes.failed() : outcomes.succeeded()),
  );
  assert.equal(run.reason, 'tidy failed: it broke');
});

test('a failure that a later step made up for does not fail the run', () => {
  const { run } = drive(
    pipelineOf([stepOf({ name: 'load' }), stepOf({ name: 'mend', upstream: ['load'], triggerRule: 'one_failed' })]),
    ({ step }) => (step === 'load' ? outcomes.failed() : outcomes.succeeded()),
  );
  assert.deepEqual([run.state, run.reason], ['success', null]);
});

test('the reason of a failed run goes back to the step that failed first on the way', () => {
  const { run } = drive(
    pipelineOf([
      stepOf({ name: 'handled' }),
      stepOf({ name: 'mend', upstream: ['handled'], triggerRule: 'all_done' }),
      stepOf({ name: 'load' }),
      stepOf({ name: 'train', upstream: ['mend', 'load'] }),
      stepOf({ name: 'deploy', upstream: ['train'] }),
    ]),
    ({ step }) =>
      step === 'load' || step === 'handled' ? outcomes.failed('code', `${step} broke`) : outcomes.succeeded(),
  );
  assert.equal(run.reason, 'load failed: load broke');
});

test('a pipeline without steps succeeds at once', () => {
  assert.deepEqual(new Scenario(pipelineOf([])).proceed(0), ['run success']);
});
