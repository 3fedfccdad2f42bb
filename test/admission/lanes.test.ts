import assert from 'node:assert/strict';
import { Session } from 'node:inspector';
import { test } from 'node:test';
import { evolve, open } from '../../src/engine/engine.ts';
import type { Run } from '../../src/engine/run.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { openedOf } from '../support/drive.ts';

/** Counts how often each piece of code is executed that is loaded from here on. */
const counter = new Session();
counter.connect();
counter.post('Profiler.enable');
counter.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const { Lanes } = await import('../../src/admission/lanes.ts');

const definition = pipelineOf([stepOf({ name: 'only' })], { maxActiveRuns: 1 });

function runOf(runId: string, maxActiveRuns = 1): Run {
  return open({ ...definition, maxActiveRuns }, openedOf({ runId }));
}

test('the oldest run goes on, and the next one when it has left', () => {
  const lanes = new Lanes();
  const [first, second, third] = [runOf('a'), runOf('b'), runOf('c')];
  for (const run of [first, second, third]) lanes.enter(run);
  assert.deepEqual(
    [first, second, third].map((run) => lanes.mayProceed(run)),
    [true, false, false],
  );
  assert.deepEqual(lanes.leave(first), ['b']);
  assert.deepEqual(
    [second, third].map((run) => lanes.mayProceed(run)),
    [true, false],
  );
});

test('a run that has begun is not overtaken by one that is older and turns up later', () => {
  const lanes = new Lanes();
  const [older, younger] = [runOf('a'), runOf('b')];
  lanes.enter(younger);
  assert.equal(lanes.mayProceed(younger), true);
  lanes.enter(older);
  assert.deepEqual([lanes.mayProceed(older), lanes.mayProceed(younger)], [false, true]);
  assert.deepEqual(lanes.active('models', 'example'), ['a', 'b']);
  assert.deepEqual(lanes.leave(younger), ['a']);
  assert.equal(lanes.mayProceed(older), true);
});

test('after a restart the run that had begun goes on, whatever its place', () => {
  const lanes = new Lanes();
  const [older, younger] = [runOf('a'), runOf('b')];
  younger.begunAt = 3;
  lanes.enter(older);
  lanes.enter(younger);
  assert.deepEqual([lanes.mayProceed(older), lanes.mayProceed(younger)], [false, true]);
});

test('a run that was late while it waited has not begun', () => {
  const lanes = new Lanes();
  const [older, younger] = [runOf('a'), runOf('b')];
  older.begunAt = 4;
  evolve(younger, { type: 'deadline-missed', at: 1 });
  lanes.enter(older);
  lanes.enter(younger);
  assert.deepEqual([lanes.mayProceed(older), lanes.mayProceed(younger)], [true, false]);
});

test('where a newer version lets more runs go on, the end of an older one wakes those that there is room for now', () => {
  const lanes = new Lanes();
  const older = runOf('a', 1);
  const newer = ['b', 'c', 'd', 'e'].map((runId) => runOf(runId, 3));
  for (const run of [older, ...newer]) lanes.enter(run);
  assert.deepEqual(
    [older, ...newer].map((run) => lanes.mayProceed(run)),
    [true, true, true, false, false],
  );
  assert.deepEqual(lanes.leave(older), ['d']);
  assert.deepEqual(
    newer.map((run) => lanes.mayProceed(run)),
    [true, true, true, false],
  );
});

test('a run that is being cancelled waits for nobody', () => {
  const lanes = new Lanes();
  const [first, second] = [runOf('a'), runOf('b')];
  lanes.enter(first);
  lanes.enter(second);
  second.state = 'cancelling';
  assert.equal(lanes.mayProceed(second), true);
});

test('runs that wait for their turn are not gone through at each turn of one of them', () => {
  const runs = Array.from({ length: 1000 }, (_, index) => runOf(String(index).padStart(4, '0'), 1 + (index % 2)));
  const lanes = new Lanes();
  const executed = blocksExecuted(() => {
    for (const run of runs) lanes.enter(run);
    for (const run of runs) lanes.mayProceed(run);
    for (const run of runs) {
      lanes.leave(run);
      lanes.mayProceed(run);
    }
  });
  assert.ok(executed < 200 * runs.length, `${executed} pieces of code for ${runs.length} runs`);
});

/** How often meanwhile a function of the lanes, or a block in one, was executed. */
function blocksExecuted(work: () => void): number {
  counter.post('Profiler.takePreciseCoverage');
  work();
  let executed = 0;
  counter.post('Profiler.takePreciseCoverage', (error, taken) => {
    assert.ifError(error);
    for (const { url, functions } of taken.result)
      if (url.endsWith('/src/admission/lanes.ts'))
        for (const { ranges } of functions) for (const { count } of ranges) executed += count;
  });
  assert.ok(executed > 0, 'nothing was counted');
  return executed;
}
