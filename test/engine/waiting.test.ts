/** Steps that wait without an attempt: a look that sees nothing is no event. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evolve, looksAwaited, nextWakeAt } from '../../src/engine/engine.ts';
import type { FailureCause, LookOutcome, RunEvent } from '../../src/engine/event.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { openedAt } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const seen: LookOutcome = { kind: 'seen', output: { inline: { bytes: 2 } } };
const notYet: LookOutcome = { kind: 'not-yet', reason: 'there is no data.csv yet' };
const broken = (cause: FailureCause): LookOutcome => ({ kind: 'failed', cause, message: 'it broke' });
const never: LookOutcome = { kind: 'impossible', reason: 'it is no path' };

/** It waits for two and a half minutes. */
function waiting(
  given: Partial<StepDefinition> & { readonly softFail?: boolean } = {},
  more: Partial<PipelineDefinition> = {},
): Scenario {
  const { softFail = false, ...step } = given;
  const work = works.wait({ intervalMs: 60_000, timeoutMs: 150_000, softFail });
  const then = stepOf({ name: 'train', upstream: ['data'] });
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'data', work, ...step }), then], more), 0);
  scenario.proceed(0);
  return scenario;
}

test('it begins to wait without a slot, and what it waits for being there ends it and starts what comes after', () => {
  const scenario = waiting();
  assert.equal(scenario.run.steps.get('data')?.state, 'deferred');
  assert.deepEqual(
    looksAwaited(scenario.run).map(({ since, until }) => [since - openedAt, until - openedAt]),
    [[0, 150_000]],
  );
  assert.deepEqual(scenario.look(60, 'data', seen), ['data is there', 'data success']);
  assert.deepEqual(scenario.run.steps.get('data')?.instances?.[0]?.output, { inline: { bytes: 2 } });
  scenario.proceed(60);
  assert.equal(scenario.run.steps.get('train')?.state, 'scheduled');
  assert.deepEqual(looksAwaited(scenario.run), []);
});

test('a day of looks that see nothing is no event, and nothing wakes the run for them', () => {
  const work = works.wait({ intervalMs: 1000, timeoutMs: 86_400_000, softFail: false });
  const scenario = waiting({ work });
  const before = scenario.events.length;
  for (let second = 1; second < 86_400; second += 1) scenario.look(second, 'data', notYet);
  assert.equal(scenario.events.length, before);
  assert.equal(nextWakeAt(scenario.run), null);
});

test('out of time it fails with what the last look saw, or is skipped', () => {
  assert.deepEqual(waiting().look(149, 'data', notYet), []);
  const reason = 'timeout: waited 2 min 30 s, and still there is no data.csv yet';
  assert.equal(waiting().look(150, 'data', notYet)[0], `data failed (${reason})`);
  assert.equal(waiting({ softFail: true }).look(150, 'data', notYet)[0], `data skipped (${reason})`);
  assert.equal(waiting().look(200, 'data', seen)[0], 'data is there', 'what is there at the last look is there');
});

test('what has ended otherwise than it is waited for ends the wait at once', () => {
  const outcome: LookOutcome = { kind: 'ended-otherwise', reason: 'churn#1 is failed' };
  assert.equal(waiting().look(1, 'data', outcome)[0], 'data failed (churn#1 is failed)');
  assert.equal(waiting({ softFail: true }).look(1, 'data', outcome)[0], 'data skipped (churn#1 is failed)');
});

test('what never can be there fails at once, without a retry', () => {
  const retry = { count: 3, delayMs: 1000, factor: 1, delayMaxMs: 1000 };
  assert.equal(waiting({ retry }).look(1, 'data', never)[0], 'data failed (it is no path)');
});

test('a function that fails is looked at again by the retries of its step, in the time that it had from the first', () => {
  const retry = { count: 1, delayMs: 60_000, factor: 1, delayMaxMs: 60_000 };
  const work = works.until({ intervalMs: 60_000, timeoutMs: 150_000, softFail: false });
  const scenario = waiting({ retry, work });
  assert.deepEqual(scenario.look(10, 'data', broken('code')), ['data look failed (code)', 'data up_for_retry at 70']);
  assert.equal(scenario.run.steps.get('data')?.state, 'up_for_retry');
  assert.deepEqual(looksAwaited(scenario.run), []);
  assert.deepEqual(scenario.look(11, 'data', seen), [], 'it waits for nothing meanwhile');
  assert.deepEqual(scenario.proceed(70), ['data waits until 150']);
  assert.match(
    String(scenario.look(100, 'data', broken('lost'))),
    /^data look failed \(lost\),data up_for_retry at 10[45]/,
  );
  scenario.proceed(105);
  assert.deepEqual(scenario.look(106, 'data', broken('code')).slice(0, 2), [
    'data look failed (code)',
    'data failed (it broke)',
  ]);
});

