/** `contender runs`: each with its state, and what became of its models. */
import { noticesOf } from '../conductor/reports/notices-of.ts';
import { modelOutcomes, outcomeOf, type ModelOutcome, type RunOutcome } from '../conductor/reports/outcome.ts';
import { turnText } from '../conductor/waits/turn-text.ts';
import { finalRunStates, type RunState } from '../engine/event.ts';
import { loadConfig } from '../config/config.ts';
import { journalLimits, type Journal, type RunRow } from '../journal/journal.ts';
import { formatDuration } from '../std/duration.ts';
import { ProblemError } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { mindPipeline } from './mind-pipeline.ts';
import { withReading } from './reading.ts';
import { harmless, markOf, oneLine, paint } from './terminal.ts';

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
    const listed = await listedOf(journal, rows, isHeld);
    for (const line of options.json ? listed.map(asJson) : linesOf(listed)) process.stdout.write(`${line}\n`);
    if (rows.length === 0) await mindName(directory, journal, options.pipeline);
    if (rows.length === 0) process.stderr.write('No runs match.\n');
    await warnOfReports(journal);
    return exitStatus.success;
  });
}

/** A name of which there is no run at all may be a slip of the pen. */
async function mindName(directory: string, journal: Journal, pipeline: string | null): Promise<void> {
  if (pipeline === null || (await journal.runs({ pipeline, limit: 1 })).length > 0) return;
  await mindPipeline(directory, loadConfig(directory, process.env).repositories, pipeline);
}

const reportAgeMsMax = 7 * 24 * 3_600_000;

/** What the forge has not taken shows there as a status that is pending, and nowhere else. */
async function warnOfReports(journal: Journal): Promise<void> {
  const troubled = await journal.troubledOutbox(journalLimits.pageMax);
  const since = Date.now() - reportAgeMsMax;
  const late = troubled.filter(({ kind, at }) => at > since && ['status', 'check', 'comment'].includes(kind));
  const [newest] = late;
  if (newest === undefined) return;
  const count = late.length === 1 ? '1 report of this week is' : `${late.length} reports of this week are`;
  process.stderr.write(`${count} not delivered, the newest: ${harmless(newest.error ?? newest.key)}\n`);
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

interface ListedRun {
  readonly row: RunRow;
  readonly outcome: RunOutcome;
  readonly models: readonly ModelOutcome[];
  /** It has not ended, and no server is at work on it. */
  readonly interrupted: boolean;
  /** Which runs it waits for, in words; null: none. */
  readonly waits: string | null;
  /** Channels that did not take what they were told of it, so far. */
  readonly untold: readonly string[];
}

async function listedOf(
  journal: Journal,
  rows: readonly RunRow[],
  isHeld: () => Promise<boolean>,
): Promise<readonly ListedRun[]> {
  // Nobody carries them out, so they stand still until somebody does.
  const interrupted = rows.some((row) => row.finishedAt === null) && !(await isHeld());
  const listed: ListedRun[] = [];
  for (const row of rows) {
    const models =
      row.finishedAt === null ? [] : modelOutcomes(await journal.evaluations({ runId: row.id, limit: 100 }));
    const outcome = outcomeOf(row.state, models);
    const notices = await noticesOf(journal, row.id);
    const waits = row.state === 'running' ? await turnText(journal, row.opened) : null;
    const untold = [...new Set(notices.flatMap(({ channel, error }) => (error === null ? [] : [channel])))];
    listed.push({ row, outcome, models, interrupted: interrupted && row.finishedAt === null, waits, untold });
  }
  return listed;
}

/** Beyond it, the columns after it are not kept straight. */
const wordsWidthMax = 40;

function linesOf(listed: readonly ListedRun[]): readonly string[] {
  const words = listed.map(wordsOf);
  const width = Math.min(wordsWidthMax, Math.max(9, ...words.map(({ length }) => length)));
  return listed.map((each, index) => lineOf(each, (words[index] ?? '').padEnd(width)));
}

/** The state, and beside it what the state does not say. */
function wordsOf({ row, models, interrupted, untold }: ListedRun): string {
  const named = models.length > 1;
  return [
    row.state,
    ...(interrupted ? ['interrupted'] : []),
    ...(row.deadlineMissedAt === null ? [] : ['late']),
    ...(row.state === 'success' ? models.map(({ model, text }) => oneLine(named ? `${model} ${text}` : text)) : []),
    ...(untold.length === 0 ? [] : [`not told: ${untold.join(' ')}`]),
  ].join(', ');
}

function lineOf({ row, outcome, waits }: ListedRun, words: string): string {
  const { id, number, opened, reason, finishedAt } = row;
  const took = finishedAt === null ? '' : formatDuration(finishedAt - opened.at);
  const at = new Date(opened.at).toISOString().slice(0, 16).replace('T', ' ');
  const about = `${at}  ${opened.sha.slice(0, 7)}  ${opened.trigger.kind}  ${took}`;
  const said = reason ?? waits;
  const why = said === null ? '' : `\n    ${harmless(said)}`;
  return `${markOf(outcome)} ${words} ${paint('bold', `${opened.pipeline}#${number}`)}  ${about}  ${paint('gray', id)}${why}`;
}

function asJson({ row, outcome, models, interrupted, waits, untold }: ListedRun): string {
  const { id, number, opened, state, reason, finishedAt } = row;
  return JSON.stringify({
    id,
    number,
    pipeline: opened.pipeline,
    repository: opened.repository,
    sha: opened.sha,
    trigger: opened.trigger,
    state,
    outcome,
    models: models.map(({ model, kind, promotion, version }) => ({ model, verdict: kind, promotion, version })),
    interrupted,
    waits,
    deadlineMissedAt: row.deadlineMissedAt,
    untold,
    reason,
    openedAt: opened.at,
    finishedAt,
  });
}
