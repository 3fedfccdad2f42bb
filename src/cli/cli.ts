/**
 * The commands. Each has help with an example; what the user did wrong goes to standard error as a problem, with what to
 * do, and status 2; a failed run is status 1.
 */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { reprocessChoices, type Reprocess } from '../journal/journal.ts';
import { ProblemError } from '../std/problem.ts';
import { version } from '../version.ts';
import {
  collect,
  collectParameter,
  collectPool,
  parseDataset,
  parseDate,
  parseDigest,
  parseFormat,
  parseLimit,
  parseMaxActive,
  parseMoment,
  parsePort,
  parseReason,
  parseReprocess,
  parseSlots,
  parseUntil,
  type Parameters,
  type Until,
} from './arguments.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { sayFailure } from './failure.ts';
import { graphFormats, type GraphFormat } from './graph-text.ts';
import { mindOutput } from './output.ts';
import { existingFolder, projectFolder } from './project-folder.ts';

/** Gives the exit status. Arguments are taken as they are: nothing in them is expanded. */
export async function main(args: readonly string[]): Promise<number> {
  mindOutput();
  let status: ExitStatus = exitStatus.success;
  const program = build((ended) => {
    status = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    // The commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : exitStatus.usage;
    return sayFailure(error);
  }
}

type End = (status: ExitStatus) => void;

function build(end: End): Command {
  const program = new Command('contender')
    .description(
      'Git-driven runner for machine-learning pipelines: champion and challenger, decided in the pull request.',
    )
    .version(version)
    .option('-C, --directory <folder>', 'run as if started there', '.')
    .exitOverride()
    .showSuggestionAfterError();
  const given = (): string => program.opts<{ directory: string }>().directory;
  const folder = (): string => projectFolder(given());
  const here = (): string => existingFolder(given());

  command(program, 'init', 'Write .pipelines/ with a first pipeline, contender.yaml and types for the editor.', [
    'contender init',
  ]).action(async () => {
    const { init } = await import('./init.ts');
    end(await init(here()));
  });
  addDefinitionCommands(program, folder, end);
  addSimulateCommand(program, folder, end);
  addRunCommands(program, folder, end);
  addBackfillCommands(program, folder, end);
  addEventCommands(program, folder, end);
  addServerCommands(program, folder, end);
  addDemo(program, here, end);
  return program;
}

/** What looks at pipelines without running them. */
function addDefinitionCommands(program: Command, folder: () => string, end: End): void {
  command(program, 'check', 'Compile and validate the pipelines as they stand in the folder, or at a commit.', [
    'contender check --json',
    'contender check --ref main',
  ])
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--json', 'problems and digests as JSON')
    .action(async (options: { ref?: string; json?: boolean }) => {
      const { check } = await import('./check.ts');
      end(await check(folder(), { ref: options.ref ?? null, json: options.json === true }));
    });

  command(program, 'graph', 'Show the steps of a pipeline and what they wait for.', [
    'contender graph weekly-churn --format mermaid',
  ])
    .argument('<pipeline>', 'name of the pipeline')
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--format <format>', graphFormats.join(', '), parseFormat, 'text')
    .action(async (pipeline: string, options: { ref?: string; format: GraphFormat }) => {
      const { graph } = await import('./check.ts');
      end(await graph(folder(), pipeline, { ref: options.ref ?? null, format: options.format }));
    });

  command(program, 'next', 'List the coming firings of the schedules.', ['contender next weekly-churn --count 5'])
    .argument('[pipeline]', 'name of the pipeline; default: all that have a schedule')
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--count <number>', 'how many of each', parseLimit, 5)
    .action(async (pipeline: string | undefined, options: { ref?: string; count: number }) => {
      const { next } = await import('./next.ts');
      end(await next(folder(), { pipeline: pipeline ?? null, ref: options.ref ?? null, count: options.count }));
    });
}

interface SimulateFlags {
  readonly ref?: string;
  readonly date?: number;
  readonly param?: Parameters;
  readonly outcome?: readonly string[];
  readonly duration?: readonly string[];
  readonly length?: readonly string[];
  readonly slots?: number;
  readonly pool?: ReadonlyMap<string, number>;
  readonly until?: Until;
  readonly from?: number;
  readonly json?: boolean;
}

/** What would happen, without anything happening. */
function addSimulateCommand(program: Command, folder: () => string, end: End): void {
  command(program, 'simulate', 'Play a run, or a schedule over some time, without running anything.', [
    'contender simulate weekly-churn --outcome train=failed,success --duration train=20m',
    'contender simulate weekly-churn --until 30d',
  ])
    .argument('<pipeline>', 'name of the pipeline')
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--date <date>', 'the logical date of the run, YYYY-MM-DD (UTC); default: now', parseDate)
    .option('--param <name=value>', 'a declared parameter; once for each', collectParameter)
    .option('--outcome <step=outcome>', 'how its attempts end, in order; step[2] is one instance', collect)
    .option('--duration <step=time>', 'of an attempt; without a step, of all. Default: 1m', collect)
    .option('--length <step=number>', 'of the output that a step is mapped over; default: 3', collect)
    .option('--slots <number>', 'attempts at once; default: no limit', parseSlots)
    .option('--pool <name=slots>', 'instead of what contender.yaml declares; once for each', collectPool)
    .option('--until <time>', 'simulate the schedule so long (30d) or to a date', parseUntil)
    .option('--from <date>', 'where that begins, YYYY-MM-DD (UTC); default: now', parseDate)
    .option('--json', 'one JSON document')
    .action(async (pipeline: string, options: SimulateFlags) => {
      const { simulate } = await import('./simulate.ts');
      const { ref = null, date = null, slots = null, until = null, from = null, json = false } = options;
      const {
        param: parameters = {},
        outcome: outcomes = [],
        duration: durations = [],
        length: lengths = [],
        pool: pools = new Map(),
      } = options;
      const given = { outcomes, durations, lengths, parameters };
      end(await simulate(folder(), { pipeline, ref, date, slots, pools, until, from, json, ...given }));
    });
}

interface RunFlags {
  readonly repository?: string;
  readonly ref: string;
  readonly date?: number;
  readonly param?: Parameters;
  readonly json?: boolean;
}

interface RerunFlags {
  readonly failed?: boolean;
  readonly from?: string;
  readonly atHead?: boolean;
  readonly json?: boolean;
}

/** What starts a run, and looks at those that were. */
function addRunCommands(program: Command, folder: () => string, end: End): void {
  command(program, 'run', 'Run a pipeline here, with or without a server: the same engine, journal and executor.', [
    'contender run weekly-churn --date 2026-11-16 --param depth=6',
  ])
    .argument('<pipeline>', 'name of the pipeline')
    .option('--ref <revision>', 'the commit to run', 'HEAD')
    .option('--date <date>', 'the logical date, YYYY-MM-DD (UTC); default: now', parseDate)
    .option('--param <name=value>', 'a declared parameter; once for each', collectParameter)
    .option('--repository <name>', 'one of contender.yaml; default: the first')
    .option('--json', 'the result as JSON on the last line')
    .action(async (pipeline: string, options: RunFlags) => {
      const { run } = await import('./run.ts');
      const { ref, date = null, param: parameters = {}, repository = null, json = false } = options;
      end(await run(folder(), { pipeline, repository, ref, date, parameters, json }));
    });

  command(program, 'cancel', 'End a run: what has not started is cancelled, what runs is stopped.', [
    'contender cancel weekly-churn#12 --reason "wrong data"',
  ])
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .option('--reason <text>', 'kept with the run', parseReason, '')
    .action(async (run: string, { reason }: { reason: string }) => {
      const { cancel } = await import('./requests.ts');
      end(await cancel(folder(), run, reason));
    });

  command(program, 'rerun', 'Run again what a run was for: whole, what failed, or from a step; the rest is reused.', [
    'contender rerun weekly-churn#12 --failed',
    'contender rerun weekly-churn#12 --from train --at-head',
  ])
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .option('--failed', 'only the steps that failed or never ran, and what comes after them')
    .option('--from <step>', 'only this step, and what comes after it')
    .option('--at-head', 'at the head of its branch instead of the same commit')
    .option('--json', 'the result as JSON on the last line')
    .action(async (run: string, options: RerunFlags) => {
      const { rerun } = await import('./rerun.ts');
      const { failed = false, from = null, atHead = false, json = false } = options;
      end(await rerun(folder(), { run, failed, from, atHead, json }));
    });

  command(program, 'approve', 'Let a run go on that waits for an approval.', [
    'contender approve weekly-churn#12 release',
  ])
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .argument('<step>', 'name of the approval')
    .option('--reason <text>', 'kept with the decision', parseReason)
    .action(async (run: string, step: string, { reason = null }: { reason?: string | null }) => {
      const { decide } = await import('./requests.ts');
      end(await decide(folder(), run, { step, decision: 'approve', reason }));
    });

  command(program, 'reject', 'Refuse what a run waits for: the step fails, or is skipped where it says so.', [
    'contender reject weekly-churn#12 release --reason "the slices look wrong"',
  ])
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .argument('<step>', 'name of the approval')
    .requiredOption('--reason <text>', 'kept with the decision, and told as the reason of the step', parseReason)
    .action(async (run: string, step: string, { reason }: { reason: string }) => {
      const { decide } = await import('./requests.ts');
      end(await decide(folder(), run, { step, decision: 'reject', reason }));
    });

  command(program, 'runs', 'List runs, the newest first.', ['contender runs --pipeline weekly-churn --limit 10'])
    .option('--pipeline <name>', 'of this pipeline alone')
    .option('--state <state>', 'running, cancelling, success, failed or cancelled')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: { pipeline?: string; state?: string; limit: number; json?: boolean }) => {
      const { runs } = await import('./runs.ts');
      const { pipeline = null, state = null, limit, json = false } = options;
      end(await runs(folder(), { pipeline, state, limit, json }));
    });

  command(program, 'pools', 'Who holds the slots of executor and pools, and how many runs wait.', ['contender pools'])
    .option('--json', 'one JSON object a line')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { pools } = await import('./pools.ts');
      end(await pools(folder(), { json }));
    });

  command(program, 'ticks', 'List the ticks of a schedule, the newest first: fired, or missed and why.', [
    'contender ticks weekly-churn --limit 10',
  ])
    .argument('<pipeline>', 'name of the pipeline')
    .option('--repository <name>', 'one of contender.yaml; default: the first')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'one JSON object a line')
    .action(async (pipeline: string, options: { repository?: string; limit: number; json?: boolean }) => {
      const { ticks } = await import('./ticks.ts');
      const { repository = null, limit, json = false } = options;
      end(await ticks(folder(), { pipeline, repository, limit, json }));
    });

  command(program, 'logs', 'Print the logs of a run, or of one of its steps.', [
    'contender logs weekly-churn#12 train --follow',
  ])
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .argument('[step]', 'name of a step; default: all, in order')
    .option('--attempt <number>', 'instead of the last attempt', parseLimit)
    .option('-f, --follow', 'go on until the run has ended')
    .action(async (run: string, step: string | undefined, options: { attempt?: number; follow?: boolean }) => {
      const { logs } = await import('./logs.ts');
      const { attempt = null, follow = false } = options;
      end(await logs(folder(), { run, step: step ?? null, attempt, follow }));
    });
}

