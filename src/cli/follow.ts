/** Shows a run until it, and what follows from it, has ended; whoever asks for an earlier end, has it cancelled. */
import { outcomeOf } from '../conductor/reports/outcome.ts';
import { approvalsAwaited } from '../engine/engine.ts';
import type { Run, Step } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import { formatDuration } from '../std/duration.ts';
import type { ExitStatus } from './exit-status.ts';
import type { Interruption } from './interruption.ts';
import { isLive, openProgress } from './open-progress.ts';
import { endLines, outcomeLines, statusOf } from './outcome.ts';
import { cacheText } from './step-lines.ts';
import { oneLine } from './terminal.ts';

/** A run, wherever it is carried out. */
export interface FollowedRun {
  read(): Promise<Run | null>;
  /** What one that has not begun waits for, in words. */
  turn(run: Run): Promise<string | null>;
  /** Why a step of it does not go on, in words. */
  waits(run: Run, step: Step): string | null;
  /** Resolves when there may be something new. */
  changed(): Promise<void>;
  cancel(reason: string): Promise<void>;
  /** Resolves when what follows from the end (a promotion, a report) was carried out, or tried. */
  settled(): Promise<void>;
  report(): Promise<RunReport | null>;
}

export async function follow(followed: FollowedRun, interruption: Interruption, json: boolean): Promise<ExitStatus> {
  const stream = json ? process.stderr : process.stdout;
  const run = await showUntilEnd(followed, interruption, stream);
  const { state } = run;
  await followed.settled();
  const report = await followed.report();
  if (report === null) throw new Error('the run is not in the journal');
  const outcome = outcomeOf(
    state,
    report.challenges.map(({ verdict }) => verdict),
  );
  const shown = outcomeLines(report, stream, isLive(stream, process.env));
  for (const line of [...shown, ...endLines(outcome, report, stream)]) stream.write(`${line}\n`);
  // A report speaks in a forge's words; what a program reads here, it reads in `contender runs` too.
  const steps = report.steps.map((step) => ({ ...step, cache: cacheOf(run, step.name) }));
  if (json) process.stdout.write(`${JSON.stringify({ ...report, steps, state, outcome })}\n`);
  return statusOf(outcome, interruption.asked());
}

function cacheOf({ steps }: Run, name: string): string | null {
  const step = steps.get(name);
  return step === undefined ? null : cacheText(step);
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

/** Which runs it waits for, and whether it is late. */
async function standingLines(followed: FollowedRun, run: Run): Promise<readonly string[]> {
  const turn = run.begunAt === null ? await followed.turn(run) : null;
  const { deadlineMs } = run.definition;
  const isLate = run.deadlineMissed && deadlineMs !== null;
  return [
    ...(turn === null ? [] : [`It ${turn}`]),
    ...(isLate ? [`It has missed its deadline of ${formatDuration(deadlineMs)}`] : []),
  ];
}

/** Gives the run as it ended. */
async function showUntilEnd(
  followed: FollowedRun,
  interruption: Interruption,
  stream: NodeJS.WriteStream,
): Promise<Run> {
  const progress = openProgress(stream, process.env, (run, step) => followed.waits(run, step));
  const note = (line: string): void => progress.note(line);
  const told = new Set<string>();
  interruption.answer(note, () => {
    followed.cancel('interrupted in the terminal').catch((error: unknown) => note(String(error)));
  });
  try {
    for (;;) {
      // Asked for before the look, so that a change during it is not missed.
      const changed = followed.changed();
      const run = await followed.read();
      if (run !== null) progress.show(run);
      if (run !== null) for (const line of newlyAwaited(run, told)) note(line);
      const standing = run === null ? [] : await standingLines(followed, run);
      for (const line of standing.filter((each) => !told.has(each))) {
        told.add(line);
        note(line);
      }
      if (run !== null && run.finishedAt !== null) return run;
      await changed;
    }
  } finally {
    progress.end();
    // Nothing is left to cancel.
    interruption.end();
  }
}
