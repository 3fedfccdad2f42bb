/** What a pipeline listens to beside Git and the clock, and what its steps say for others to hear. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import { circleOf, followingSentences, followingsOf } from '../../src/pipeline/following.ts';
import { pipeline, step, map, type StepOptions, type TriggerOptions } from '../../src/pipeline/index.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

function onOf(on: TriggerOptions): PipelineDefinition['on'] {
  return pipeline('listener', { on }, () => step('only', { command: ['true'] })).definition.on;
}

function stepWith(options: StepOptions, outputs: Record<string, 'string' | 'artifact'> = {}): StepDefinition {
  const { definition } = pipeline('teller', {}, () => step('only', { command: ['true'], outputs, ...options }));
  const [only] = definition.steps;
  assert.ok(only !== undefined);
  return only;
}

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof ProblemError, String(error));
    return `${error.problem.message}. ${error.problem.help}`;
  }
  return assert.fail('nothing was refused');
}

test('who listens to nothing has the definition that it always had', () => {
  assert.deepEqual(onOf({}), { schedule: null, push: null, pullRequest: null });
  assert.equal('updates' in stepWith({}), false);
});

test('the name of a pipeline means a success of it on the default branch', () => {
  const features = { name: 'features', states: ['success'], branches: [] };
  assert.deepEqual(onOf({ pipeline: 'features' }).pipelines, [features]);
  assert.deepEqual(onOf({ pipeline: [{ name: 'features' }] }).pipelines, [features]);
});

test('several pipelines, states and branches may be named', () => {
  const labels = { name: 'labels', states: ['failed', 'success'], branches: ['release/*'] } as const;
  assert.deepEqual(onOf({ pipeline: ['features', labels] }).pipelines, [
    { name: 'features', states: ['success'], branches: [] },
    { name: 'labels', states: ['success', 'failed'], branches: ['release/*'] },
  ]);
});

test('one dataset, all of several, or any of them', () => {
  assert.deepEqual(onOf({ data: 's3://lake/churn' }).data, { datasets: ['s3://lake/churn'], when: 'all' });
  assert.deepEqual(onOf({ data: ['a', 'b', 'a'] }).data, { datasets: ['a', 'b'], when: 'all' });
  assert.deepEqual(onOf({ data: { all: ['a', 'b'] } }).data, { datasets: ['a', 'b'], when: 'all' });
  assert.deepEqual(onOf({ data: { any: ['a', 'b'] } }).data, { datasets: ['a', 'b'], when: 'any' });
});

test('a step says what it updates, and which output tells whether the data are others', () => {
  assert.deepEqual(stepWith({ updates: ['a'] }).updates, [{ dataset: 'a', output: null }]);
  assert.deepEqual(stepWith({ updates: { a: 'rows', b: true } }).updates, [
    { dataset: 'a', output: ['rows'] },
    { dataset: 'b', output: [] },
  ]);
});

const wrong: readonly (readonly [title: string, make: () => unknown, said: RegExp])[] = [
  ['a name of a pipeline that is none', () => onOf({ pipeline: 'Features' }), /on\.pipeline\.name" is "Features"/],
  ['a pipeline without a name', () => onOf({ pipeline: {} as never }), /on\.pipeline\.name" is missing/],
  ['no pipeline', () => onOf({ pipeline: [] }), /a name, or an object with name/],
  ['a pipeline twice', () => onOf({ pipeline: ['a', 'a'] }), /names "a" twice.*all of its states/],
  [
    'an unknown state',
    () => onOf({ pipeline: { name: 'a', states: ['done' as never] } }),
    /success, failed, cancelled/,
  ],
  ['no state', () => onOf({ pipeline: { name: 'a', states: [] } }), /on\.pipeline\.states/],
  ['a dataset with a space', () => onOf({ data: 'churn features' }), /no name of a dataset.*no spaces/],
  ['no dataset', () => onOf({ data: [] }), /up to 32 datasets/],
  ['all and any', () => onOf({ data: { all: ['a'], any: ['b'] } }), /either "all" or "any"/],
  ['too many datasets', () => onOf({ data: Array.from({ length: 33 }, (_, n) => `d${n}`) }), /up to 32/],
  ['updates that are no list', () => stepWith({ updates: 'a' as never }), /a list of names of datasets/],
  ['updates of an undeclared output', () => stepWith({ updates: { a: 'row' } }, { rows: 'string' }), /mean "rows"/],
  [
    'updates of a mapped step',
    () => pipeline('mapped', {}, () => map({ n: [1, 2] }, () => step('each', { command: ['true'], updates: ['a'] }))),
    /is mapped, and updates a dataset.*gathers/,
  ],
];

for (const [title, make, said] of wrong) test(`refused: ${title}`, () => assert.match(refusal(make), said));

function listener(
  name: string,
  on: Partial<PipelineDefinition['on']>,
  updates: readonly string[] = [],
): PipelineDefinition {
  const told = updates.map((dataset) => ({ dataset, output: null }));
  return pipelineOf([stepOf({ name: 'only', ...(told.length === 0 ? {} : { updates: told }) })], {
    name,
    on: { schedule: null, push: null, pullRequest: null, ...on },
  });
}

const after = (name: string): Partial<PipelineDefinition['on']> => ({
  pipelines: [{ name, states: ['success'], branches: [] }],
});

test('circles are found through ends and through datasets, and only where nothing else has to happen', () => {
  const ends = followingsOf([listener('a', after('b')), listener('b', after('c')), listener('c', after('a'))]);
  assert.deepEqual(circleOf('a', ends), ['a', 'c', 'b']);
  const line = followingsOf([listener('a', {}), listener('b', after('a')), listener('c', after('b'))]);
  assert.equal(circleOf('a', line), null);
  const data = (when: 'all' | 'any', datasets: readonly string[]): readonly string[] | null =>
    circleOf(
      'a',
      followingsOf([
        listener('a', after('b')),
        listener('b', { data: { datasets, when } }, ['y']),
        listener('a', {}, ['x']),
      ]),
    );
  assert.deepEqual(data('all', ['x']), ['a', 'b']);
  assert.deepEqual(data('any', ['x', 'z']), ['a', 'b']);
  assert.equal(data('all', ['x', 'z']), null);
  assert.deepEqual(circleOf('self', followingsOf([listener('self', after('self'))])), ['self']);
});

test('one sentence for each way in which a pipeline follows another', () => {
  const followings = followingsOf([
    listener('a', {}, ['x']),
    listener('b', after('a')),
    listener('c', { data: { datasets: ['x'], when: 'all' } }),
  ]);
  assert.deepEqual(followingSentences('a', followings), [
    'is followed by b: success on the default branch',
    'is followed by c: it updates x',
  ]);
  assert.deepEqual(followingSentences('b', followings), ['follows a: success on the default branch']);
});
