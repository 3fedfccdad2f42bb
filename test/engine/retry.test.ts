import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backOffMs } from '../../src/engine/back-off.ts';
import { nextWakeAt } from '../../src/engine/engine.ts';
import type { FailureCause } from '../../src/engine/event.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { drive, openedAt, outcomes, statesOf } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const minute = { count: 2, delayMs: 60_000, factor: 1, delayMaxMs: 3_600_000 };
const train = (retry = minute): ReturnType<typeof pipelineOf> => pipelineOf([stepOf({ name: 'train', retry })]);

test('a failure of the code is tried again after its delay, until the retries are used up', () => {
  const scenario = new Scenario(train());
  assert.deepEqual(scenario.proceed(0), ['start train']);
  assert.deepEqual(scenario.finished(10, 'train', outcomes.failed()), ['train up_for_retry at 70']);
  assert.equal(nextWakeAt(scenario.run), openedAt + 70_000);
  assert.deepEqual(scenario.proceed(69), []);
  assert.deepEqual(scenario.proceed(70), ['start train#2']);
  assert.equal(nextWakeAt(scenario.run), null);
  assert.deepEqual(scenario.finished(80, 'train#2', outcomes.failed('timeout')), ['train up_for_retry at 140']);
  assert.deepEqual(scenario.proceed(200), ['start train#3']);
  assert.deepEqual(scenario.finished(210, 'train#3', outcomes.failed('out-of-memory', 'killed at 32 GB')), [
    'train failed (killed at 32 GB)',
    'run failed (train failed: killed at 32 GB)',
  ]);
});

test('a retry that succeeds makes the step succeed', () => {
  const { run } = drive(train(), ({ attempt }) => (attempt === 3 ? outcomes.succeeded(7) : outcomes.failed()));
  assert.deepEqual(statesOf(run), { train: 'success' });
  assert.deepEqual(run.steps.get('train')?.instances?.[0]?.output, { inline: 7 });
});

const attemptsOf = (cause: FailureCause): number => {
  const { run } = drive(train(), () => outcomes.failed(cause));
  return run.steps.get('train')?.instances?.[0]?.attempts.length ?? 0;
};

for (const [causes, attempts] of [
  [['code', 'timeout', 'out-of-memory', 'output'], 3],
  [['lost', 'evicted', 'start', 'registry'], 4],
  [['invalid', 'non-retryable', 'cancelled'], 1],
] as const) {
  for (const cause of causes) {
    test(`a step with two retries that always fails by ${cause} is tried ${attempts} times`, () => {
      assert.equal(attemptsOf(cause), attempts);
    });
  }
}

test('lost attempts use none of the retries of the code', () => {
  const causes = ['lost', 'code', 'evicted', 'code', 'start', 'lost'] as const;
  const { run } = drive(train(), ({ attempt }) => outcomes.failed(causes[attempt - 1] ?? 'code'));
  assert.equal(run.steps.get('train')?.instances?.[0]?.attempts.length, 6);
});

test('a server that is stopped takes no try from anybody, but a step that stops its own server comes to an end', () => {
  const causes = [...Array<FailureCause>(20).fill('shutdown'), 'lost', 'shutdown', 'lost', 'lost', 'code'] as const;
  const { run, events } = drive(train(), ({ attempt }) => {
    const cause = causes[attempt - 1];
    return cause === undefined ? outcomes.succeeded() : outcomes.failed(cause);
  });
  assert.deepEqual(statesOf(run), { train: 'success' });
  const [end, retry] = [
    events.find(({ type }) => type === 'attempt-finished'),
    events.find(({ type }) => type === 'retry-planned'),
  ];
  assert.ok(retry?.type === 'retry-planned' && retry.dueAt - (end?.at ?? 0) === 5000);
  assert.equal(attemptsOf('shutdown'), 101);
});

test('with factor 1 every wait is exactly the delay', () => {
  for (const number of [1, 2, 9]) assert.equal(backOffMs(minute, number, 'any'), 60_000);
});

test('a back-off grows by its factor up to its cap, with at most a quarter off and never more', () => {
  const retry = { count: 9, delayMs: 1000, factor: 2, delayMaxMs: 10_000 };
  for (const [number, full] of [
    [1, 1000],
    [2, 2000],
    [4, 8000],
    [5, 10_000],
    [2000, 10_000],
  ] as const) {
    const waits = Array.from({ length: 200 }, (_, seed) => backOffMs(retry, number, `run-${seed}/train/0/1`));
    assert.ok(Math.max(...waits) <= full && Math.min(...waits) >= full * 0.75, String(number));
    assert.ok(new Set(waits).size > 100, 'steps that fail together come back apart');
    assert.deepEqual(
      waits,
      Array.from({ length: 200 }, (_, seed) => backOffMs(retry, number, `run-${seed}/train/0/1`)),
    );
  }
});

test('no delay is no delay, whatever the factor', () => {
  assert.equal(backOffMs({ count: 9, delayMs: 0, factor: 10, delayMaxMs: 1000 }, 400, 'any'), 0);
});
