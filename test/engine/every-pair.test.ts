/**
 * Every pair of state and command, and every pair of state and event, has an answer: it changes the run, it changes
 * nothing because it is late or repeated, or it cannot have happened and throws.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../src/engine/engine.ts';
import { evolve } from '../../src/engine/engine.ts';
import type { AttemptOutcome, RunEvent } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { openedAt, openedOf, outcomes } from '../support/drive.ts';
import { Scenario, keyOf } from '../support/scenario.ts';

type Answer = 'act' | 'ignore' | 'late' | 'throw';

const retry = { count: 1, delayMs: 60_000, factor: 1, delayMaxMs: 60_000 };
const now = openedAt + 30_000;

/**
 * The run has a step `first`, then `x`, which stands in the state in question, and beside them `other`, which runs, so
 * that the run is open.
 */
function scenarioOf(kind: 'command' | 'wait' | 'approval'): Scenario {
  const wait = works.until({ intervalMs: 60_000, timeoutMs: 600_000, softFail: false });
  const work = kind === 'wait' ? wait : kind === 'approval' ? works.approval({ timeoutMs: 600_000 }) : null;
  const x = stepOf({ name: 'x', upstream: ['first'], retry, ...(work === null ? {} : { work }) });
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'other' }), stepOf({ name: 'first' }), x]), 2);
  scenario.proceed(0);
  return scenario;
}

function begun(first: AttemptOutcome, ...ends: readonly AttemptOutcome[]): Scenario {
  const scenario = scenarioOf('command');
  scenario.finished(1, 'first', first);
  ends.forEach((end, index) => {
    scenario.finished(2 + index, `x#${index + 1}`, end);
    if (index < ends.length - 1) scenario.proceed(100);
  });
  return scenario;
}

const started = (): Scenario => begun(outcomes.succeeded());
const { succeeded, failed, skipped } = outcomes;

const states: { readonly [state: string]: () => Scenario } = {
  none: () => scenarioOf('command'),
  scheduled: () => {
    const scenario = scenarioOf('command');
    scenario.do({
      type: 'report-finished',
      at: now,
      key: keyOf('first'),
      outcome: succeeded(),
      usage: null,
      admit: () => false,
    });
    return scenario;
  },
  queued: started,
  running: () => {
    const scenario = started();
    scenario.running(2, 'x');
    return scenario;
  },
  up_for_retry: () => begun(succeeded(), failed()),
  deferred: () => {
    const scenario = scenarioOf('approval');
    scenario.finished(1, 'first', succeeded());
    return scenario;
  },
  'deferred, waiting': () => {
    const scenario = scenarioOf('wait');
    scenario.finished(1, 'first', succeeded());
    return scenario;
  },
  'up_for_retry, waiting': () => {
    const scenario = scenarioOf('wait');
    scenario.finished(1, 'first', succeeded());
    scenario.look(2, 'x', { kind: 'failed', cause: 'code', message: 'it broke' });
    return scenario;
  },
  success: () => begun(succeeded(), succeeded()),
  failed: () => begun(succeeded(), failed('invalid')),
  skipped: () => begun(succeeded(), skipped()),
  upstream_failed: () => begun(failed('invalid')),
  cancelled: () => {
    const scenario = started();
    scenario.cancel(5);
    scenario.finished(6, 'x', failed('cancelled'));
    return scenario;
  },
  'stopping, queued': () => {
    const scenario = started();
    scenario.cancel(5);
    return scenario;
  },
};

const refuse = (): boolean => false;
const finished = (attempt: string, outcome: AttemptOutcome): Command => ({
  type: 'report-finished',
  at: now,
  key: keyOf(attempt),
  outcome,
  usage: null,
  admit: refuse,
});
const runs = (attempt: string): Command => ({ type: 'report-running', at: now, key: keyOf(attempt), place: 'here' });

const commands: { readonly [name: string]: Command } = {
  proceed: { type: 'proceed', at: now, admit: refuse },
  'x runs': runs('x'),
  'x#2 runs': runs('x#2'),
  'x succeeded': finished('x', succeeded()),
  'x failed': finished('x', failed()),
  'x skipped': finished('x', skipped()),
  'x lost': finished('x', failed('lost')),
  'x#2 succeeded': finished('x#2', succeeded()),
  'x[1] succeeded': finished('x[1]', succeeded()),
  'nobody succeeded': finished('nobody', succeeded()),
  cancel: { type: 'cancel', at: now, by: 'ada', reason: '' },
  'x is approved': { type: 'decide', at: now, step: 'x', decision: 'approve', by: 'ada', reason: null },
  'x is rejected': { type: 'decide', at: now, step: 'x', decision: 'reject', by: 'ada', reason: null },
  'nobody is approved': { type: 'decide', at: now, step: 'nobody', decision: 'approve', by: 'ada', reason: null },
  'cancel finally-steps': { type: 'cancel-finally', at: now, by: 'ada', reason: '' },
};

