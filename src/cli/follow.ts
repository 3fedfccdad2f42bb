/** Shows a run until it, and what follows from it, has ended; whoever asks for an earlier end, has it cancelled. */
import { outcomeOf } from '../conductor/outcome.ts';
import type { Run } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import type { ExitStatus } from './exit-status.ts';
import type { Interruption } from './interruption.ts';
import { openProgress } from './open-progress.ts';
import { endLine, outcomeLines, statusOf } from './outcome.ts';

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

export async function follow(followed: FollowedRun, interruption: Interruption, json: boolean): Promise<ExitStatus> {
  const stream = json ? process.stderr : process.stdout;
  const { state } = await showUntilEnd(followed, interruption, stream);
  await followed.settled();
  const report = await followed.report();
  if (report === null) throw new Error('the run is not in the journal');
  const outcome = outcomeOf(
    state,
    report.challenges.map(({ verdict }) => verdict),
  );
  for (const line of [...outcomeLines(report, stream), endLine(outcome, report, stream)]) stream.write(`${line}\n`);
  // A report speaks in a forge's words; what a program reads here, it reads in `contender runs` too.
  if (json) process.stdout.write(`${JSON.stringify({ ...report, state, outcome })}\n`);
  return statusOf(outcome, interruption.asked());
}

/** Gives the run as it ended. */
async function showUntilEnd(
  followed: FollowedRun,
  interruption: Interruption,
  stream: NodeJS.WriteStream,
): Promise<Run> {
  const progress = openProgress(stream, process.env);
  const note = (line: string): void => progress.note(line);
  interruption.answer(note, () => {
    followed.cancel('interrupted in the terminal').catch((error: unknown) => note(String(error)));
  });
  try {
    for (;;) {
      // Asked for before the look, so that a change during it is not missed.
      const changed = followed.changed();
      const run = await followed.read();
      if (run !== null) progress.show(run);
      if (run !== null && run.finishedAt !== null) return run;
      await changed;
    }
  } finally {
    progress.end();
    // Nothing is left to cancel.
    interruption.end();
  }
}
