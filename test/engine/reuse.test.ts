import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, planReuse, reuseEvents } from '../../src/engine/engine.ts';
import type { AttemptKey, AttemptOutcome, RerunSteps, RunEvent } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import type { Result } from '../../src/std/result.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { drive, foldOf, openedAt, openedOf, outcomes, statesOf } from '../support/drive.ts';
import { Scenario, told } from '../support/scenario.ts';

const after = (name: string, upstream: string[], given: Partial<StepDefinition> = {}): StepDefinition =>
  stepOf({ name, upstream, ...given });

/** Every step succeeds with its name, but those that are given. */
function ended(definition: PipelineDefinition, others: { readonly [step: string]: AttemptOutcome } = {}): Run {
  return drive(definition, ({ step }) => others[step] ?? outcomes.succeeded(step)).run;
}

function reusedNames(definition: PipelineDefinition, earlier: Run, steps: RerunSteps): Result<string[], string> {
  const planned = planReuse({ definition, sha: earlier.opened.sha }, earlier, steps);
  return planned.ok ? { ok: true, value: planned.value.map(({ step }) => step.definition.name) } : planned;
}

/** The re-run as it stands after its first decision. */
function begin(definition: PipelineDefinition, earlier: Run, steps: RerunSteps): { run: Run; lines: string[] } {
  const run = foldOf(definition, openedOf({ runId: 'run-2' }), reusedEvents(definition, earlier, steps));
  return { run, lines: told(decide(run, { type: 'proceed', at: openedAt, admit: () => true })) };
}

function reusedEvents(definition: PipelineDefinition, earlier: Run, steps: RerunSteps): RunEvent[] {
  const planned = planReuse({ definition, sha: earlier.opened.sha }, earlier, steps);
  assert.ok(planned.ok, planned.ok ? '' : planned.error);
  return reuseEvents(planned.value, openedAt);
}

const chain = pipelineOf([
  after('load', []),
  after('train', ['load']),
  after('evaluate', ['train']),
  after('report', ['load']),
]);

test('from the failed steps: they and what comes after them run, the rest stands as it was', () => {
  const earlier = ended(chain, { train: outcomes.failed('invalid') });
  assert.deepEqual(reusedNames(chain, earlier, 'failed'), { ok: true, value: ['load', 'report'] });
  const { run, lines } = begin(chain, earlier, 'failed');
  assert.deepEqual(lines, ['start train']);
  assert.deepEqual(statesOf(run), { load: 'success', train: 'queued', evaluate: 'none', report: 'success' });
  assert.deepEqual(run.steps.get('load')?.instances?.[0]?.output, { inline: 'load' });
});

test('from one step: it and what comes after it run, whatever became of them', () => {
  const earlier = ended(chain);
  assert.deepEqual(reusedNames(chain, earlier, { from: 'train' }), { ok: true, value: ['load', 'report'] });
  assert.deepEqual(begin(chain, earlier, { from: 'train' }).lines, ['start train']);
});

test('as a whole: nothing is reused', () => {
  assert.deepEqual(begin(chain, ended(chain), 'all').lines, ['start load']);
});

test('what is recorded names the run whose attempts gave it, over several re-runs', () => {
  const first = ended(chain, { train: outcomes.failed('invalid') });
  const second = drive(
    chain,
    ({ step }) => (step === 'evaluate' ? outcomes.failed('invalid') : outcomes.succeeded(step)),
    { opened: { runId: 'run-2' }, reused: reusedEvents(chain, first, 'failed') },
  ).run;
  assert.deepEqual(told(reusedEvents(chain, second, 'failed')), [
    'load success as in run-1',
    'train success as in run-2',
    'report success as in run-1',
  ]);
});

test('nothing that failed or was left out leaves nothing to begin at', () => {
  assert.deepEqual(reusedNames(chain, ended(chain), 'failed'), {
    ok: false,
    error: 'no step of run run-1 failed or was left out, so there is none to begin at: run it again as a whole',
  });
});

test('a step that is not there is answered with those that are', () => {
  assert.deepEqual(reusedNames(chain, ended(chain), { from: 'trian' }), {
    ok: false,
    error: 'there is no step "trian"; there: load, train, evaluate, report',
  });
});

