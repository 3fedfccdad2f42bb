import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import { bindValue } from '../../src/engine/engine.ts';
import type { Binding, StepDefinition } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { drive, outcomes, statesOf } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const artifact = { $artifact: 'f'.repeat(64), name: 'output.json', bytes: 100_000 };
const stored = outcomes.stored({ stored: artifact, lengths: { '': 2, rows: 3 } });

const over = (binding: Binding, lengthMax = 1024): StepDefinition['map'] => ({
  axes: [{ name: 'item', over: binding }],
  concurrency: null,
  lengthMax,
});

const outputOf = (...path: string[]): Binding => ({ reference: { output: 'list', path } });

/** A step that gives `output`, and one mapped over what `binding` makes of it. */
function mapped(output: AttemptOutcome, binding: Binding, lengthMax?: number): ReturnType<typeof drive>['run'] {
  const steps = [stepOf({ name: 'list' }), stepOf({ name: 'each', upstream: ['list'], map: over(binding, lengthMax) })];
  const common = { description: null, choices: null };
  const parameters = {
    rows: { type: 'number', default: 7, ...common },
    regions: { type: 'list', items: 'string', default: ['eu', 'us'], ...common },
  } as const;
  const definition = pipelineOf(steps, { parameters });
  return drive(definition, ({ step }) => (step === 'list' ? output : outcomes.succeeded())).run;
}

for (const [what, output, binding, length] of [
  ['a literal list', outcomes.succeeded(), { literal: ['a', 'b', 'c'] }, 3],
  ['a literal record', outcomes.succeeded(), { literal: { a: 1, b: 2 } }, 2],
  ['a list of bindings', outcomes.succeeded(1), { list: [outputOf(), { literal: 2 }] }, 2],
  ['a record of bindings', outcomes.succeeded(1), { record: { x: outputOf() } }, 1],
  ['the output of a step', outcomes.succeeded([1, 2, 3, 4]), outputOf(), 4],
  ['a place in the output of a step', outcomes.succeeded({ files: { a: [1, 2] } }), outputOf('files', 'a'), 2],
  ['a stored output', stored, outputOf(), 2],
  ['a place in a stored output', stored, outputOf('rows'), 3],
] as const) {
  test(`mapped over ${what}: an instance for each element`, () => {
    assert.equal(mapped(output, binding).steps.get('each')?.instances?.length, length);
  });
}

for (const [what, output, binding, reason] of [
  [
    'a number',
    outcomes.succeeded({ rows: 7 }),
    outputOf('rows'),
    'cannot map "item": "rows" of the output of step "list" is the number 7, not a list or a record',
  ],
  [
    'text',
    outcomes.succeeded('abc'),
    outputOf(),
    'cannot map "item": the output of step "list" is text, not a list or a record',
  ],
  [
    'an artifact',
    outcomes.succeeded({ model: artifact }),
    outputOf('model'),
    'cannot map "item": "model" of the output of step "list" is an artifact, not a list or a record',
  ],
  [
    'a key that is not there',
    outcomes.succeeded({ rows: 7, files: [] }),
    outputOf('file'),
    'cannot map "item": the output of step "list" has no key "file"; its keys are rows, files',
  ],
  [
    'a deep place in a stored output',
    stored,
    outputOf('a', 'b', 'c'),
    'cannot map "item": "a.b.c" of the output of step "list" is not a list or a record in the first two levels of its output',
  ],
  [
    'a parameter',
    outcomes.succeeded(),
    { reference: { parameter: 'rows' } },
    'cannot map "item": parameter "rows" is the number 7, not a list or a record',
  ],
  [
    'the context',
    outcomes.succeeded(),
    { reference: { context: 'date' } },
    'cannot map "item": "date" of the context is text, not a list or a record',
  ],
  [
    'text with references',
    outcomes.succeeded(),
    { template: ['a'] },
    'cannot map "item": it is over text, not a list or a record',
  ],
] as const) {
  test(`mapped over ${what}: the step fails and says what was found`, () => {
    const { run } = { run: mapped(output, binding) };
    assert.deepEqual(statesOf(run), { list: 'success', each: 'failed' });
    assert.equal(run.steps.get('each')?.reason, reason);
  });
}

