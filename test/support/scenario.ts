/**
 * A run told in short lines, for tests that give, do and expect plain data. An attempt is written `train`, `train[2]` or
 * `train#3`: index 0 and attempt 1 where not given. Times are seconds since the run was opened.
 */
import { decide, type Command } from '../../src/engine/engine.ts';
import type { AttemptKey, AttemptOutcome, LookOutcome, RunEvent, RunOpened } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import { foldOf, openedAt, openedOf } from './drive.ts';

export class Scenario {
  readonly run: Run;
  readonly events: RunEvent[] = [];
  readonly #definition: PipelineDefinition;
  #slots: number;

  constructor(definition: PipelineDefinition, slots = Number.POSITIVE_INFINITY, given: Partial<RunOpened> = {}) {
    this.#definition = definition;
    this.run = foldOf(definition, openedOf(given), []);
    this.#slots = slots;
  }

  proceed(second: number): string[] {
    return this.do({ type: 'proceed', at: at(second), admit: this.#admit });
  }

  running(second: number, attempt: string, place = 'here'): string[] {
    return this.do({ type: 'report-running', at: at(second), key: keyOf(attempt), place });
  }

  finished(second: number, attempt: string, outcome: AttemptOutcome): string[] {
    this.#slots += 1;
    return this.do({
      type: 'report-finished',
      at: at(second),
      key: keyOf(attempt),
      outcome,
      usage: null,
      admit: this.#admit,
    });
  }

  look(second: number, instance: string, outcome: LookOutcome): string[] {
    return this.do({ type: 'report-look', at: at(second), key: keyOf(instance), outcome });
  }

  cancel(second: number, by = 'ada', reason = 'wrong data'): string[] {
    return this.do({ type: 'cancel', at: at(second), by, reason });
  }

  cancelFinally(second: number, by = 'grace', reason = ''): string[] {
    return this.do({ type: 'cancel-finally', at: at(second), by, reason });
  }

  decide(second: number, step: string, decision: 'approve' | 'reject', by = 'ada', reason: string | null = null) {
    return this.do({ type: 'decide', at: at(second), step, decision, by, reason });
  }

  do(command: Command): string[] {
    const events = decide(this.run, command);
    this.events.push(...events);
    return told(events);
  }

  /** The same run as its journal gives it back. */
  folded(): Run {
    return foldOf(this.#definition, this.run.opened, this.events);
  }

  readonly #admit = (): boolean => {
    if (this.#slots <= 0) return false;
    this.#slots -= 1;
    return true;
  };
}

export function keyOf(attempt: string): AttemptKey {
  const [, step = '', index = '0', number = '1'] = /^([^[#]+)(?:\[(\d+)\])?(?:#(\d+))?$/.exec(attempt) ?? [];
  return { step, index: Number(index), attempt: Number(number) };
}

/** The events as short lines, without what follows from the others: scheduled, finished attempts. */
export function told(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    const line = lineOf(event);
    return line === null ? [] : [line];
  });
}

function lineOf(event: RunEvent): string | null {
  switch (event.type) {
    case 'run-opened':
    case 'step-scheduled':
    case 'attempt-finished':
      return null;
    case 'step-mapped':
      return `${event.step} has ${event.length} instances`;
    case 'attempt-started':
      return `start ${nameOf(event)}`;
    case 'attempt-running':
      return `${nameOf(event)} runs at ${event.place}`;
    case 'cache-looked-up':
      return `${nameOf(event)} ${event.look.found ? `is in the cache from ${event.look.runId}` : event.look.why}`;
    case 'late-report-ignored':
      return `late report of ${nameOf(event)}`;
    case 'retry-planned':
      return `${nameOf({ ...event, attempt: 1 })} up_for_retry at ${(event.dueAt - openedAt) / 1000}`;
    case 'wait-begun':
      return `${nameOf({ ...event, attempt: 1 })} waits until ${(event.dueAt - openedAt) / 1000}`;
    case 'look-failed':
      return `${nameOf({ ...event, attempt: 1 })} look failed (${event.cause})`;
    case 'wait-seen':
      return `${nameOf({ ...event, attempt: 1 })} is there`;
    case 'approval-requested':
      return `ask about ${event.step}${event.message === null ? '' : `: ${event.message}`} until ${(event.dueAt - openedAt) / 1000}`;
    case 'approval-decided':
      return `${event.by}: ${event.decision} ${event.step}`;
    case 'step-finished':
      return `${nameOf({ ...event, index: event.index ?? 0, attempt: 1 })} ${event.state}${reasonOf(event)}`;
    case 'step-reused':
      return `${nameOf({ ...event, index: event.index ?? 0, attempt: 1 })} ${event.state} as in ${event.runId}`;
    case 'cancel-requested':
      return `cancelled by ${event.by}`;
    case 'finally-cancel-requested':
      return `finally-steps cancelled by ${event.by}`;
    case 'run-timed-out':
    case 'finally-timed-out':
    case 'deadline-missed':
      return event.type;
    case 'run-finished':
      return `run ${event.state}${reasonOf(event)}`;
    default:
      return unreachable(event);
  }
}

function nameOf(key: AttemptKey): string {
  return `${key.step}${key.index === 0 ? '' : `[${key.index}]`}${key.attempt === 1 ? '' : `#${key.attempt}`}`;
}

function reasonOf(event: { readonly reason: string | null }): string {
  return event.reason === null ? '' : ` (${event.reason})`;
}

function at(second: number): number {
  return openedAt + second * 1000;
}