const never: Answer[] = ['throw', 'throw', 'throw', 'throw', 'throw'];
const acts: Answer[] = ['act', 'act', 'act', 'act'];
const late: Answer[] = ['late', 'late', 'late', 'late'];

/** Nothing waits for a decision, but what is deferred. */
const undecided: readonly Answer[] = ['ignore', 'ignore', 'ignore'];
/** Their finally-steps can be ended. */
const stopping: ReadonlySet<string> = new Set(['cancelled', 'stopping, queued']);

/** In the order of `commands`; the reports of what was never started are the same everywhere. */
const answers: { readonly [state: string]: readonly Answer[] } = {
  none: ['ignore', 'throw', 'throw', ...never.slice(1), 'throw', 'throw', 'throw', 'act'],
  scheduled: ['ignore', 'throw', 'throw', ...never.slice(1), 'throw', 'throw', 'throw', 'act'],
  queued: ['ignore', 'act', 'throw', ...acts, 'throw', 'throw', 'throw', 'act'],
  running: ['ignore', 'ignore', 'throw', ...acts, 'throw', 'throw', 'throw', 'act'],
  up_for_retry: ['ignore', 'ignore', 'throw', ...late, 'throw', 'throw', 'throw', 'act'],
  deferred: ['ignore', 'throw', 'throw', ...never.slice(1), 'throw', 'throw', 'throw', 'act', 'act', 'act'],
  'deferred, waiting': ['ignore', 'throw', 'throw', ...never.slice(1), 'throw', 'throw', 'throw', 'act'],
  'up_for_retry, waiting': ['ignore', 'throw', 'throw', ...never.slice(1), 'throw', 'throw', 'throw', 'act'],
  success: ['ignore', 'ignore', 'throw', ...late, 'throw', 'throw', 'throw', 'act'],
  failed: ['ignore', 'ignore', 'throw', ...late, 'throw', 'throw', 'throw', 'act'],
  skipped: ['ignore', 'ignore', 'throw', ...late, 'throw', 'throw', 'throw', 'act'],
  upstream_failed: ['ignore', 'throw', 'throw', ...never.slice(1), 'throw', 'throw', 'throw', 'act'],
  cancelled: ['ignore', 'ignore', 'throw', ...late, 'throw', 'throw', 'throw', 'ignore'],
  'stopping, queued': ['ignore', 'act', 'throw', ...acts, 'throw', 'throw', 'throw', 'ignore'],
};

function answerOf(scenario: Scenario, command: Command): Answer {
  const before = scenario.run.position;
  try {
    const lines = scenario.do(command);
    if (scenario.run.position === before) return 'ignore';
    return lines.length === 1 && lines[0]?.startsWith('late report') === true ? 'late' : 'act';
  } catch {
    assert.equal(scenario.run.position, before, 'what throws has changed nothing');
    return 'throw';
  }
}

for (const [state, given] of Object.entries(states)) {
  test(`a step that is ${state} has an answer to every command`, () => {
    assert.equal(given().run.steps.get('x')?.state, stateOf(state));
    const got = Object.values(commands).map((command) => answerOf(given(), command));
    const decided = [...(answers[state] ?? []), ...undecided].slice(0, got.length - 1);
    const expected: readonly Answer[] = [...decided, stopping.has(state) ? 'act' : 'ignore'];
    assert.deepEqual(table(got), table(expected));
  });
}

/** `deferred, waiting` is `deferred`. */
function stateOf(name: string): string {
  return name === 'stopping, queued' ? 'queued' : name.replace(/,.*/, '');
}

function table(list: readonly Answer[]): { [command: string]: Answer | undefined } {
  return Object.fromEntries(Object.keys(commands).map((name, place) => [name, list[place]]));
}

test('a second late report of an attempt is dropped, so that repeats cannot fill the journal', () => {
  const scenario = begun(succeeded(), failed());
  assert.deepEqual(scenario.finished(50, 'x', succeeded()), ['late report of x']);
  assert.deepEqual(scenario.finished(51, 'x', succeeded()), []);
  scenario.proceed(200);
  assert.deepEqual(scenario.finished(201, 'x#2', failed()), ['x failed (it broke)']);
  assert.deepEqual(scenario.finished(202, 'x#2', succeeded()), ['late report of x#2']);
});

test('a run that has ended answers every command, and only late reports are recorded', () => {
  const ended = (): Scenario => {
    const scenario = begun(succeeded(), succeeded());
    scenario.finished(9, 'other', succeeded());
    assert.equal(scenario.run.state, 'success');
    return scenario;
  };
  assert.deepEqual(
    Object.values(commands).map((command) => answerOf(ended(), command)),
    ['ignore', 'ignore', 'throw', ...late, 'throw', 'throw', 'throw', 'ignore', ...undecided, 'ignore'],
  );
});

