/** `contender backfill`: made and carried on by the server that holds the folder, or here until it has ended. */
import { setTimeout as pause } from 'node:timers/promises';
import type { BackfillRequest } from '../conductor/backfills/make-backfill.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { createIds } from '../ids.ts';
import type { BackfillProgress, Reprocess } from '../journal/journal.ts';
import type { System } from '../main.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import type { Result } from '../std/result.ts';
import { actorName } from './actor.ts';
import { countsText, intervalLine, planLines } from './backfill-text.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { listenForInterruption, statusOfSignal, type Interruption } from './interruption.ts';
import { outliveReader } from './output.ts';
import { chooseRepository, mindUncommitted, projectOf } from './place.ts';
import { backfillHelp, connectServer } from './server-client.ts';
import { fetchAndResolve, mindRepository } from './sources.ts';
import { openOrFindServer, takePart } from './system-here.ts';
import { markOf } from './terminal.ts';
import { utcText } from './time-text.ts';

export interface BackfillOptions {
  readonly pipeline: string;
  readonly repository: string | null;
  readonly ref: string;
  /** Midnights, in milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly newestFirst: boolean;
  readonly maxActive: number;
  readonly reprocess: Reprocess;
  readonly parameters: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  readonly json: boolean;
}

interface Output {
  readonly stream: NodeJS.WriteStream;
  readonly say: (line: string) => void;
  readonly json: boolean;
}

const lookAgainMs = 150;

export async function backfill(directory: string, options: BackfillOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  const repository = chooseRepository(config, options.repository);
  const stream = options.json ? process.stderr : process.stdout;
  const output: Output = { stream, say: (line) => void stream.write(`${line}\n`), json: options.json };
  if (!options.dryRun) outliveReader();
  mindRepository(repository.url);
  if (options.ref === 'HEAD') await mindUncommitted(repository.url, output.say);
  const opened = await openOrFindServer(config);
  if (typeof opened === 'string') return handOver(config, opened, repository.name, options, output);
  try {
    const { git } = projectOf(opened, repository.name);
    const sha = await fetchAndResolve(git, options.ref, repository.url);
    const request = { ...requestOf(options, repository.name), sha };
    return options.dryRun ? await planHere(opened, request, output) : await runHere(opened, request, output);
  } finally {
    await opened.close();
  }
}

function requestOf(
  options: BackfillOptions,
  repository: string,
): Omit<BackfillRequest, 'sha'> & { readonly id: string } {
  const { pipeline, from: fromDay, to: toDay, newestFirst, maxActive, reprocess, parameters } = options;
  const id = createIds({ now: Date.now })();
  return {
    id,
    repository,
    pipeline,
    actor: actorName(),
    fromDay,
    toDay,
    newestFirst,
    maxActive,
    reprocess,
    parameters,
  };
}

async function handOver(
  config: Config,
  url: string,
  repository: string,
  options: BackfillOptions,
  output: Output,
): Promise<ExitStatus> {
  const server = await connectServer(config, url);
  const { fromDay, toDay, actor: by, ...rest } = requestOf(options, repository);
  const days = { from: utcText(fromDay).slice(0, 10), to: utcText(toDay).slice(0, 10) };
  const request = { ...rest, ...days, by, revision: options.ref };
  if (options.dryRun) {
    const plan = await server.planBackfill(request);
    for (const line of planLines(options.pipeline, plan, output.stream)) output.say(line);
    if (output.json) process.stdout.write(`${JSON.stringify(plan)}\n`);
    return exitStatus.success;
  }
  const id = await server.startBackfill(request);
  output.say(
    `Handed to the server at ${url}, which holds this folder. \`contender backfills ${id}\` shows how far it is.`,
  );
  if (output.json) process.stdout.write(`${JSON.stringify({ id })}\n`);
  return exitStatus.success;
}

async function planHere({ conductor }: System, request: BackfillRequest, output: Output): Promise<ExitStatus> {
  const plan = { sha: request.sha, intervals: valueOf(await conductor.planBackfill(request)) };
  for (const line of planLines(request.pipeline, plan, output.stream)) output.say(line);
  if (output.json) process.stdout.write(`${JSON.stringify(plan)}\n`);
  return exitStatus.success;
}

async function runHere(system: System, request: BackfillRequest, output: Output): Promise<ExitStatus> {
  const interruption = listenForInterruption(output.say);
  try {
    await takePart(system);
    const { id } = valueOf(await system.conductor.startBackfill(request));
    output.say(`Backfill ${id}`);
    const ended = await followHere(system, id, interruption, output);
    await system.conductor.outboxSettled();
    const intervals = await system.journal.backfillIntervals(id);
    if (output.json) process.stdout.write(`${JSON.stringify({ ...ended, intervals })}\n`);
    const signal = interruption.asked();
    if (ended.state === 'cancelled' && signal !== null) return statusOfSignal(signal);
    return ended.state === 'done' && ended.failed === 0 ? exitStatus.success : exitStatus.failed;
  } finally {
    interruption.end();
  }
}

/** A line for each interval whenever something has become of it. */
async function followHere(
  { conductor, journal }: System,
  id: string,
  interruption: Interruption,
  { stream, say }: Output,
): Promise<BackfillProgress> {
  interruption.answer(say, () => {
    conductor.cancelBackfill(id, actorName()).catch((error: unknown) => say(String(error)));
  });
  const said = new Map<number, string>();
  for (;;) {
    const backfill = await journal.backfill(id);
    if (backfill === null) throw new Error(`the backfill ${id} is not in the journal`);
    for (const interval of await journal.backfillIntervals(id)) {
      const line = intervalLine(interval, stream);
      if (interval.decision !== 'waiting' && said.get(interval.position) !== line) say(line);
      said.set(interval.position, line);
    }
    if (backfill.finishedAt !== null) {
      const good = backfill.state === 'done' && backfill.failed === 0;
      say(`${markOf(good ? 'success' : 'failed', stream)} ${backfill.state}: ${countsText(backfill)}`);
      return backfill;
    }
    await pause(lookAgainMs);
  }
}

function valueOf<T>(result: Result<T, Problem | string>): T {
  if (result.ok) return result.value;
  if (typeof result.error !== 'string') throw new ProblemError(result.error);
  throw new ProblemError({ code: 'run-refused', message: result.error, where: null, help: backfillHelp });
}
