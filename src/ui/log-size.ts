/** What is said of how much of a log there is. */
import type { StepState } from '../engine/event.ts';
import { countText } from './number-text.ts';

export interface LogSize {
  readonly total: number;
  readonly closed: boolean;
  readonly state: StepState;
  /** What became of it, where nothing of it is here for its age; else null. */
  readonly removed: string | null;
}

const ended: ReadonlySet<StepState> = new Set(['success', 'failed', 'skipped']);

/** Of an attempt that has ended, the log is closed unless it could not be written. */
export function logSizeText({ total, closed, state, removed }: LogSize): string {
  if (total === 0 && !closed && removed !== null) return removed;
  const lines = countText(total, 'line');
  if (closed) return lines;
  return ended.has(state) ? `${lines}, and perhaps more that could not be kept` : `${lines}, still being written`;
}

/** Of a log without a line. One that never was closed may lie with another server, where they share no folder of logs. */
export function emptyLogText({ closed, state, removed }: Omit<LogSize, 'total'>): string {
  if (closed) return 'It wrote nothing.';
  if (removed !== null) return `This log was ${removed}.`;
  return ended.has(state) ? 'It wrote nothing that is kept here.' : 'Nothing written yet.';
}
