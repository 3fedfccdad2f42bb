/**
 * What a waiting step is looked for, with the references of its definition as values: what to look at, and under which
 * key, so that those who wait for the same thing share the look.
 */
import { bindTemplate, type AwaitedLook } from '../../engine/engine.ts';
import { firstTriggerOf, type LookOutcome, type StepState } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { FilePlace } from '../../executor/executor.ts';
import type { RunRow } from '../../journal/journal.ts';
import { lookSpecOf, type AnyLookSpec } from './look-spec.ts';
import type { Template, WaitWork } from '../../pipeline/definition.ts';
import type { OutsideSubject } from '../../sensors/sensors.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { unreachable } from '../../std/unreachable.ts';

export type Subject =
  | {
      readonly kind: 'runs';
      readonly repository: string;
      readonly pipeline: string;
      /** Whose runs count beside those of the default branch: of the push that is waited in, else null. */
      readonly branch: string | null;
      /** Logical dates, both included. */
      readonly from: number;
      readonly to: number;
      /** Whether the steps of the run are asked for too. */
      readonly steps: boolean;
    }
  | ({ readonly kind: 'file' } & FilePlace)
  | { readonly kind: 'function'; readonly spec: AnyLookSpec }
  | OutsideSubject;

/** The newest run that counts; `steps` where they are asked for. */
export interface SeenRun {
  readonly row: RunRow;
  readonly steps: ReadonlyMap<string, StepState>;
}

export type Seen =
  | { readonly kind: 'run'; readonly run: SeenRun | null }
  | { readonly kind: 'outcome'; readonly outcome: LookOutcome };

export interface Awaited {
  /** Equal for the same thing. */
  readonly key: string;
  readonly subject: Subject;
  /** `daily-features of 2026-11-24`: it stands after "waits for". */
  readonly what: string;
  readonly judge: (seen: Seen) => LookOutcome;
}

type Condition = WaitWork['for'];

/** The error is a sentence: nothing can be looked for. */
export function awaitedBy(run: Run, look: AwaitedLook): Result<Awaited, string> {
  const { step, work, instance } = look;
  const bind = (name: string, template: Template): Result<string, string> => {
    const key = { step: step.definition.name, index: instance.index, attempt: 1 };
    const text = bindTemplate(run, template, key);
    if (!text.ok) return text;
    if (typeof text.value === 'string' && text.value !== '') return success(text.value);
    return failure(
      typeof text.value === 'string'
        ? `the ${name} to wait for is empty`
        : `the ${name} to wait for is known to steps alone: it is an artifact, or stands in an output of more than 48 KB`,
    );
  };
  const condition = work.for;
  switch (condition.condition) {
    case 'file':
      return then(bind('path', condition.path), (path) => fileAt(run, path));
    case 'http':
      return then(bind('address', condition.url), (url) => {
        const { status } = condition;
        return outside(run, { kind: 'http', url, status, reach: reachOf(run) }, `${url} to answer ${status}`);
      });
    case 'object':
      return then(bind('address', condition.url), (url) =>
        outside(run, { kind: 'object', url, store: condition.store, reach: reachOf(run) }, url),
      );
    case 'pipeline':
    case 'step':
      return then(bind('date', condition.date), (date) => runAt(run, condition, date));
    case 'function':
      return then(lookSpecOf(run, look, condition), functionAs);
    default:
      return unreachable(condition);
  }
}

function then<T, U>(bound: Result<T, string>, make: (value: T) => Result<U, string>): Result<U, string> {
  return bound.ok ? make(bound.value) : bound;
}

/** Code from a stranger's fork sends nobody into the network that the server stands in. */
function reachOf({ opened }: Run): 'internal' | 'public' {
  const trigger = firstTriggerOf(opened.trigger);
  return trigger.kind === 'pull-request' && trigger.fork ? 'public' : 'internal';
}

