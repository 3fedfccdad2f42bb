/** Cancels, reports, repeated reports, restarts and jumps of the clock in any order: the promises that hold all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { attemptsToStop, unfinishedAttempts } from '../../src/engine/engine.ts';
import type { AttemptKey, AttemptOutcome, LookOutcome, RunEvent } from '../../src/engine/event.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { openedAt, outcomes } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const retry = { count: 2, delayMs: 20_000, factor: 2, delayMaxMs: 60_000 };
const definition = pipelineOf(
  [
    stepOf({ name: 'until', work: works.until({ intervalMs: 30_000, timeoutMs: 90_000, softFail: true }), retry }),
    stepOf({ name: 'wait', work: works.wait({ intervalMs: 30_000, timeoutMs: 90_000, softFail: true }) }),
    stepOf({ name: 'load', retry }),
    stepOf({ name: 'gate', upstream: ['load'], work: works.gate(), retry }),
    stepOf({ name: 'each', upstream: ['gate'], map: mapOver([1, 2, 3], { concurrency: 2 }), retry }),
    stepOf({ name: 'ask', upstream: ['load'], work: works.approval({ timeoutMs: 90_000, softFail: true }), retry }),
    stepOf({ name: 'join', upstream: ['each', 'until', 'wait', 'ask'], triggerRule: 'none_failed' }),
    stepOf({ name: 'tidy', finally: true }),
  ],
  { runTimeoutMs: 400_000, deadlineMs: 100_000 },
);

const outcome: fc.Arbitrary<AttemptOutcome> = fc.constantFrom(
  outcomes.pass(true),
  outcomes.pass(true),
  outcomes.pass(false),
  outcomes.skipped(),
  ...(['code', 'lost', 'timeout', 'cancelled', 'invalid'] as const).map((cause) => outcomes.failed(cause)),
);
const notYet: LookOutcome = { kind: 'not-yet', reason: 'it is not there' };
const lookOutcomes: readonly LookOutcome[] = [
  notYet,
  notYet,
  { kind: 'seen', output: { inline: null } },
  { kind: 'impossible', reason: 'it is no path' },
];
const ofFunction: readonly LookOutcome[] = [
  ...lookOutcomes,
  ...(['code', 'code', 'lost', 'timeout', 'invalid'] as const).map(
    (cause) => ({ kind: 'failed', cause, message: 'it broke' }) as const,
  ),
];
const action = fc.record({
  what: fc.constantFrom(
    'finished',
    'finished',
    'finished',
    'repeated',
    'running',
    'proceed',
    'look',
    'look at function',
    'cancel',
    'cancel finally',
    'decide',
  ),
  seconds: fc.constantFrom(0, 1, 5, 25, 100),
  which: fc.nat(),
  outcome,
});

test('whatever comes in whatever order: no bug is thrown, the first end counts, nothing but finally-steps starts in a stopped run, and every run ends', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 4 }), (actions, slots) => {
      const scenario = new Scenario(definition, slots);
      scenario.proceed(0);
      let second = 0;
      for (const { what, seconds, which, outcome } of actions) {
        second += seconds;
        const attempts = what === 'repeated' ? ended(scenario.events) : unfinishedAttempts(scenario.run);
        const key = attempts[which % Math.max(attempts.length, 1)];
        if (what === 'proceed') scenario.proceed(second);
        else if (what === 'cancel' && which % 4 === 0) scenario.cancel(second);
        else if (what === 'cancel finally' && which % 4 === 0) scenario.cancelFinally(second);
        else if (what === 'look') scenario.look(second, 'wait', lookOutcomes[which % lookOutcomes.length] ?? notYet);
        else if (what === 'look at function')
          scenario.look(second, 'until', ofFunction[which % ofFunction.length] ?? notYet);
        else if (what === 'decide') scenario.decide(second, 'ask', which % 3 === 0 ? 'reject' : 'approve');
        else if (key !== undefined && what === 'running') scenario.running(second, nameOf(key));
        else if (key !== undefined && !what.startsWith('cancel')) scenario.finished(second, nameOf(key), outcome);
        const folded = scenario.folded();
        assert.deepEqual(attemptsToStop(folded), attemptsToStop(scenario.run));
        assert.equal(folded.state, scenario.run.state);
      }
      scenario.cancel(second);
      scenario.cancelFinally(second);
      for (const key of unfinishedAttempts(scenario.run))
        scenario.finished(second, nameOf(key), outcomes.failed('cancelled'));
      checkEvents(scenario.events);
      assert.notEqual(scenario.run.finishedAt, null);
    }),
    { seed: 20_260_106, numRuns: 1500 },
  );
});

function checkEvents(events: readonly RunEvent[]): void {
  const final = new Set<string>();
  let stopped = false;
  let isFinallyStopped = false;
  for (const event of events) {
    if (event.type === 'attempt-started' && stopped)
      assert.ok(event.step === 'tidy' && !isFinallyStopped, 'nothing else starts in a run that is being stopped');
    if (event.type === 'finally-cancel-requested' || event.type === 'finally-timed-out') {
      assert.ok(stopped && !isFinallyStopped, 'finally-steps are stopped once, and after all others');
      isFinallyStopped = true;
    }
    if (event.type === 'cancel-requested' || event.type === 'run-timed-out') {
      assert.ok(!stopped, 'a run is stopped once');
      stopped = true;
    }
    if (!('index' in event) || event.type === 'late-report-ignored') continue;
    const instance = `${event.step}[${event.index ?? 0}]`;
    assert.ok(!final.has(instance), `${event.type} after ${instance} has ended`);
    if (event.type === 'step-finished') final.add(instance);
  }
  for (const once of ['run-finished', 'deadline-missed', 'approval-requested', 'approval-decided']) {
    assert.ok(events.filter((event) => event.type === once).length <= 1, `${once} more than once`);
  }
  assert.ok(events.every((event) => event.at >= openedAt));
}

function ended(events: readonly RunEvent[]): AttemptKey[] {
  return events.filter((event) => event.type === 'attempt-finished');
}

function nameOf(key: AttemptKey): string {
  return `${key.step}[${key.index}]#${key.attempt}`;
}
