import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindTemplate, bindValue, contextOf, open } from '../../src/engine/engine.ts';
import type { AttemptOutcome, Trigger } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { Binding, Reference, Template } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { drive, foldOf, outcomes } from '../support/drive.ts';

const artifact = { $artifact: 'f'.repeat(64), name: 'model.bin', bytes: 12 };
const key = { step: 'report', index: 0, attempt: 2 };

const given: { readonly [step: string]: AttemptOutcome } = {
  train: outcomes.succeeded({ auc: 0.91, model: artifact, notes: ['a', 'b'], best: { depth: 3 } }),
  large: outcomes.stored({ stored: artifact, lengths: { '': 5000 } }),
  none: outcomes.skipped(),
};

const run: Run = drive(
  pipelineOf(
    [
      stepOf({ name: 'train' }),
      stepOf({ name: 'large' }),
      stepOf({ name: 'none' }),
      stepOf({ name: 'each', map: mapOver([10, 20]) }),
      stepOf({ name: 'report', upstream: ['train', 'large', 'none', 'each'], triggerRule: 'all_done' }),
    ],
    { name: 'churn', parameters: { rows: { type: 'number', default: 100, description: null, choices: null } } },
  ),
  ({ step, index }) => given[step] ?? outcomes.succeeded({ n: index }),
  {
    opened: {
      pipeline: 'churn',
      trigger: { kind: 'push', branch: 'main', actor: 'ada' },
      logicalDate: Date.UTC(2026, 2, 1, 23, 30),
      dataIntervalEnd: Date.UTC(2026, 2, 2, 23, 30),
      parameters: { dry: true },
    },
  },
).run;

const value = (reference: Reference): unknown => {
  const result = bindValue(run, { reference }, key);
  return result.ok ? result.value : result.error;
};
const output = (step: string, ...path: string[]): Reference => ({ output: step, path });
const text = (...template: Exclude<Template, string>): unknown => {
  const result = bindTemplate(run, template, key);
  return result.ok ? result.value : result.error;
};

test('the context of an attempt has its dates in UTC, and the defaults of parameters that were not given', () => {
  assert.deepEqual(contextOf(run, key), {
    runId: 'run-1',
    repository: 'models',
    pipeline: 'churn',
    step: 'report',
    index: 0,
    attempt: 2,
    sha: 'a'.repeat(40),
    branch: 'main',
    trigger: { kind: 'push', upstream: null, events: [] },
    date: '2026-03-01',
    dateNoDash: '20260301',
    timestamp: '2026-03-01T23:30:00.000Z',
    dataIntervalStart: '2026-03-01T23:30:00.000Z',
    dataIntervalEnd: '2026-03-02T23:30:00.000Z',
    memoryBytes: null,
    parameters: { rows: 100, dry: true },
  });
});

test('the context tells which run is followed, and which news of data it is for', () => {
  const triggerOf = (trigger: Trigger): unknown =>
    contextOf(open(run.definition, { ...run.opened, trigger }), key).trigger;
  const after = { pipeline: 'features', upstream: 'run-0', state: 'success', branch: 'main', depth: 1 } as const;
  assert.deepEqual(triggerOf({ kind: 'pipeline', ...after }), {
    kind: 'pipeline',
    upstream: { runId: 'run-0', pipeline: 'features', state: 'success' },
    events: [],
  });
  const event = { id: 'e', dataset: 'lake', digest: 'd', at: Date.UTC(2026, 2, 1), runId: null };
  assert.deepEqual(triggerOf({ kind: 'data', events: [event], count: 9, depth: 1 }), {
    kind: 'data',
    upstream: null,
    events: [{ ...event, at: '2026-03-01T00:00:00.000Z' }],
  });
});