interface BackfillFlags {
  readonly from?: number;
  readonly to?: number;
  readonly dryRun?: boolean;
  readonly maxActive: number;
  readonly newestFirst?: boolean;
  readonly reprocess: Reprocess;
  readonly ref: string;
  readonly repository?: string;
  readonly json?: boolean;
}

/** Runs for past dates. */
function addBackfillCommands(program: Command, folder: () => string, end: End): void {
  const start = command(program, 'backfill', 'Run a pipeline for past intervals of its schedule, a few at a time.', [
    'contender backfill weekly-churn --from 2026-09-01 --to 2026-10-31 --dry-run',
    'contender backfill cancel 01kc3v9q',
  ]);
  start
    .argument('<pipeline>', 'name of the pipeline')
    // Of the command with the subcommand `cancel`, which has no need of them: so looked for by hand.
    .option('--from <date>', 'the first day of the logical dates, YYYY-MM-DD (UTC); needed', parseDate)
    .option('--to <date>', 'the last day of them; needed', parseDate)
    .option('--dry-run', 'list the intervals and what would become of each, and do nothing')
    .option('--max-active <number>', 'so many of its runs at once', parseMaxActive, 1)
    .option('--newest-first', 'begin with the newest interval')
    .option('--reprocess <which>', `what was run before: ${reprocessChoices.join(', ')}`, parseReprocess, 'none')
    .option('--ref <revision>', 'the commit that all of them run', 'HEAD')
    .option('--repository <name>', 'one of contender.yaml; default: the first')
    .option('--json', 'the result as JSON on the last line')
    .action(async (pipeline: string, options: BackfillFlags) => {
      const { backfill } = await import('./backfill.ts');
      const { from, to, repository = null, dryRun = false, newestFirst = false, json = false, ...rest } = options;
      if (from === undefined || to === undefined) throw daysMissing();
      end(await backfill(folder(), { ...rest, from, to, pipeline, repository, dryRun, newestFirst, json }));
    });
  command(start, 'cancel', 'End a backfill: nothing more of it begins, and its runs are cancelled.', [
    'contender backfill cancel 01kc3v9q',
  ])
    .argument('<backfill>', 'an id, or the beginning of one')
    .action(async (name: string) => {
      const { cancelBackfill } = await import('./cancel-backfill.ts');
      end(await cancelBackfill(folder(), name));
    });

  command(program, 'backfills', 'List backfills, the newest first, or the intervals of one.', ['contender backfills'])
    .argument('[backfill]', 'an id, or the beginning of one')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'one JSON object a line')
    .action(async (name: string | undefined, options: { limit: number; json?: boolean }) => {
      const { backfills } = await import('./backfills.ts');
      end(await backfills(folder(), { name: name ?? null, limit: options.limit, json: options.json === true }));
    });
}