test('mapped over a parameter that is a list: an instance for each item, of what the run was given', () => {
  const binding: Binding = { reference: { parameter: 'regions' } };
  const run = mapped(outcomes.succeeded(), binding);
  assert.deepEqual(statesOf(run), { list: 'success', each: ['success', 'success'] });
  const given = new Scenario(run.definition, 3, { parameters: { regions: ['de', 'fr', 'it'] } });
  given.proceed(0);
  given.finished(1, 'list', outcomes.succeeded());
  const item: Binding = { reference: { item: 'item', path: [] } };
  assert.deepEqual(bindValue(given.run, item, { step: 'each', index: 2, attempt: 1 }), { ok: true, value: 'it' });
});

test('more instances than the limit are refused with the number of each axis', () => {
  const axes = [
    { name: 'a', over: { literal: [1, 2, 3] } },
    { name: 'b', over: { literal: [1, 2, 3, 4] } },
  ];
  const { run } = drive(pipelineOf([stepOf({ name: 'each', map: { axes, concurrency: null, lengthMax: 11 } })]), () =>
    outcomes.succeeded(),
  );
  assert.equal(
    run.reason,
    'each failed: maps over 12 elements (3 × 4), more than its limit of 11: raise maxLength of the map (at most 10000), or map over fewer',
  );
  assert.equal(mapped(outcomes.succeeded([1, 2]), outputOf(), 2).state, 'success');
});

test('a rule that one instance decides early names the instances that have ended', () => {
  const scenario = new Scenario(
    pipelineOf([
      stepOf({ name: 'each', map: mapOver([1, 2, 3]) }),
      stepOf({ name: 'rescue', upstream: ['each'], triggerRule: 'all_failed' }),
    ]),
  );
  scenario.proceed(0);
  scenario.finished(1, 'each[1]', outcomes.failed());
  assert.deepEqual(scenario.finished(2, 'each[0]', outcomes.succeeded()), [
    'each success',
    'rescue skipped (all_failed: each is success in 1 of 3 instances, each is failed in 1 of 3 instances)',
  ]);
});

test('nothing to map over skips the step', () => {
  const scenario = new Scenario(
    pipelineOf([stepOf({ name: 'each', map: mapOver([]) }), stepOf({ name: 'last', upstream: ['each'] })]),
  );
  assert.deepEqual(scenario.proceed(0), [
    'each has 0 instances',
    'each skipped (there is nothing to map over)',
    'last skipped (all_success: each is skipped)',
    'run success',
  ]);
});

test('a mapped step is what its instances add up to', () => {
  const stateOf = (...ends: AttemptOutcome[]): string | undefined =>
    drive(
      pipelineOf([stepOf({ name: 'each', map: mapOver(ends.map((_, index) => index)) })]),
      ({ index }) => ends[index] ?? outcomes.succeeded(),
    ).run.steps.get('each')?.state;
  const { succeeded, failed, skipped } = outcomes;
  assert.equal(stateOf(succeeded(), skipped(), succeeded()), 'success');
  assert.equal(stateOf(skipped(), skipped()), 'skipped');
  assert.equal(stateOf(succeeded(), failed(), skipped()), 'failed');
});

test('a mapped step that failed says how many instances and why the first', () => {
  const { run } = drive(pipelineOf([stepOf({ name: 'each', map: mapOver([1, 2, 3]) })]), ({ index }) =>
    index === 0 ? outcomes.succeeded() : outcomes.failed('code', `cannot ${index}`),
  );
  assert.equal(run.reason, 'each failed: 2 of 3 instances failed; instance 1: cannot 1');
});

