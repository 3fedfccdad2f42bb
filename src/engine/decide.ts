/**
 * What follows from what is asked of a run, told in the order in which it is decided: a report first, then the clock,
 * then the steps that became decided, then those that get a slot, then the end. The first end of an attempt counts; a
 * command that comes again, or too late, changes nothing.
 */
import { unreachable } from '../std/unreachable.ts';
import { decideApproval } from './approval.ts';
import { reportCache, reportFinished, reportRunning } from './attempt.ts';
import { cancel, cancelFinally, finishRun, watchClock, watchDeadline } from './ending.ts';
import type { AttemptKey, AttemptOutcome, CacheLook, LookOutcome, RunEvent, Usage } from './event.ts';
import { decideChanged, scheduleDue, startReady, type Admit } from './proceed.ts';
import type { RunRequest } from './request.ts';
import type { Run } from './run.ts';
import type { Turn } from './turn.ts';
import { reportLook } from './waiting.ts';

/** What is asked of a run. Each carries the time; `admit` says whether a ready instance gets a slot now. */
export type Command =
  /** Go on: start what is ready, retry what is due, end what has ended. Repeating it is harmless. */
  | { readonly type: 'proceed'; readonly at: number; readonly admit: Admit }
  /** Of a run that may not go on yet. */
  | { readonly type: 'watch-deadline'; readonly at: number }
  | { readonly type: 'report-running'; readonly at: number; readonly key: AttemptKey; readonly place: string }
  | { readonly type: 'report-cache'; readonly at: number; readonly key: AttemptKey; readonly look: CacheLook }
  /** What was looked for. */
  | {
      readonly type: 'report-look';
      readonly at: number;
      readonly key: Omit<AttemptKey, 'attempt'>;
      readonly outcome: LookOutcome;
    }
  /** Followed by whatever `proceed` would do. */
  | {
      readonly type: 'report-finished';
      readonly at: number;
      readonly key: AttemptKey;
      readonly outcome: AttemptOutcome;
      readonly usage: Usage | null;
      readonly admit: Admit;
    }
  | (RunRequest & { readonly at: number });

/**
 * The events that follow from `command`, already folded into `run`; none where nothing changes. Throws for a report of
 * an attempt that was never started.
 */
export function decide(run: Run, command: Command): RunEvent[] {
  const turn: Turn = { run, at: command.at, events: [] };
  switch (command.type) {
    case 'proceed':
      proceed(turn, command.admit);
      break;
    case 'watch-deadline':
      watchDeadline(turn);
      break;
    case 'report-running':
      reportRunning(turn, command.key, command.place);
      break;
    case 'report-cache':
      reportCache(turn, command.key, command.look);
      break;
    case 'report-look':
      reportLook(turn, command.key, command.outcome);
      break;
    case 'report-finished':
      reportFinished(turn, command.key, command.outcome, command.usage);
      proceed(turn, command.admit);
      break;
    case 'cancel':
      // The last moment to tell that it was late.
      watchDeadline(turn);
      cancel(turn, command.by, command.reason);
      finishRun(turn);
      break;
    case 'cancel-finally':
      cancelFinally(turn, command.by, command.reason);
      finishRun(turn);
      break;
    case 'decide':
      watchDeadline(turn);
      decideApproval(turn, command);
      finishRun(turn);
      break;
    default:
      unreachable(command);
  }
  return turn.events;
}

function proceed(turn: Turn, admit: Admit): void {
  watchClock(turn);
  scheduleDue(turn);
  decideChanged(turn);
  startReady(turn, admit);
  finishRun(turn);
}