interface EventFlags {
  readonly digest?: string;
  readonly at?: number;
  readonly evenIfSame?: boolean;
  readonly json?: boolean;
}

/** News of data. */
function addEventCommands(program: Command, folder: () => string, end: End): void {
  command(program, 'event', 'Say that data have changed: pipelines that listen to the dataset are started.', [
    'contender event s3://lake/churn --digest "$(sha256sum < churn.csv)"',
  ])
    .argument('<dataset>', 'the name that pipelines listen to', parseDataset)
    .option('--digest <text>', 'of the data: the same as the news before is no news', parseDigest)
    .option('--at <moment>', 'when the data came to be there, YYYY-MM-DD or ISO 8601 (UTC); default: now', parseMoment)
    .option('--even-if-same', 'news, whatever the digest is')
    .option('--json', 'the event as JSON')
    .action(async (dataset: string, options: EventFlags) => {
      const { event } = await import('./event.ts');
      const { digest = null, at = null, evenIfSame = false, json = false } = options;
      end(await event(folder(), { dataset, digest, at, evenIfSame, json }));
    });

  command(program, 'events', 'List what was said of datasets, the newest first.', ['contender events s3://lake/churn'])
    .argument('[dataset]', 'of this one alone')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'one JSON object a line')
    .action(async (dataset: string | undefined, options: { limit: number; json?: boolean }) => {
      const { events } = await import('./events.ts');
      end(await events(folder(), { dataset: dataset ?? null, limit: options.limit, json: options.json === true }));
    });
}