test('while instances run, the step is what the furthest of them is', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'each', map: mapOver([1, 2]) })]), 1);
  const state = (): string | undefined => scenario.run.steps.get('each')?.state;
  scenario.proceed(0);
  assert.equal(state(), 'queued');
  scenario.running(1, 'each');
  assert.equal(state(), 'running');
  scenario.finished(2, 'each', outcomes.succeeded());
  assert.equal(state(), 'queued');
});

test('the rules hear of a failed instance before the others have ended', () => {
  const scenario = new Scenario(
    pipelineOf([
      stepOf({ name: 'each', map: mapOver([1, 2]) }),
      stepOf({ name: 'alert', upstream: ['each'], triggerRule: 'one_failed' }),
    ]),
  );
  scenario.proceed(0);
  assert.deepEqual(scenario.finished(1, 'each', outcomes.failed()), ['each failed (it broke)', 'start alert']);
});

const items = (step: StepDefinition, given: AttemptOutcome): unknown[] => {
  const { run } = drive(pipelineOf([stepOf({ name: 'list' }), step]), ({ step: name }) =>
    name === 'list' ? given : outcomes.succeeded(),
  );
  const instances = run.steps.get(step.name)?.instances ?? [];
  const record: Binding = {
    record: Object.fromEntries(
      (step.map?.axes ?? []).map(({ name }) => [name, { reference: { item: name, path: [] } }]),
    ),
  };
  return instances.map(({ index }) => {
    const value = bindValue(run, record, { step: step.name, index, attempt: 1 });
    return value.ok ? value.value : value.error;
  });
};

test('several axes give their cross product, the last the fastest', () => {
  const axes = [
    { name: 'rate', over: outputOf('rates') },
    { name: 'depth', over: { literal: { low: 3, high: 9 } } },
  ];
  const step = stepOf({ name: 'each', upstream: ['list'], map: { axes, concurrency: null, lengthMax: 10 } });
  const [low, high] = [
    { key: 'low', value: 3 },
    { key: 'high', value: 9 },
  ];
  assert.deepEqual(items(step, outcomes.succeeded({ rates: [0.1, 0.2] })), [
    { rate: 0.1, depth: low },
    { rate: 0.1, depth: high },
    { rate: 0.2, depth: low },
    { rate: 0.2, depth: high },
  ]);
});

test('elements of a stored output are left to the runner to read', () => {
  const step = stepOf({ name: 'each', upstream: ['list'], map: over(outputOf('rows')) });
  assert.deepEqual(items(step, stored)[2], {
    item: { $stored: artifact, path: ['rows'], element: 2, elementPath: [] },
  });
});

test('elements of bindings have their references resolved', () => {
  const list: Binding = { list: [outputOf('a'), { literal: 2 }] };
  const step = stepOf({ name: 'each', upstream: ['list'], map: over(list) });
  assert.deepEqual(items(step, outcomes.succeeded({ a: 1 })), [{ item: 1 }, { item: 2 }]);
  const record = stepOf({ name: 'each', upstream: ['list'], map: over({ record: { x: outputOf('a') } }) });
  assert.deepEqual(items(record, outcomes.succeeded({ a: 1 })), [{ item: { key: 'x', value: 1 } }]);
});

test('a step mapped over a mapped step has an instance for each output, without those that were skipped', () => {
  const definition = pipelineOf([
    stepOf({ name: 'first', map: mapOver([1, 2, 3]) }),
    stepOf({
      name: 'second',
      upstream: ['first'],
      triggerRule: 'none_failed',
      map: over({ reference: { output: 'first', path: [] } }),
    }),
  ]);
  const { run } = drive(definition, ({ step, index }) =>
    step === 'first' && index === 1 ? outcomes.skipped() : outcomes.succeeded(`${step} ${index}`),
  );
  const key = { step: 'second', index: 1, attempt: 1 };
  assert.deepEqual(bindValue(run, { reference: { item: 'item', path: [] } }, key), { ok: true, value: 'first 2' });
  assert.equal(run.steps.get('second')?.instances?.length, 2);
});
