/** `contender runs`. */
import { refusalsOf } from '../conductor/read.ts';
import { finalRunStates, type RunState } from '../engine/event.ts';
import type { RunRow } from '../journal/journal.ts';
import { formatDuration } from '../std/duration.ts';
import { ProblemError } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
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
  return withReading(directory, async ({ journal }) => {
    const rows = await journal.runs({
      limit: options.limit,
      ...(options.pipeline === null ? {} : { pipeline: options.pipeline }),
      ...(state === null ? {} : { state }),
    });
    const refusals = await refusalsOf(journal, rows);
    for (const row of rows) {
      const refused = refusals.get(row.id) ?? null;
      process.stdout.write(`${options.json ? asJson(row, refused) : lineOf(row, refused)}\n`);
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

/** A model that should not be merged is red here too, under the word with which `run` ends. */
function lineOf({ id, number, opened, state, reason, finishedAt }: RunRow, refused: VerdictKind | null): string {
  const took = finishedAt === null ? '' : formatDuration(finishedAt - opened.at);
  const at = new Date(opened.at).toISOString().slice(0, 16).replace('T', ' ');
  const about = `${at}  ${opened.sha.slice(0, 7)}  ${opened.trigger.kind}  ${took}`;
  const why = reason === null ? '' : `\n    ${harmless(reason)}`;
  const word = refused === null ? state : 'refused';
  return `${markOf(refused === null ? state : 'failed')} ${word.padEnd(9)} ${paint('bold', `${opened.pipeline}#${number}`)}  ${about}  ${paint('gray', id)}${why}`;
}

function asJson({ id, number, opened, state, reason, finishedAt }: RunRow, refused: VerdictKind | null): string {
  return JSON.stringify({
    id,
    number,
    pipeline: opened.pipeline,
    repository: opened.repository,
    sha: opened.sha,
    trigger: opened.trigger,
    state,
    refused,
    reason,
    openedAt: opened.at,
    finishedAt,
  });
}
