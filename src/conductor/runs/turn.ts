/** One turn of one run: what came in for it, what the engine made of that, and the commit that keeps it. */
import type { Command } from '../../engine/engine.ts';
import type { AttemptKey, CacheLook, RunEvent } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import { attemptId, parseAttemptId, type AttemptReport } from '../../executor/executor.ts';
import type { Commit, RequestRow, Write } from '../../journal/journal.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { Look } from '../waits/waits.ts';
import { closingWrites } from './closing.ts';

export type Message =
  | { readonly type: 'report'; readonly report: AttemptReport }
  | { readonly type: 'look'; readonly look: Look }
  | { readonly type: 'cache'; readonly attemptId: string; readonly look: CacheLook }
  | { readonly type: 'request'; readonly row: RequestRow };

/** Whether there is a slot for the step. */
export type Admit = Extract<Command, { type: 'proceed' }>['admit'];

export interface Turn {
  readonly runId: string;
  readonly run: Run;
  readonly messages: readonly Message[];
  /** When its requests were taken in. */
  readonly at: number;
  readonly positionBefore: number;
  readonly stateBefore: Run['state'];
  readonly events: readonly RunEvent[];
}

/** What the engine is told of a message that is taken in at `at`. */
export function commandOf(message: Message, at: number, admit: Admit): Command {
  switch (message.type) {
    case 'request':
      return { ...message.row.request, at };
    case 'look': {
      const { step, index, outcome } = message.look;
      return { type: 'report-look', at, key: { step, index }, outcome };
    }
    case 'cache':
      return { type: 'report-cache', at, key: keyOf(message.attemptId), look: message.look };
    case 'report': {
      const { report } = message;
      const key = keyOf(report.attemptId);
      if (report.type === 'running') return { type: 'report-running', at: report.at, key, place: report.place };
      const { outcome, usage } = report;
      return { type: 'report-finished', at: report.at, key, outcome, usage, admit };
    }
    default:
      return unreachable(message);
  }
}

/** A request of which nothing comes is done too: without events, but at the position that it was decided at. */
export function commitOf(turn: Turn, channels: readonly string[]): Commit {
  const { run, runId, positionBefore, stateBefore, events, at } = turn;
  const done = requestsOf(turn).map(({ id }): Write => ({ write: 'request-done', id, at }));
  if (events.length + done.length === 0) return [];
  const { state, reason, finishedAt } = run;
  const becomes = state === stateBefore ? null : { state, reason, finishedAt };
  return [
    { write: 'append', runId, position: positionBefore, events, becomes },
    ...done,
    ...closingWrites(run, events, channels),
  ];
}

export function requestsOf({ messages }: Turn): readonly RequestRow[] {
  return messages.flatMap((message) => (message.type === 'request' ? [message.row] : []));
}

export function startedIn(runId: string, events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'attempt-started' ? [attemptId(runId, event)] : []));
}

export function keyOf(id: string): AttemptKey & { readonly runId: string } {
  const key = parseAttemptId(id);
  if (key === null) throw new Error(`not an attempt's id: ${id}`);
  return key;
}
