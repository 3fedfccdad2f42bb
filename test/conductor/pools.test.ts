/** Who gets the next slot, among runs that a server carries out together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';

function named(name: string, steps: readonly StepDefinition[]): PipelineDefinition {
  return pipelineOf(steps, { name });
}

function hasStarted(run: KeptRun): boolean {
  return run.events.some(({ type }) => type === 'attempt-started');
}

function startsIn(run: KeptRun): number {
  return run.events.filter(({ type }) => type === 'attempt-started').length;
}

test('a pipeline with no end of work keeps 99 idle ones waiting for no more than their turn', async () => {
  const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  const idle = letters.flatMap((one) => letters.map((other) => `idle${one}${other}`)).slice(1);
  const saturated = named('saturated', [stepOf({ name: 'each', map: mapOver([...Array(1000).keys()]) })]);
  const stage = await Stage.open({
    pipelines: [saturated, ...idle.map((name) => named(name, [stepOf({ name: 'only' })]))],
    slots: 4,
  });
  const { world } = stage;
  world.attemptMs = 100;
  stage.ask('saturated');
  await stage.until('the slots are taken', () => [...world.history.runs.values()].some(hasStarted));
  for (const name of idle) stage.ask(name);
  const all = (): KeptRun[] => [...world.history.runs.values()];
  await stage.until('each idle one has begun', () => all().length === 100 && all().every(hasStarted));
  // Of its thousand instances, those that were given a slot in turn with the others.
  assert.ok(startsIn(stage.run('saturated')) < 200, String(startsIn(stage.run('saturated'))));
});

test('a step of a pool that is full waits, and other steps of the run and of others go on', async () => {
  const gpu = { name: 'gpu', slots: 1 };
  const both = named('both', [
    stepOf({ name: 'first', pool: gpu }),
    stepOf({ name: 'second', pool: gpu }),
    stepOf({ name: 'plain' }),
  ]);
  const stage = await Stage.open({ pipelines: [both], slots: 8, pools: new Map([['gpu', 1]]) });
  stage.world.attemptMs = 5000;
  stage.ask('both');
  await stage.until('what can start has', () => stage.world.server?.executor.running().length === 2);
  const running = stage.world.server?.executor.running().map((id) => id.split('/')[1]);
  assert.deepEqual(running?.toSorted(), ['first', 'plain']);
  await stage.rest();
  assert.equal(stage.run('both').state, 'success');
});

test('a pool that is not declared fails its step at once, though all slots are taken', async () => {
  const stage = await Stage.open({
    pipelines: [
      named('long', [stepOf({ name: 'only' })]),
      named('lost', [stepOf({ name: 'train', pool: { name: 'gpus', slots: 1 } })]),
      named('large', [stepOf({ name: 'train', pool: { name: 'gpu', slots: 3 } })]),
    ],
    slots: 1,
    pools: new Map([['gpu', 2]]),
  });
  stage.world.attemptMs = 3_000_000;
  stage.ask('long');
  await stage.until('the slot is taken', () => stage.world.server?.executor.running().length === 1);
  const reasons: unknown[] = [];
  for (const name of ['lost', 'large']) {
    stage.ask(name);
    const runs = (): KeptRun[] => [...stage.world.history.runs.values()];
    await stage.until('it failed', () => runs().some((run) => run.opened.pipeline === name && run.state === 'failed'));
    const ended = stage.run(name).events.find((event) => event.type === 'attempt-finished');
    reasons.push(ended?.outcome.kind === 'failed' ? [ended.outcome.cause, ended.outcome.message] : null);
  }
  assert.deepEqual(reasons, [
    ['invalid', 'there is no pool "gpus"; contender.yaml declares the pools gpu'],
    ['invalid', 'an attempt takes 3 slots of the pool "gpu", which has 2'],
  ]);
});

test('a server that dies finds the slots of its pools taken by what still runs', async () => {
  const gpu = { name: 'gpu', slots: 1 };
  const stage = await Stage.open({
    pipelines: ['one', 'two'].map((name) => named(name, [stepOf({ name: 'train', pool: gpu, timeoutMs: 600_000 })])),
    slots: 8,
    pools: new Map([['gpu', 1]]),
  });
  const { world } = stage;
  world.attemptMs = 60_000;
  stage.ask('one');
  await stage.until('it runs', () => world.server?.executor.running().length === 1);
  stage.ask('two');
  await stage.until('both are open', () => world.history.runs.size === 2);
  world.crash(1000);
  await stage.rest();
  assert.deepEqual([stage.run('one').state, stage.run('two').state], ['success', 'success']);
});
