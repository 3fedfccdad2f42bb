import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepDefinition } from '../../src/pipeline/definition.ts';
import { pipelineOf, stepOf, works } from '../support/definitions.ts';
import { drive, outcomes, statesOf } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

const after = (name: string, upstream: string[], given: Partial<StepDefinition> = {}): StepDefinition =>
  stepOf({ name, upstream, ...given });

test('a branch is followed where it says, and the rest is skipped with what comes after', () => {
  const scenario = new Scenario(
    pipelineOf([
      after('choose', [], { work: works.branch(['deploy', 'report']) }),
      after('deploy', ['choose']),
      after('smoke', ['deploy']),
      after('report', ['choose']),
    ]),
  );
  assert.deepEqual(scenario.proceed(0), ['start choose']);
  assert.deepEqual(scenario.finished(1, 'choose', outcomes.follow('report')), [
    'choose success',
    'deploy skipped (choose chose report)',
    'smoke skipped (all_success: deploy is skipped)',
    'start report',
  ]);
  assert.deepEqual(scenario.finished(2, 'report', outcomes.succeeded()), ['report success', 'run success']);
});

test('a join downstream of a followed step is not skipped by the branch', () => {
  const { run } = drive(
    pipelineOf([
      after('choose', [], { work: works.branch(['train', 'join']) }),
      after('train', ['choose']),
      after('join', ['choose', 'train']),
    ]),
    ({ step }) => (step === 'choose' ? outcomes.follow('train') : outcomes.succeeded()),
  );
  assert.deepEqual(statesOf(run), { choose: 'success', train: 'success', join: 'success' });
});

test('a branch that chooses a step which is not directly after it fails and says which are', () => {
  const scenario = new Scenario(
    pipelineOf([
      after('choose', [], {
        work: works.branch(['deploy']),
        retry: { count: 3, delayMs: 0, factor: 1, delayMaxMs: 0 },
      }),
      after('deploy', ['choose']),
    ]),
  );
  scenario.proceed(0);
  assert.deepEqual(scenario.finished(1, 'choose', outcomes.follow('deplyo')), [
    'choose failed (the branch chose "deplyo", which is not among the steps directly after it: deploy)',
    'deploy upstream_failed (all_success: choose is failed)',
    'run failed (choose failed: the branch chose "deplyo", which is not among the steps directly after it: deploy)',
  ]);
});

test('a branch that says nothing fails', () => {
  const scenario = new Scenario(pipelineOf([after('choose', [], { work: works.branch([]) })]));
  scenario.proceed(0);
  assert.deepEqual(
    scenario.finished(1, 'choose', outcomes.succeeded())[0],
    'choose failed (the branch did not say which steps to follow)',
  );
});

const circuit = (ignore: boolean): StepDefinition[] => [
  after('check', [], { work: works.shortCircuit(ignore) }),
  after('train', ['check']),
  after('tidy', ['train'], { triggerRule: 'all_done' }),
];

test('an open short circuit skips everything downstream, whatever the rules', () => {
  const { run } = drive(pipelineOf(circuit(true)), () => outcomes.pass(false, 'no new rows'));
  assert.deepEqual(statesOf(run), { check: 'success', train: 'skipped', tidy: 'skipped' });
  assert.equal(run.steps.get('tidy')?.reason, 'check: no new rows');
  assert.equal(run.state, 'success');
});

test('a short circuit that heeds the rules skips its direct children alone', () => {
  const { run } = drive(pipelineOf(circuit(false)), ({ step }) =>
    step === 'check' ? outcomes.pass(false) : outcomes.succeeded(),
  );
  assert.deepEqual(statesOf(run), { check: 'success', train: 'skipped', tidy: 'success' });
});

test('what a short circuit measured is kept when it skips the rest', () => {
  const { run } = drive(pipelineOf(circuit(true)), () => outcomes.pass(false));
  assert.deepEqual(run.steps.get('check')?.instances?.[0]?.output, { inline: { pass: false } });
});

test('a step that may start early waits while a short circuit could still skip it', () => {
  const scenario = new Scenario(
    pipelineOf([
      after('check', [], { work: works.shortCircuit(true) }),
      after('load', []),
      after('between', ['check']),
      after('alert', ['load', 'between'], { triggerRule: 'one_success' }),
      after('always', ['check'], { triggerRule: 'always' }),
    ]),
  );
  assert.deepEqual(scenario.proceed(0), ['start check', 'start load']);
  assert.deepEqual(scenario.finished(1, 'load', outcomes.succeeded()), ['load success']);
  assert.deepEqual(scenario.finished(2, 'check', outcomes.pass(true)), [
    'check success',
    'start between',
    'start alert',
    'start always',
  ]);
});