test('a run that was cancelled goes on at what was cancelled, and no other step takes that for an end', () => {
  const opened = openedOf();
  const running = foldOf(chain, opened, []);
  const events = decide(running, { type: 'proceed', at: openedAt, admit: () => true });
  const key: AttemptKey = { step: 'load', index: 0, attempt: 1 };
  const admit = (): boolean => false;
  events.push(
    ...decide(running, {
      type: 'report-finished',
      at: openedAt,
      key,
      outcome: outcomes.succeeded('load'),
      usage: null,
      admit,
    }),
  );
  events.push(...decide(running, { type: 'cancel', at: openedAt, by: 'ada', reason: 'late' }));
  const earlier = foldOf(chain, opened, events);
  assert.equal(earlier.state, 'cancelled');
  assert.deepEqual(begin(chain, earlier, 'failed').lines, ['start train', 'start report']);
  assert.deepEqual(reusedNames(chain, earlier, { from: 'evaluate' }), {
    ok: false,
    error: 'the step "train" has no end in run run-1 that could be reused: begin at it, or at the failed steps',
  });
});

test('a mapped step is reused with every instance, and the step that reads it reads the same list', () => {
  const definition = pipelineOf([
    after('each', [], { map: mapOver([1, 2, 3]) }),
    after('best', ['each'], {
      triggerRule: 'none_failed',
      work: { kind: 'function', file: 'p.ts', input: outputOf('each') },
    }),
  ]);
  const earlier = drive(definition, ({ step, index }) =>
    step === 'best'
      ? outcomes.failed('invalid')
      : index === 1
        ? outcomes.skipped('none left')
        : outcomes.succeeded(index),
  ).run;
  const { run, lines } = begin(definition, earlier, 'failed');
  assert.deepEqual(statesOf(run), { each: ['success', 'skipped', 'success'], best: 'queued' });
  assert.deepEqual(lines, ['start best']);
  const each = run.steps.get('each');
  assert.deepEqual(
    each?.instances?.map(({ output }) => output),
    [{ inline: 0 }, null, { inline: 2 }],
  );
  assert.equal(each?.instances?.[1]?.reason, 'none left');
});

test('a run that was only given results, of a mapped step too, has not begun', () => {
  const definition = pipelineOf([after('each', [], { map: mapOver([1, 2]) }), after('report', ['each'])]);
  const earlier = ended(definition, { report: outcomes.failed('invalid') });
  const run = foldOf(definition, openedOf({ runId: 'run-2' }), reusedEvents(definition, earlier, 'failed'));
  assert.deepEqual(statesOf(run), { each: ['success', 'success'], report: 'none' });
  assert.equal(run.begunAt, null);
});

const fits = pipelineOf([
  after('load', []),
  after('fit', ['load'], { map: mapOver([1, 2, 3]) }),
  after('best', ['fit'], { work: { kind: 'function', file: 'p.ts', input: outputOf('fit') } }),
]);
/** The second one fails. */
const halfFitted = drive(fits, ({ step, index }) =>
  step === 'fit' && index === 1 ? outcomes.failed('invalid') : outcomes.succeeded(index),
).run;

test('of a mapped step that failed, the instances that did not succeed run again, and the next step reads all', () => {
  const { run, lines } = begin(fits, halfFitted, 'failed');
  assert.deepEqual(lines, ['start fit[1]']);
  assert.deepEqual(statesOf(run), { load: 'success', fit: ['success', 'queued', 'success'], best: 'none' });
  const reused = reusedEvents(fits, halfFitted, 'failed');
  const again = drive(fits, ({ index }) => outcomes.succeeded(index), {
    reused,
    opened: { runId: 'run-2' },
    forget: true,
  });
  assert.deepEqual(statesOf(again.run), { load: 'success', fit: ['success', 'success', 'success'], best: 'success' });
  const fit = again.run.steps.get('fit');
  assert.deepEqual(
    fit?.instances?.map(({ output, reusedFrom }) => [output, reusedFrom]),
    [
      [{ inline: 0 }, 'run-1'],
      [{ inline: 1 }, null],
      [{ inline: 2 }, 'run-1'],
    ],
  );
  assert.equal(fit?.reusedFrom, null, 'the step ran here');
  const third = reusedEvents(fits, again.run, { from: 'best' });
  assert.deepEqual(
    third.flatMap((event) => (event.type === 'step-reused' && event.step === 'fit' ? [event.runId] : [])),
    ['run-1', 'run-2', 'run-1'],
  );
});