function fileAt({ opened }: Run, path: string): Result<Awaited, string> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    return failure(
      `${path} is no path of a file: wait for an address with waitFor.http, for an object with waitFor.object`,
    );
  const { repository, sha } = opened;
  const subject = { kind: 'file', repository, sha, path } as const;
  return success({ key: JSON.stringify(subject), subject, what: path, judge: outcomeOf });
}

/** Each instance has its own input, so its looks are its own. */
function functionAs(spec: AnyLookSpec): Result<Awaited, string> {
  return success({ key: spec.attemptId, subject: { kind: 'function', spec }, what: 'its function', judge: outcomeOf });
}

/** Repositories share no looks: what holds up those of one holds up no other. */
function outside({ opened }: Run, subject: OutsideSubject, what: string): Result<Awaited, string> {
  return success({ key: JSON.stringify([opened.repository, subject]), subject, what, judge: outcomeOf });
}

function outcomeOf(seen: Seen): LookOutcome {
  if (seen.kind === 'run') throw new Error('a run is no answer to what was asked');
  return seen.outcome;
}

type RunCondition = Extract<Condition, { condition: 'pipeline' | 'step' }>;

/** A date without a time is any moment of that day (UTC); one with a time is the logical date itself. */
function runAt({ opened }: Run, condition: RunCondition, date: string): Result<Awaited, string> {
  const at = Date.parse(date) + condition.shiftMs;
  // What is beyond the years that a date can have is no date either.
  if (Number.isNaN(new Date(at).getTime())) return failure(`the date of the wait is none: ${JSON.stringify(date)}`);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(date);
  const from = isDay ? startOfDay(at) : at;
  const text = isDay ? new Date(from).toISOString().slice(0, 10) : new Date(at).toISOString();
  const { pipeline } = condition;
  const first = firstTriggerOf(opened.trigger);
  const subject = {
    kind: 'runs',
    repository: opened.repository,
    pipeline,
    branch: first.kind === 'push' || first.kind === 'pipeline' ? first.branch : null,
    from,
    to: isDay ? from + dayMs - 1 : at,
    steps: condition.condition === 'step',
  } as const;
  const what =
    condition.condition === 'step' ? `${condition.step} in ${pipeline} of ${text}` : `${pipeline} of ${text}`;
  const judge = (seen: Seen): LookOutcome => {
    if (seen.kind === 'outcome') return seen.outcome;
    return seen.run === null
      ? { kind: 'not-yet', reason: `there is no run of ${pipeline} for ${text}` }
      : judgeRun(condition, seen.run);
  };
  return success({ key: JSON.stringify(subject), subject, what, judge });
}

const dayMs = 86_400_000;

function startOfDay(at: number): number {
  return Math.floor(at / dayMs) * dayMs;
}

function judgeRun(condition: RunCondition, { row, steps }: SeenRun): LookOutcome {
  const { pipeline } = condition;
  const wanted = condition.states.join(' or ');
  const named = `${pipeline}#${row.number}`;
  if (condition.condition === 'pipeline') {
    if (condition.states.some((state) => state === row.state)) return seenAs({ runId: row.id, state: row.state });
    return unlessEnded(condition, row.state, `${named} is ${row.state}, and ${wanted} is waited for`);
  }
  const state = steps.get(condition.step);
  if (state === undefined) return { kind: 'not-yet', reason: `${named} has no step ${condition.step}` };
  if (condition.states.some((each) => each === state)) return seenAs({ runId: row.id, step: condition.step, state });
  return unlessEnded(condition, state, `${condition.step} in ${named} is ${state}, and ${wanted} is waited for`);
}

function unlessEnded({ failStates = [] }: RunCondition, state: string, reason: string): LookOutcome {
  return { kind: failStates.some((each) => each === state) ? 'ended-otherwise' : 'not-yet', reason };
}

function seenAs(inline: { readonly [key: string]: string }): LookOutcome {
  return { kind: 'seen', output: { inline } };
}
