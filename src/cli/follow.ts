/** Shows a run until it, and what follows from it, has ended. Ctrl-C cancels it once, and ends the command the second time. */
import { approvalsAwaited } from '../engine/engine.ts';
import type { Run } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { openProgress } from './open-progress.ts';
import { endLine, outcomeLines, statusOf } from './outcome.ts';
import { oneLine } from './terminal.ts';

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
  for (const line of [...outcomeLines(report, stream), endLine(report, stream)]) stream.write(`${line}\n`);
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return statusOf(report, signal);
}

/** What a person is to decide, once each, with how to. */
function newlyAwaited(run: Run, told: Set<string>): readonly string[] {
  return approvalsAwaited(run).flatMap(({ step, message }) => {
    if (told.has(step)) return [];
    told.add(step);
    const { runId } = run.opened;
    return [
      `Waiting for the approval of ${step}${message === null ? '' : `: ${oneLine(message)}`}`,
      `  In another terminal: contender approve ${runId} ${step}`,
      `                   or: contender reject ${runId} ${step} --reason "…"`,
    ];
  });
}

/** Gives the signal that it was asked to end with, if there was one. */
async function showUntilEnd(followed: FollowedRun, stream: NodeJS.WriteStream): Promise<NodeJS.Signals | null> {
  const progress = openProgress(stream, process.env);
  const told = new Set<string>();
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
      if (run !== null) for (const line of newlyAwaited(run, told)) progress.note(line);
      if (run !== null && run.finishedAt !== null) return asked;
      await changed;
    }
  } finally {
    progress.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
