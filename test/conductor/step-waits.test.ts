import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepWaits, type Surroundings } from '../../src/conductor/waits/step-waits.ts';
import type { StepDefinition } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { openedAt, outcomes } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const quiet: Surroundings = { whyWaiting: () => null, waiting: () => [] };

/** What each step waits for after `play`; without those that wait for nothing. */
function waitsOf(
  steps: readonly StepDefinition[],
  play: (scenario: Scenario) => void,
  around: Surroundings = quiet,
): Readonly<Record<string, string>> {
  const scenario = new Scenario(pipelineOf(steps));
  play(scenario);
  const { run } = scenario;
  return Object.fromEntries(
    [...run.steps.values()].flatMap((step) => {
      const text = stepWaits(run, step, null, around, openedAt);
      return text === null ? [] : [[step.definition.name, text]];
    }),
  );
}

test('a step waits for those upstream that have not ended, with its rule where that is not the default', () => {
  const steps = [
    stepOf({ name: 'a' }),
    stepOf({ name: 'b' }),
    stepOf({ name: 'both', upstream: ['a', 'b'] }),
    stepOf({ name: 'any', upstream: ['b', 'both'], triggerRule: 'all_done' }),
    stepOf({ name: 'tidy', finally: true }),
  ];
  const waits = waitsOf(steps, (run) => {
    run.proceed(0);
    run.finished(1, 'a', outcomes.succeeded());
  });
  assert.deepEqual(waits, {
    both: 'waits for b',
    any: 'waits for b, both (all_done)',
    tidy: 'waits until all other steps have ended',
  });
});

test('of many upstream steps the first few are named', () => {
  const upstream = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const steps = [...upstream.map((name) => stepOf({ name })), stepOf({ name: 'last', upstream })];
  assert.deepEqual(
    waitsOf(steps, (run) => run.proceed(0)),
    { last: 'waits for a, b, c, d, e and 2 more' },
  );
});

test('a step that its rule lets run waits for what it reads', () => {
  const read = { reference: { output: 'b', path: [] } };
  const steps = [
    stepOf({ name: 'a' }),
    stepOf({ name: 'b' }),
    stepOf({ name: 'c' }),
    stepOf({
      name: 'early',
      upstream: ['a', 'b', 'c'],
      triggerRule: 'one_success',
      work: { kind: 'function', file: 'p.ts', input: read },
    }),
  ];
  const waits = waitsOf(steps, (run) => {
    run.proceed(0);
    run.finished(1, 'a', outcomes.succeeded());
  });
  assert.deepEqual(waits, { early: 'waits for b' });
});

test('before its run has begun it waits for that', () => {
  assert.deepEqual(
    waitsOf([stepOf({ name: 'a' })], () => undefined),
    { a: 'waits for its run to begin' },
  );
});

test('what is ready waits for slots, or for other instances of its own', () => {
  const steps = [stepOf({ name: 'each', map: mapOver([1, 2, 3], { concurrency: 1 }) })];
  const scenario = new Scenario(pipelineOf(steps));
  scenario.proceed(0);
  const step = scenario.run.steps.get('each');
  assert.ok(step !== undefined);
  assert.equal(stepWaits(scenario.run, step, 0, quiet, openedAt), null);
  assert.equal(stepWaits(scenario.run, step, 1, quiet, openedAt), 'waits for other instances of each (concurrency 1)');
  const full = { ...quiet, whyWaiting: () => 'waits for a slot of pool gpu (1 of 1 taken)' };
  const blocked = new Scenario(pipelineOf([stepOf({ name: 'only' })]), 0);
  blocked.proceed(0);
  const only = blocked.run.steps.get('only');
  assert.ok(only !== undefined);
  assert.equal(stepWaits(blocked.run, only, null, full, openedAt), 'waits for a slot of pool gpu (1 of 1 taken)');
});

test('what is deferred waits for a decision, or for what lies outside', () => {
  const steps = [
    stepOf({
      name: 'release',
      work: { kind: 'approval', message: ['Release it?'], timeoutMs: 60_000, onReject: 'fail', softFail: false },
    }),
    stepOf({
      name: 'data',
      work: works.wait({ intervalMs: 1000, timeoutMs: 60_000, softFail: false }),
    }),
  ];
  const waits = waitsOf(steps, (run) => run.proceed(0));
  assert.equal(waits['release'], 'waits for a decision: Release it?');
  assert.match(waits['data'] ?? '', /^waits for .*data\.csv/);
});

test('in a run that ends or has ended nothing waits', () => {
  const steps = [stepOf({ name: 'a' }), stepOf({ name: 'b', upstream: ['a'] })];
  const waits = waitsOf(steps, (run) => {
    run.proceed(0);
    run.cancel(1);
  });
  assert.deepEqual(waits, {});
});