test('a mapped step runs again with all of its instances where it was asked for, changed, or what it is after runs again', () => {
  const all = ['start fit', 'start fit[1]', 'start fit[2]'];
  assert.deepEqual(begin(fits, halfFitted, { from: 'fit' }).lines, ['fit has 3 instances', ...all]);
  const changed = pipelineOf([after('load', []), after('fit', ['load'], { map: mapOver([1, 2, 4]) })]);
  assert.deepEqual(begin(changed, halfFitted, 'failed').lines, ['fit has 3 instances', ...all]);
  const wider = pipelineOf([after('look', []), after('load', ['look']), ...fits.steps.slice(1)]);
  assert.deepEqual(reusedNames(wider, halfFitted, 'failed'), { ok: true, value: [] });
});

test('a cancel before its turn ends the instances that were to run again', () => {
  const run = foldOf(fits, openedOf({ runId: 'run-2' }), reusedEvents(fits, halfFitted, 'failed'));
  assert.equal(run.begunAt, null);
  const events = decide(run, { type: 'cancel', at: openedAt, by: 'ada', reason: 'late' });
  assert.ok(
    told(events).some((line) => line.startsWith('fit[1] cancelled')),
    told(events).join('\n'),
  );
  assert.equal(run.state, 'cancelled');
  assert.deepEqual(begin(fits, run, 'failed').lines, ['start fit[1]']);
});

test('a mapped step that had nothing to map over, or was skipped before, is reused as a whole', () => {
  const definition = pipelineOf([
    after('check', [], { work: works.shortCircuit(false) }),
    after('none', [], { map: mapOver([]) }),
    after('left', ['check'], { map: mapOver([1]) }),
    after('end', ['none', 'left'], { triggerRule: 'all_done' }),
  ]);
  const earlier = ended(definition, { check: outcomes.pass(false, 'no rows'), end: outcomes.failed('invalid') });
  const { run } = begin(definition, earlier, 'failed');
  assert.deepEqual(statesOf(run), { check: 'success', none: 'skipped', left: 'skipped', end: 'queued' });
  assert.equal(run.steps.get('none')?.reason, 'there is nothing to map over');
});

test('a reused branch skips what it did not choose', () => {
  const definition = pipelineOf([
    after('choose', [], { work: works.branch(['deploy', 'report']) }),
    after('deploy', ['choose']),
    after('report', ['choose']),
  ]);
  const earlier = ended(definition, { choose: outcomes.follow('report'), report: outcomes.failed('invalid') });
  const { run, lines } = begin(definition, earlier, 'failed');
  assert.deepEqual(statesOf(run), { choose: 'success', deploy: 'skipped', report: 'queued' });
  assert.deepEqual(lines, ['start report']);
  assert.deepEqual(begin(definition, earlier, { from: 'deploy' }).lines, [
    'deploy skipped (choose chose report)',
    'run failed (report failed: it broke)',
  ]);
});

test('a reused short circuit that did not pass skips what comes after it, whatever its rule', () => {
  const definition = pipelineOf([
    after('check', [], { work: works.shortCircuit() }),
    after('train', ['check']),
    after('alert', ['train'], { triggerRule: 'all_done' }),
  ]);
  const earlier = ended(definition, { check: outcomes.pass(false, 'no new rows') });
  assert.deepEqual(begin(definition, earlier, { from: 'alert' }).lines, [
    'alert skipped (check: no new rows)',
    'run success',
  ]);
});

