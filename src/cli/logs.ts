/** `contender logs`: what the steps wrote, as it stands on disk, or as it comes. */
import { readRun } from '../conductor/read.ts';
import { waitText } from '../conductor/waits/waiting-text.ts';
import { hasLookLog } from '../engine/engine.ts';
import type { Instance, Run, Step } from '../engine/run.ts';
import { attemptId } from '../executor/executor.ts';
import { removedText, type LogLine, type LogStore } from '../outputs/outputs.ts';
import { ProblemError } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { findRun, stepOf, withReading } from './reading.ts';
import { harmless, paint } from './terminal.ts';

export interface LogsOptions {
  readonly run: string;
  readonly step: string | null;
  readonly attempt: number | null;
  readonly follow: boolean;
}

interface Labelled {
  readonly id: string;
  readonly label: string;
}

interface Seen {
  readonly lines: number;
  readonly closed: boolean;
}

const linesAtOnce = 1000;
const lookAgainMs = 250;
const namedMax = 10;

export function logs(directory: string, options: LogsOptions): Promise<ExitStatus> {
  return withReading(directory, async (reading) => {
    const row = await findRun(reading.journal, options.run);
    const seen = new Map<string, Seen>();
    for (;;) {
      const run = await readRun(reading.journal, row.id);
      if (run === null) throw new Error(`run ${row.id} cannot be read`);
      if (options.step !== null) stepOf(run, options.step);
      const attempts = attemptsOf(run, options);
      for (const { id, label } of attempts) await printNew(reading.logs, id, label, seen);
      if (!options.follow || run.finishedAt !== null) {
        if (attempts.length === 0) throw attemptUnknown(run, options);
        const removed = removedText(run.finishedAt, reading.logsKeptMs, Date.now());
        for (const line of besideLog(attempts, seen, run, removed)) process.stderr.write(`${line}\n`);
        return exitStatus.success;
      }
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
  });
}

function attemptsOf(run: Run, options: LogsOptions): readonly Labelled[] {
  const attempts: Labelled[] = [];
  for (const [name, step] of run.steps) {
    if (options.step !== null && options.step !== name) continue;
    for (const instance of step.instances ?? []) {
      const count = logCount(step, instance);
      const attempt = options.attempt ?? count;
      if (attempt < 1 || attempt > count) continue;
      const label = step.definition.map === null ? name : `${name}[${instance.index}]`;
      attempts.push({ id: attemptId(run.opened.runId, { step: name, index: instance.index, attempt }), label });
    }
  }
  return attempts;
}

async function printNew(logs: LogStore, id: string, label: string, seen: Map<string, Seen>): Promise<void> {
  for (;;) {
    const from = (seen.get(id)?.lines ?? 0) + 1;
    const { lines, closed } = await logs.read(id, from, from + linesAtOnce - 1);
    for (const line of lines) process.stdout.write(`${lineText(label, line)}\n`);
    seen.set(id, { lines: lines.at(-1)?.number ?? from - 1, closed });
    if (lines.length === 0) return;
  }
}

function lineText(label: string, line: LogLine): string {
  const text = harmless(line.text);
  return `${paint('gray', label)} ${line.stream === 'contender' ? paint('yellow', text) : text}`;
}

/**
 * Beside the log, not in it: nothing at all would leave open whether there is one. One that was never closed may lie
 * elsewhere, or could not be written to its end.
 */
function besideLog(
  attempts: readonly Labelled[],
  seen: ReadonlyMap<string, Seen>,
  run: Run,
  removed: string | null,
): readonly string[] {
  const isOver = run.finishedAt !== null;
  const kinds = Map.groupBy(attempts, ({ id }) => {
    const { lines, closed } = seen.get(id) ?? { lines: 0, closed: false };
    if (lines > 0) return isOver && !closed ? 'may have written more, which could not be kept' : null;
    if (!isOver) return 'wrote nothing yet';
    if (closed) return 'wrote nothing';
    return removed === null ? 'wrote nothing that is kept here' : `left a log that was ${removed}`;
  });
  return [...kinds].flatMap(([kind, those]) => {
    if (kind === null) return [];
    const named = those.slice(0, namedMax).map(({ label }) => label);
    const more = those.length > namedMax ? ` and ${those.length - namedMax} more` : '';
    return `${named.join(', ')}${more} ${kind}`;
  });
}

/** What was asked for was never tried; printing nothing would read as a step that wrote nothing. */
function attemptUnknown(run: Run, { step: name }: LogsOptions): ProblemError {
  const step = name === null ? undefined : run.steps.get(name);
  const who = step === undefined ? 'no step of the run' : `step "${step.definition.name}"`;
  const count = Math.max(0, ...(step === undefined ? [...run.steps.values()] : [step]).map(attemptCount));
  if (count > 0) {
    const attempts = `${count} ${count === 1 ? 'attempt' : 'attempts'}`;
    const help = `Give --attempt ${count === 1 ? '1' : `1 to ${count}`}, or leave it out for the last.`;
    return unknown(step === undefined ? `${who} has more than ${attempts}` : `${who} has ${attempts}`, help);
  }
  if (step?.definition.work.kind === 'approval')
    return unknown(
      `${who} is an approval, which has no log: ${step.state}`,
      step.reason ?? 'Its page says what became of it.',
    );
  const waits = step === undefined ? null : waitText(run, step);
  if (waits !== null)
    return unknown(`${who} ${waits}, and looking writes no log`, 'Its page says what the last look saw.');
  if (step?.instances?.some(({ wait }) => wait !== null) === true)
    return unknown(
      `${who} only waited, which writes no log: ${step.state}`,
      step.reason ?? 'What it saw is its output.',
    );
  if (run.finishedAt === null)
    return unknown(`${who} has ${step === undefined ? '' : 'not '}started yet`, 'Wait for it with --follow.');
  const ended = step === undefined ? `${who} started: ${run.state}` : `${who} never started: ${step.state}`;
  return unknown(ended, step?.reason ?? run.reason ?? '`contender logs RUN` shows the steps that started.');
}

/** One of each attempt, or one of all looks of a function. */
function logCount({ definition }: Step, instance: Instance): number {
  return hasLookLog(definition.work, instance) ? 1 : instance.attempts.length;
}

function attemptCount(step: Step): number {
  return Math.max(0, ...(step.instances ?? []).map((instance) => logCount(step, instance)));
}

function unknown(message: string, help: string): ProblemError {
  return new ProblemError({ code: 'attempt-unknown', message, where: null, help });
}
