import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, open, type Admit } from '../../src/engine/engine.ts';
import type { AttemptKey, RunEvent } from '../../src/engine/event.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { drive, openedAt, openedOf, outcomes } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

test('slots are given in the order of the definition, and the first refusal ends the asking of a pool', () => {
  const run = open(pipelineOf(['a', 'b', 'c', 'd'].map((name) => stepOf({ name }))), openedOf());
  const asked: string[] = [];
  const admit: Admit = ({ name }) => asked.push(name) < 3;
  const events = decide(run, { type: 'proceed', at: openedAt, admit });
  assert.deepEqual(asked, ['a', 'b', 'c']);
  assert.equal(events.filter((event) => event.type === 'attempt-started').length, 2);
});

test('a pool that is full keeps no other step waiting', () => {
  const gpu = { name: 'gpu', slots: 1 };
  const steps = [
    stepOf({ name: 'a', pool: gpu }),
    stepOf({ name: 'b', pool: gpu }),
    stepOf({ name: 'c' }),
    stepOf({ name: 'd', pool: { name: 'database', slots: 1 } }),
  ];
  const asked: string[] = [];
  const admit: Admit = ({ name, pool }) => asked.push(name) > 0 && pool?.name !== 'gpu';
  const events = decide(open(pipelineOf(steps), openedOf()), { type: 'proceed', at: openedAt, admit });
  assert.deepEqual(asked, ['a', 'c', 'd']);
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'attempt-started' ? [event.step] : [])),
    ['c', 'd'],
  );
});

test('the highest priority asks first, whichever pool it is of, and of equal ones the first of the definition', () => {
  const gpu = { name: 'gpu', slots: 1 };
  const steps = [
    stepOf({ name: 'low', priority: -1 }),
    stepOf({ name: 'a' }),
    stepOf({ name: 'high', priority: 10 }),
    stepOf({ name: 'b', pool: gpu }),
    stepOf({ name: 'first', priority: 20, pool: gpu }),
  ];
  const asked: string[] = [];
  const admit: Admit = ({ name }) => asked.push(name) > 0;
  decide(open(pipelineOf(steps), openedOf()), { type: 'proceed', at: openedAt, admit });
  assert.deepEqual(asked, ['first', 'high', 'a', 'b', 'low']);
});

test('what was refused asks again at the next chance, before what became ready later', () => {
  const scenario = new Scenario(
    pipelineOf([stepOf({ name: 'a' }), stepOf({ name: 'b' }), stepOf({ name: 'c', upstream: ['a'] })]),
    1,
  );
  assert.deepEqual(scenario.proceed(0), ['start a']);
  assert.deepEqual(scenario.finished(1, 'a', outcomes.succeeded()), ['a success', 'start b']);
  assert.deepEqual(scenario.proceed(2), []);
});

test('to proceed twice starts nothing twice', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'a' })]));
  assert.deepEqual(scenario.proceed(0), ['start a']);
  assert.deepEqual(scenario.proceed(0), []);
});

test('a mapped step runs no more instances at once than its concurrency, retries included', () => {
  const retry = { count: 1, delayMs: 0, factor: 1, delayMaxMs: 0 };
  const running = new Set<string>();
  let most = 0;
  const { run } = drive(
    pipelineOf([stepOf({ name: 'train', map: mapOver([...Array(20).keys()], { concurrency: 3 }), retry })]),
    ({ attempt }) => (attempt === 1 ? outcomes.failed() : outcomes.succeeded()),
    {
      after: (_, events) => {
        for (const event of events) count(running, event);
        most = Math.max(most, running.size);
      },
    },
  );
  assert.equal(run.state, 'success');
  assert.equal(most, 3);
});

function count(running: Set<string>, event: RunEvent): void {
  if (event.type === 'attempt-started') running.add(instanceOf(event));
  if (event.type === 'attempt-finished') running.delete(instanceOf(event));
}

function instanceOf(key: AttemptKey): string {
  return `${key.step}[${key.index}]`;
}

test('a mapped step at its concurrency does not keep others from their slots', () => {
  const scenario = new Scenario(
    pipelineOf([stepOf({ name: 'train', map: mapOver([1, 2], { concurrency: 1 }) }), stepOf({ name: 'other' })]),
  );
  assert.deepEqual(scenario.proceed(0), ['train has 2 instances', 'start train', 'start other']);
  assert.deepEqual(scenario.finished(1, 'train', outcomes.succeeded()), ['train success', 'start train[1]']);
});

/** How often a step is looked at, and how often all steps are gone through. */
function looksOf(definition: PipelineDefinition, slots: number): { looks: number; sweeps: number; edges: number } {
  let [looks, sweeps] = [0, 0];
  let counting = false;
  drive(definition, () => outcomes.pass(true), {
    slots,
    after: (run) => {
      if (counting) return;
      counting = true;
      const [add, values] = [run.changed.add.bind(run.changed), run.steps.values.bind(run.steps)];
      run.changed.add = (step): void => {
        looks += 1;
        add(step);
      };
      run.steps.values = (): ReturnType<typeof values> => {
        sweeps += 1;
        return values();
      };
    },
  });
  return { looks, sweeps, edges: definition.steps.reduce((total, step) => total + step.upstream.length, 0) };
}

const size = 10_000;
const names = (count: number): string[] => Array.from({ length: count }, (_, place) => `s${place}`);
const large: { readonly [shape: string]: PipelineDefinition } = {
  'a chain of ten thousand gates': pipelineOf(
    names(size).map((name, place) =>
      stepOf({ name, upstream: place === 0 ? [] : [`s${place - 1}`], work: works.gate() }),
    ),
  ),
  'ten thousand steps side by side': pipelineOf([
    stepOf({ name: 'first' }),
    ...names(size).map((name) => stepOf({ name, upstream: ['first'] })),
    stepOf({ name: 'last', upstream: names(size) }),
  ]),
  'a step mapped ten thousand times': pipelineOf([
    stepOf({ name: 'first', map: mapOver(names(size), { lengthMax: size }) }),
    stepOf({ name: 'last', upstream: ['first'] }),
  ]),
};

for (const [shape, definition] of Object.entries(large)) {
  test(`${shape}: steps are looked at a few times for each edge, and all are gone through at the end alone`, () => {
    const { looks, sweeps, edges } = looksOf(definition, 4);
    assert.ok(looks <= 3 * edges + 3, `${looks} looks at ${edges} edges`);
    assert.ok(sweeps <= 2, `${sweeps} sweeps`);
  });
}
