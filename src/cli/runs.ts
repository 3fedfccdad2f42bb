/** `contender runs`. */
import { finalRunStates, type RunState } from '../engine/event.ts';
import type { RunRow } from '../journal/journal.ts';
import { formatDuration } from '../std/duration.ts';
import { ProblemError } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { withReading } from './reading.ts';
import { harmless, markOf, paint } from './terminal.ts';

export interface RunsOptions {
  readonly pipeline: string | null;
  readonly state: string | null;
  readonly limit: number;
  readonly json: boolean;
}

export function runs(directory: string, options: RunsOptions): Promise<ExitStatus> {
  const state = options.state === null ? null : parseState(options.state);
  return withReading(directory, async ({ journal, isHeld }) => {
    const rows = await journal.runs({
      limit: options.limit,
      ...(options.pipeline === null ? {} : { pipeline: options.pipeline }),
      ...(state === null ? {} : { state }),
    });
    // Nobody carries them out, so they stand still until somebody does.
    const interrupted = rows.some((row) => row.finishedAt === null) && !(await isHeld());
    for (const row of rows) {
      const listed = { ...row, interrupted: interrupted && row.finishedAt === null };
      process.stdout.write(`${options.json ? asJson(listed) : lineOf(listed)}\n`);
    }
    if (rows.length === 0) process.stderr.write('No runs match.\n');
    return exitStatus.success;
  });
}

function parseState(text: string): RunState {
  const known: readonly RunState[] = ['running', 'cancelling', ...finalRunStates];
  const state = known.find((each) => each === text);
  if (state !== undefined) return state;
  throw new ProblemError({
    code: 'usage',
    message: `"${text}" is no state of a run`,
    where: null,
    help: `One of ${known.join(', ')}.`,
  });
}

interface ListedRun extends RunRow {
  /** It has not ended, and no server is at work on it. */
  readonly interrupted: boolean;
}

function lineOf({ id, number, opened, state, reason, finishedAt, interrupted }: ListedRun): string {
  const took = finishedAt === null ? '' : formatDuration(finishedAt - opened.at);
  const at = new Date(opened.at).toISOString().slice(0, 16).replace('T', ' ');
  const about = `${at}  ${opened.sha.slice(0, 7)}  ${opened.trigger.kind}  ${took}`;
  const why = reason === null ? '' : `\n    ${harmless(reason)}`;
  const word = interrupted ? `${state}, interrupted` : state;
  return `${markOf(state)} ${word.padEnd(9)} ${paint('bold', `${opened.pipeline}#${number}`)}  ${about}  ${paint('gray', id)}${why}`;
}

function asJson({ id, number, opened, state, reason, finishedAt, interrupted }: ListedRun): string {
  return JSON.stringify({
    id,
    number,
    pipeline: opened.pipeline,
    repository: opened.repository,
    sha: opened.sha,
    trigger: opened.trigger,
    state,
    interrupted,
    reason,
    openedAt: opened.at,
    finishedAt,
  });
}