test('a gate that did not pass measures again; one that passed is reused with its numbers', () => {
  const definition = pipelineOf([after('gate', [], { work: works.gate() }), after('train', ['gate'])]);
  const closed = ended(definition, { gate: outcomes.pass(false, 'too few rows') });
  assert.deepEqual(begin(definition, closed, 'failed').lines, ['start gate']);
  const open = ended(definition, { gate: outcomes.pass(true), train: outcomes.failed('invalid') });
  const { run, lines } = begin(definition, open, 'failed');
  assert.deepEqual(lines, ['start train']);
  assert.deepEqual(run.steps.get('gate')?.instances?.[0]?.output, { inline: { pass: true } });
});

test('finally-steps come after everything that runs again, so they run again too', () => {
  const definition = pipelineOf([
    after('load', []),
    after('train', ['load']),
    after('tidy', [], { finally: true }),
    after('tell', ['tidy']),
  ]);
  const earlier = ended(definition, { train: outcomes.failed('invalid') });
  assert.deepEqual(reusedNames(definition, earlier, 'failed'), { ok: true, value: ['load'] });
  const again = drive(definition, () => outcomes.succeeded(), { reused: reusedEvents(definition, earlier, 'failed') });
  assert.deepEqual(
    told(again.events).filter((line) => line.startsWith('start')),
    ['start train', 'start tidy', 'start tell'],
  );
});

test('where a finally-step alone failed, the other one is reused', () => {
  const definition = pipelineOf([
    after('load', []),
    after('tidy', [], { finally: true }),
    after('tell', [], { finally: true }),
  ]);
  const earlier = ended(definition, { tell: outcomes.failed('invalid') });
  const { run, lines } = begin(definition, earlier, 'failed');
  assert.deepEqual(lines, ['start tell']);
  assert.equal(run.steps.get('tidy')?.reusedFrom, 'run-1');
});

test('another version: what is new runs, what is gone is forgotten, what was changed is not reused', () => {
  const earlier = ended(chain, { train: outcomes.failed('invalid') });
  const changedTrain = { work: { kind: 'command', command: ['better'], environment: {} } } as const;
  const head = pipelineOf([
    after('load', []),
    after('train', ['load'], changedTrain),
    after('evaluate', ['train']),
    after('archive', ['load']),
  ]);
  assert.deepEqual(begin(head, earlier, 'failed').lines, ['start train', 'start archive']);
  assert.deepEqual(reusedNames(head, earlier, { from: 'evaluate' }), {
    ok: false,
    error: 'the step "train" was defined otherwise in run run-1, so it cannot be reused: begin at it, or run all',
  });
});

test('a person said yes to a commit: at another one the approval, and what comes after it, runs again', () => {
  const definition = pipelineOf([
    after('train', []),
    after('ask', ['train'], { work: works.approval() }),
    after('tag', ['ask']),
    after('deploy', ['ask']),
  ]);
  const scenario = new Scenario(definition);
  scenario.proceed(0);
  scenario.finished(1, 'train', outcomes.succeeded());
  scenario.decide(2, 'ask', 'approve');
  scenario.proceed(2);
  scenario.finished(3, 'tag', outcomes.succeeded());
  scenario.finished(4, 'deploy', outcomes.failed('invalid'));
  const { run } = scenario;
  assert.equal(run.state, 'failed');
  const reused = (sha: string, steps: RerunSteps) => {
    const planned = planReuse({ definition, sha }, run, steps);
    return planned.ok ? planned.value.map(({ step }) => step.definition.name) : planned.error;
  };
  const { sha } = run.opened;
  assert.deepEqual(reused(sha, 'failed'), ['train', 'ask', 'tag']);
  assert.deepEqual(reused('another', 'failed'), ['train']);
  assert.deepEqual(reused(sha, { from: 'deploy' }), ['train', 'ask', 'tag']);
  assert.deepEqual(reused('another', { from: 'deploy' }), ['train']);
});

test('a run that is opened with what it reuses has decided nothing yet', () => {
  const earlier = ended(chain, { train: outcomes.failed('invalid') });
  const run = foldOf(chain, openedOf(), reusedEvents(chain, earlier, 'failed'));
  assert.deepEqual([run.position, run.begunAt], [3, null]);
  decide(run, { type: 'proceed', at: openedAt, admit: () => false });
  assert.notEqual(run.begunAt, null);
});

function outputOf(step: string): { reference: { output: string; path: string[] } } {
  return { reference: { output: step, path: [] } };
}