const x = { at: now, step: 'x', index: 0 };
const reused = { runId: 'run-0', reason: null, output: null, control: null } as const;
const events: readonly RunEvent[] = [
  { type: 'step-scheduled', ...x },
  { type: 'attempt-started', ...x, attempt: 1 },
  { type: 'attempt-running', ...x, attempt: 1, place: 'here' },
  { type: 'attempt-finished', ...x, attempt: 1, outcome: succeeded(), usage: null },
  { type: 'retry-planned', ...x, dueAt: now },
  { type: 'step-finished', ...x, state: 'success', reason: null },
  { type: 'step-finished', at: now, step: 'x', index: null, state: 'skipped', reason: null },
  { type: 'step-reused', ...x, ...reused, state: 'success' },
  { type: 'step-reused', ...x, ...reused, index: null, state: 'skipped' },
  { type: 'cache-looked-up', ...x, attempt: 1, look: { found: true, runId: 'run-0' } },
  { type: 'approval-requested', at: now, step: 'x', message: null, dueAt: now },
  { type: 'approval-decided', at: now, step: 'x', decision: 'approve', by: 'ada', reason: null },
  { type: 'wait-begun', ...x, dueAt: now },
  { type: 'wait-seen', ...x, output: { inline: null } },
  { type: 'look-failed', ...x, cause: 'code', message: 'it broke' },
];

/** Which of `events` can happen in a state, by their place. */
const possible: { readonly [state: string]: readonly number[] } = {
  none: [0, 5, 6, 7, 8],
  scheduled: [1, 5],
  queued: [2, 3, 9],
  running: [3, 9],
  up_for_retry: [0, 5],
  deferred: [5, 11],
  'deferred, waiting': [5, 13, 14],
  'up_for_retry, waiting': [0, 5, 12],
  success: [],
  failed: [],
  skipped: [],
  upstream_failed: [],
  cancelled: [],
};

for (const [state, places] of Object.entries(possible)) {
  test(`an event that cannot have happened to a step that is ${state} throws, the others fold`, () => {
    events.forEach((event, place) => {
      const { run } = states[state]?.() ?? scenarioOf('command');
      if (places.includes(place)) assert.doesNotThrow(() => evolve(run, event), event.type);
      else assert.throws(() => evolve(run, event), /impossible event/, event.type);
    });
  });
}

test('events that a run cannot have throw', () => {
  const open = (): Run => scenarioOf('command').run;
  const cancel: RunEvent = { type: 'cancel-requested', at: now, by: 'ada', reason: '' };
  const cases: readonly (readonly [string, RunEvent])[] = [
    ['opened twice', openedOf()],
    ['mapped twice', { type: 'step-mapped', at: now, step: 'x', length: 2 }],
    ['a step that is not there', { type: 'step-scheduled', at: now, step: 'y', index: 0 }],
    ['an instance that is not there', { type: 'step-scheduled', at: now, step: 'x', index: 1 }],
    [
      'an approval of a step that is none',
      { type: 'approval-requested', at: now, step: 'x', message: null, dueAt: now },
    ],
    ['an attempt out of turn', { type: 'attempt-started', at: now, step: 'x', index: 0, attempt: 2 }],
    [
      'a late report of an attempt that runs',
      { type: 'late-report-ignored', at: now, step: 'other', index: 0, attempt: 1, outcome: succeeded() },
    ],
    ['finished while steps run', { type: 'run-finished', at: now, state: 'success', reason: null }],
  ];
  for (const [what, event] of cases) assert.throws(() => evolve(open(), event), /impossible event/, what);
  const cancelling = open();
  evolve(cancelling, cancel);
  for (const event of [cancel, { type: 'run-timed-out', at: now } as const]) {
    assert.throws(() => evolve(cancelling, event), /impossible event, the run is cancelling/);
  }
  const cancelFinally: RunEvent = { ...cancel, type: 'finally-cancel-requested' };
  assert.throws(() => evolve(open(), cancelFinally), /impossible event, its finally-steps/);
  evolve(cancelling, cancelFinally);
  for (const event of [cancelFinally, { type: 'finally-timed-out', at: now } as const])
    assert.throws(() => evolve(cancelling, event), /impossible event, its finally-steps/);
});

test('an approval is asked for before anything else happens to it, and decided once', () => {
  const fresh = (): Run => scenarioOf('approval').run;
  const asked: RunEvent = { type: 'approval-requested', at: now, step: 'x', message: null, dueAt: now };
  const decided: RunEvent = {
    type: 'approval-decided',
    at: now,
    step: 'x',
    decision: 'reject',
    by: 'ada',
    reason: null,
  };
  assert.throws(() => evolve(fresh(), decided), /impossible event, it is none/);
  const run = fresh();
  evolve(run, asked);
  assert.throws(() => evolve(run, asked), /impossible event, it is deferred/);
  evolve(run, decided);
  assert.throws(() => evolve(run, decided), /impossible event, it was decided before/);
});

test('a mapped step that has begun cannot end as a whole', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'x', map: mapOver([1, 2]) })]));
  scenario.proceed(0);
  assert.throws(
    () =>
      evolve(scenario.run, { type: 'step-finished', at: now, step: 'x', index: null, state: 'failed', reason: null }),
    /it has begun/,
  );
});
