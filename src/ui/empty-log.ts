/** What is said of a log without a line. */
import type { StepState } from '../engine/event.ts';

const ended: ReadonlySet<StepState> = new Set(['success', 'failed', 'skipped']);

/** One that never was closed may lie with another server, where they share no folder of logs. */
export function emptyLogText({ closed, state }: { readonly closed: boolean; readonly state: StepState }): string {
  if (closed) return 'It wrote nothing.';
  return ended.has(state) ? 'It wrote nothing that is kept here.' : 'Nothing written yet.';
}
