/** Shows a run until it, and what follows from it, has ended. Ctrl-C cancels it once, and ends the command the second time. */
import type { Run } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { openProgress } from './open-progress.ts';
import { endLines, outcomeLines, statusOf } from './outcome.ts';

/** A run, wherever it is carried out. */
export interface FollowedRun {
  read(): Promise<Run | null>;
  /** Resolves when there may be something new. */
  changed(): Promise<void>;
  cancel(reason: string): Promise<void>;
  /** Resolves when what follows from the end (a promotion, a report) was carried out, or tried. */
  settled(): Promise<void>;
  report(): Promise<RunReport | null>;
}

export async function follow(followed: FollowedRun, json: boolean): Promise<ExitStatus> {
  const stream = json ? process.stderr : process.stdout;
  const signal = await showUntilEnd(followed, stream);
  await followed.settled();
  const report = await followed.report();
  if (report === null) throw new Error('the run is not in the journal');
  for (const line of [...outcomeLines(report, stream), ...endLines(report, stream)]) stream.write(`${line}\n`);
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return statusOf(report, signal);
}

/** Gives the signal that it was asked to end with, if there was one. */
async function showUntilEnd(followed: FollowedRun, stream: NodeJS.WriteStream): Promise<NodeJS.Signals | null> {
  const progress = openProgress(stream, process.env);
  let asked: NodeJS.Signals | null = null;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (asked !== null) process.exit(signal === 'SIGINT' ? exitStatus.interrupted : exitStatus.terminated);
    asked = signal;
    progress.note('Cancelling; press Ctrl-C again to end at once.');
    followed.cancel('interrupted in the terminal').catch((error: unknown) => progress.note(String(error)));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    for (;;) {
      // Asked for before the look, so that a change during it is not missed.
      const changed = followed.changed();
      const run = await followed.read();
      if (run !== null) progress.show(run);
      if (run !== null && run.finishedAt !== null) return asked;
      await changed;
    }
  } finally {
    progress.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