function daysMissing(): ProblemError {
  return new ProblemError({
    code: 'usage',
    message: 'a backfill needs its first and its last day',
    where: null,
    help: 'Give --from YYYY-MM-DD and --to YYYY-MM-DD.',
  });
}

function addServerCommands(program: Command, folder: () => string, end: End): void {
  command(program, 'serve', 'Watch the repositories of contender.yaml: webhooks, schedules, pages.', [
    'contender serve --port 8080',
  ])
    .option('--port <number>', 'instead of server.port; 0 lets the system choose', parsePort)
    .action(async (options: { port?: number }) => {
      const { serve } = await import('./serve.ts');
      end(await serve(folder(), { port: options.port ?? null }));
    });
}

function addDemo(program: Command, here: () => string, end: End): void {
  command(program, 'demo', 'The whole loop on this machine in under a minute, told step by step.', [
    'contender demo --once',
  ])
    .option('--once', 'end when the story is told, with status 1 if any step of it went wrong')
    .option('--port <number>', 'of the server; default: chosen by the system', parsePort)
    .option('--keep <folder>', 'put everything there, in a new or empty folder, instead of a temporary one')
    .action(async (options: { once?: boolean; port?: number; keep?: string }) => {
      const { demo } = await import('./demo.ts');
      const folder = options.keep === undefined ? null : resolve(here(), options.keep);
      end(await demo({ once: options.once === true, port: options.port ?? 0, folder }));
    });
}

function command(program: Command, name: string, description: string, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ ${example}`).join('\n');
  return program
    .command(name)
    .description(description)
    .addHelpText(
      'after',
      `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines}\n\nElsewhere than in this folder:\n  $ contender -C FOLDER ${name}`,
    );
}