test('a step starts early only when the outputs that it reads are there', () => {
  const input = { reference: { output: 'slow', path: [] } };
  const scenario = new Scenario(
    pipelineOf([
      after('fast', []),
      after('slow', []),
      after('blind', ['fast', 'slow'], { triggerRule: 'one_success' }),
      after('reader', ['fast', 'slow'], {
        triggerRule: 'one_success',
        work: { kind: 'function', file: 'p.ts', input },
      }),
      after('in-pod', ['fast', 'slow'], { triggerRule: 'one_success', pod: { record: { image: input } } }),
    ]),
  );
  scenario.proceed(0);
  assert.deepEqual(scenario.finished(1, 'fast', outcomes.succeeded()), ['fast success', 'start blind']);
  assert.deepEqual(scenario.finished(2, 'slow', outcomes.failed()).slice(-2), ['start reader', 'start in-pod']);
});

const gated: StepDefinition[] = [
  after('gate', [], { work: works.gate(), retry: { count: 3, delayMs: 0, factor: 1, delayMaxMs: 0 } }),
  after('train', ['gate']),
  after('always', ['train'], { triggerRule: 'always' }),
  after('notify', [], { finally: true }),
];

test('a gate that does not pass fails without a retry, skips what is downstream and fails the run with its reason', () => {
  const scenario = new Scenario(pipelineOf(gated));
  assert.deepEqual(scenario.proceed(0), ['start gate']);
  assert.deepEqual(scenario.finished(1, 'gate', outcomes.pass(false, '7 % of age is empty, at most 5 % may be')), [
    'gate failed (7 % of age is empty, at most 5 % may be)',
    'train skipped (gate: 7 % of age is empty, at most 5 % may be)',
    'always skipped (gate: 7 % of age is empty, at most 5 % may be)',
    'start notify',
  ]);
  assert.deepEqual(scenario.finished(2, 'notify', outcomes.succeeded()), [
    'notify success',
    'run failed (gate failed: 7 % of age is empty, at most 5 % may be)',
  ]);
});

test('a gate that passes lets the run go on', () => {
  const { run } = drive(pipelineOf(gated), () => outcomes.pass(true));
  assert.equal(run.state, 'success');
});

test('a gate that breaks is a failure like any other: it is retried, and rules apply downstream', () => {
  const { run } = drive(pipelineOf(gated), ({ step }) => (step === 'gate' ? outcomes.failed() : outcomes.succeeded()));
  assert.deepEqual(statesOf(run), { gate: 'failed', train: 'upstream_failed', always: 'success', notify: 'success' });
  assert.equal(run.steps.get('gate')?.instances?.[0]?.attempts.length, 4);
  assert.equal(run.state, 'failed', 'though no leaf failed');
});

test('a gate that is skipped decides nothing', () => {
  const { run } = drive(
    pipelineOf([
      after('first', []),
      after('gate', ['first'], { work: works.gate() }),
      after('last', ['gate'], { triggerRule: 'all_done' }),
    ]),
    ({ step }) => (step === 'first' ? outcomes.skipped() : outcomes.succeeded()),
  );
  assert.deepEqual(statesOf(run), { first: 'skipped', gate: 'skipped', last: 'success' });
});

test('a branch that is a finally-step is followed where it says', () => {
  const scenario = new Scenario(
    pipelineOf([
      after('train', []),
      after('choose', ['train'], { finally: true, work: works.branch(['good', 'bad']) }),
      after('good', ['choose'], { finally: true }),
      after('bad', ['choose'], { finally: true }),
    ]),
  );
  scenario.proceed(0);
  scenario.finished(1, 'train', outcomes.succeeded());
  assert.deepEqual(scenario.finished(2, 'choose', outcomes.follow('good')), [
    'choose success',
    'bad skipped (choose chose good)',
    'start good',
  ]);
  assert.deepEqual(scenario.finished(3, 'good', outcomes.succeeded()), ['good success', 'run success']);
});

test('a short circuit that is a finally-step skips the finally-steps after it, and no others', () => {
  const { run } = drive(
    pipelineOf([
      after('ask', [], { finally: true, work: works.shortCircuit() }),
      after('tell', ['ask'], { finally: true }),
      after('archive', ['tell'], { finally: true, triggerRule: 'all_done' }),
      after('tidy', [], { finally: true }),
    ]),
    ({ step }) => (step === 'ask' ? outcomes.pass(false, 'nothing new') : outcomes.succeeded()),
  );
  assert.deepEqual(statesOf(run), { ask: 'success', tell: 'skipped', archive: 'skipped', tidy: 'success' });
  assert.equal(run.steps.get('archive')?.reason, 'ask: nothing new');
  assert.equal(run.state, 'success');
});

test('a step skipped by a branch does not hide what a gate skips behind it', () => {
  const definition = pipelineOf([
    after('gate', [], { work: works.gate() }),
    after('choose', [], { work: works.branch(['left', 'right']) }),
    after('left', ['choose', 'gate']),
    after('right', ['choose']),
    after('end', ['left'], { triggerRule: 'all_done' }),
  ]);
  for (const first of [0, 1]) {
    const { run } = drive(
      definition,
      ({ step }) =>
        step === 'gate' ? outcomes.pass(false) : step === 'choose' ? outcomes.follow('right') : outcomes.succeeded(),
      { pick: (count) => Math.min(first, count - 1) },
    );
    assert.deepEqual(statesOf(run), {
      gate: 'failed',
      choose: 'success',
      left: 'skipped',
      right: 'success',
      end: 'skipped',
    });
  }
});