for (const [what, reference, expected] of [
  ['a date', { context: 'date' }, '2026-03-01'],
  ['the number of the attempt', { context: 'attempt' }, 2],
  ['a parameter', { parameter: 'dry' }, true],
  ['a parameter nobody gave', { parameter: 'toString' }, 'parameter "toString" was not given'],
  ['a whole output', output('train', 'best'), { depth: 3 }],
  ['a key of an output', output('train', 'auc'), 0.91],
  ['an element of an output', output('train', 'notes', '1'), 'b'],
  ['an artifact', output('train', 'model'), artifact],
  ['a stored output', output('large'), { $stored: artifact, path: [] }],
  ['a key of a stored output', output('large', 'rows', '7'), { $stored: artifact, path: ['rows', '7'] }],
  ['the output of a skipped step', output('none'), null],
  ['a key of the output of a skipped step', output('none', 'auc'), null],
  ['the outputs of a mapped step', output('each'), [{ n: 0 }, { n: 1 }]],
  ['a key of one output of a mapped step', output('each', '1', 'n'), 1],
  [
    'a key that is not there',
    output('train', 'best', 'dept'),
    'the output of step "train" at "best" has no key "dept"; its keys are depth',
  ],
  [
    'a key that every object inherits',
    output('train', 'constructor'),
    'the output of step "train" has no key "constructor"; its keys are auc, model, notes, best',
  ],
  [
    'a key of a number',
    output('train', 'auc', 'low'),
    'the output of step "train" at "auc" is the number 0.91, in which there is no "low"',
  ],
  [
    'a place beyond a list',
    output('train', 'notes', '2'),
    'the output of step "train" at "notes" is a list of 2, without a place "2"',
  ],
  [
    'a place beyond a mapped step',
    output('each', '2'),
    'the output of step "each" is a list of 2, without a place "2"',
  ],
  ['an element of a step that is not mapped', { item: 'rate', path: [] }, 'step "report" is not mapped over "rate"'],
] as const) {
  test(`a reference to ${what}`, () => {
    assert.deepEqual(value(reference), expected);
  });
}

test('a binding keeps the shape around its references', () => {
  const binding: Binding = {
    record: {
      file: { template: ['data/', { context: 'date' }, '.csv'] },
      list: { list: [{ literal: { a: 1 } }, { reference: output('train', 'auc') }] },
      ['__proto__']: { literal: 1 },
    },
  };
  const result = bindValue(run, binding, key);
  assert.ok(result.ok);
  assert.equal(JSON.stringify(result.value), '{"file":"data/2026-03-01.csv","list":[{"a":1},0.91],"__proto__":1}');
});

test('one reference that fails fails the binding around it', () => {
  const result = bindValue(run, { list: [{ record: { a: { reference: output('train', 'f1') } } }] }, key);
  assert.deepEqual(result, {
    ok: false,
    error: 'the output of step "train" has no key "f1"; its keys are auc, model, notes, best',
  });
});

test('text is put together where all parts are known: text as it is, the rest as JSON', () => {
  assert.equal(text('rows=', { parameter: 'rows' }, ' dry=', { parameter: 'dry' }), 'rows=100 dry=true');
  assert.equal(text(output('train', 'notes')), '["a","b"]');
  assert.equal(text(output('none')), 'null');
  assert.equal(text(), '');
});

test('text with a part that only the runner knows stays in parts', () => {
  assert.deepEqual(text('--model=', output('train', 'model'), ' --n=', output('train', 'auc'), '!'), {
    $text: ['--model=', artifact, ' --n=0.91!'],
  });
  assert.deepEqual(text(output('large', 'name')), { $text: [{ $stored: artifact, path: ['name'] }] });
  assert.deepEqual(text(output('train')), {
    $text: [{ auc: 0.91, model: artifact, notes: ['a', 'b'], best: { depth: 3 } }],
  });
});

test('text with a reference that fails fails', () => {
  assert.equal(
    text('a', output('train', 'f1')),
    'the output of step "train" has no key "f1"; its keys are auc, model, notes, best',
  );
});

test('the output of a step that has not ended cannot be read', () => {
  const open = foldOf(run.definition, run.opened, []);
  assert.deepEqual(bindValue(open, { reference: output('train') }, key), {
    ok: false,
    error: 'the output of step "train" was asked for, but it is none',
  });
});