test('a retry waits no longer than the wait has time, and a last look that fails ends it', () => {
  const retry = { count: 9, delayMs: 60_000, factor: 1, delayMaxMs: 60_000 };
  const until = (softFail: boolean): Scenario =>
    waiting({ retry, work: works.until({ intervalMs: 60_000, timeoutMs: 150_000, softFail }) });
  const scenario = until(false);
  assert.equal(scenario.look(140, 'data', broken('code'))[1], 'data up_for_retry at 150');
  assert.deepEqual(scenario.proceed(150), ['data waits until 150']);
  const reason = 'timeout: waited 2 min 30 s, and the last look failed: it broke';
  assert.equal(scenario.look(151, 'data', broken('timeout'))[1], `data failed (${reason})`);
  assert.equal(until(true).look(150, 'data', broken('code'))[1], `data skipped (${reason})`);
});

test('what another look cannot change fails at once, at the end of its time too', () => {
  const retry = { count: 9, delayMs: 60_000, factor: 1, delayMaxMs: 60_000 };
  const until = works.until({ intervalMs: 60_000, timeoutMs: 150_000, softFail: true });
  for (const second of [1, 150])
    assert.equal(waiting({ retry, work: until }).look(second, 'data', broken('invalid'))[1], 'data failed (it broke)');
});

test('instances wait each by itself, all at once', () => {
  const scenario = waiting({ map: mapOver([1, 2, 3], { concurrency: 1 }) });
  assert.equal(looksAwaited(scenario.run).length, 3);
  scenario.look(1, 'data[1]', seen);
  scenario.look(2, 'data', seen);
  assert.equal(scenario.run.steps.get('data')?.state, 'deferred');
  scenario.look(3, 'data[2]', seen);
  assert.equal(scenario.run.steps.get('data')?.state, 'success');
});

test('a look that comes twice, late, or of what waits for nothing changes nothing', () => {
  const scenario = waiting();
  scenario.look(1, 'data', seen);
  for (const outcome of [seen, notYet, never]) {
    assert.deepEqual(scenario.look(500, 'data', outcome), []);
    assert.deepEqual(scenario.look(500, 'train', outcome), []);
    assert.deepEqual(scenario.look(500, 'data[7]', outcome), []);
  }
  assert.throws(() => scenario.look(500, 'nobody', seen), /has no step nobody/);
});

test('a cancel, and the time limit of the run, end the waiting', () => {
  const cancelled = waiting();
  assert.ok(cancelled.cancel(5).includes('data cancelled (cancelled by ada: wrong data)'));
  assert.deepEqual(cancelled.look(6, 'data', seen), []);
  const timedOut = waiting({}, { runTimeoutMs: 30_000 });
  timedOut.proceed(30);
  assert.equal(timedOut.run.state, 'failed');
});

test('a run that waits is the same as its journal gives it back', () => {
  const scenario = waiting();
  const folded = scenario.folded();
  assert.deepEqual(
    looksAwaited(folded).map(({ until }) => until),
    looksAwaited(scenario.run).map(({ until }) => until),
  );
  assert.equal(folded.steps.get('data')?.state, 'deferred');
});

test('it begins to wait once, and is seen only while it waits', () => {
  const at = { at: openedAt, step: 'data', index: 0 };
  const begun: RunEvent = { type: 'wait-begun', ...at, dueAt: openedAt };
  const there: RunEvent = { type: 'wait-seen', ...at, output: { inline: null } };
  assert.throws(() => evolve(waiting().run, begun), /impossible event, it is deferred/);
  const ended = waiting();
  ended.look(1, 'data', seen);
  assert.throws(() => evolve(ended.run, there), /impossible event/);
  assert.throws(() => evolve(waiting().run, { ...there, step: 'train' }), /impossible event, it waits for nothing/);
});
