/** `contender promote`: a person's word makes a model champion that a run reported, here or by the server of the folder. */
import { setTimeout as pause } from 'node:timers/promises';
import { awaitsApproval } from '../conductor/reports/report.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { journalLimits, type EvaluationRow, type Journal, type RunRow } from '../journal/journal.ts';
import type { System } from '../main.ts';
import { actorName } from './actor.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { outliveReader } from './output.ts';
import { findRun, mindNothingHere, openToRead } from './reading.ts';
import { connectServer, promoteHelp } from './server-client.ts';
import { openOrFindServer, startedRun, takePart } from './system-here.ts';

export interface PromoteOptions {
  /** An id, the beginning of one, or `PIPELINE#NUMBER`. */
  readonly run: string;
  /** Null: the only one that the run has for approval. */
  readonly model: string | null;
  readonly json: boolean;
}

const lookAgainMs = 100;
/** A promotion that takes longer is the server's to tell. */
const patienceMs = 10_000;

export async function promote(directory: string, options: PromoteOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  outliveReader();
  mindNothingHere(config);
  const opened = await openOrFindServer(config);
  return typeof opened === 'string' ? promoteThere(config, opened, options) : promoteHere(opened, options);
}

async function promoteThere(config: Config, url: string, options: PromoteOptions): Promise<ExitStatus> {
  const server = await connectServer(config, url);
  const journal = await openToRead(config);
  try {
    const run = await findRun(journal, options.run);
    const waiting = await waitingIn(journal, run);
    await server.promote(run.id, options.model);
    return tell(run, await outcome(journal, run, waiting), options);
  } finally {
    await journal.close();
  }
}

async function promoteHere(system: System, options: PromoteOptions): Promise<ExitStatus> {
  const { conductor, journal } = system;
  try {
    const run = await findRun(journal, options.run);
    await takePart(system);
    const waiting = await waitingIn(journal, run);
    startedRun(await conductor.promote({ runId: run.id, model: options.model, actor: actorName() }), promoteHelp);
    await conductor.outboxSettled();
    return tell(run, await outcome(journal, run, waiting), options);
  } finally {
    await system.close();
  }
}

/** Ids of the evaluations of which the word may be about one. */
async function waitingIn(journal: Journal, { id }: RunRow): Promise<ReadonlySet<string>> {
  const rows = await journal.evaluations({ runId: id, state: 'reported', limit: journalLimits.pageMax });
  return new Set(rows.filter(awaitsApproval).map((row) => row.id));
}

/** Of the one that waits no more, as soon as the registry has answered, or nobody waits for that any longer. */
async function outcome(journal: Journal, { id }: RunRow, waiting: ReadonlySet<string>): Promise<EvaluationRow | null> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const rows = await journal.evaluations({ runId: id, limit: journalLimits.pageMax });
    const approved = rows.find((row) => waiting.has(row.id) && row.state !== 'reported') ?? null;
    if (approved?.state !== 'promoting' || performance.now() >= endsAt) return approved;
    await pause(lookAgainMs);
  }
}

function tell({ opened, number }: RunRow, evaluation: EvaluationRow | null, { json }: PromoteOptions): ExitStatus {
  const run = `${opened.pipeline}#${number}`;
  if (evaluation === null) {
    process.stderr.write(`A model of ${run} is being promoted; the page of the run shows what comes of it.\n`);
    return exitStatus.success;
  }
  const { model, state, version, reason } = evaluation;
  if (json) process.stdout.write(`${JSON.stringify({ run: evaluation.runId, model, state, version, reason })}\n`);
  else if (state === 'promoted') process.stdout.write(`${model} of ${run} is champion now, as version ${version}.\n`);
  else if (state === 'promoting')
    process.stdout.write(`${model} of ${run} is being promoted${reason === null ? '' : `: ${reason}`}.\n`);
  else process.stdout.write(`${model} of ${run} is not promoted: ${reason ?? 'see the verdict'}\n`);
  return state === 'refused' ? exitStatus.failed : exitStatus.success;
}
