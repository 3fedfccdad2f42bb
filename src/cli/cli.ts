/**
 * The commands. Each has help with an example; what the user did wrong goes to standard error as a problem, with what to
 * do, and status 2; a failed run is status 1.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import {
  collect,
  collectParameter,
  collectPool,
  parseDataset,
  parseDate,
  parseDigest,
  parseFormat,
  parseHttpUrl,
  parseLimit,
  parseMoment,
  parsePort,
  parseName,
  parseSlots,
  parseUntil,
  type Parameters,
  type Until,
} from './arguments.ts';
import { isUnderNohup } from '../demo/nohup.ts';
import { addBackfillCommands } from './backfill-commands.ts';
import { addClusterCommands } from './cluster-commands.ts';
import { command, type End } from './command.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { sayFailure } from './failure.ts';
import { graphFormats, type GraphFormat } from './graph-text.ts';
import { mindOutput } from './output.ts';
import { existingFolder, projectFolder } from './project-folder.ts';
import { addRunCommands } from './run-commands.ts';

/** Gives the exit status. Arguments are taken as they are: nothing in them is expanded. */
export async function main(args: readonly string[]): Promise<number> {
  mindOutput();
  if (isUnderNohup()) process.on('SIGHUP', () => undefined);
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

function build(end: End): Command {
  const program = new Command('contender')
    .description(
      'Git-driven runner for machine-learning pipelines: champion and challenger, decided in the pull request.',
    )
    .version(version)
    .option('-C, --directory <folder>', 'run as if started there', '.')
    .exitOverride()
    .showHelpAfterError('  The commands: contender --help')
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
  addWorkerCommand(program, folder, end);
  addClusterCommands(program, folder, end);
  addDemo(program, here, end);
  return program;
}

interface CheckFlags {
  readonly ref?: string;
  readonly against?: string;
  readonly json?: boolean;
}

/** What looks at pipelines without running them. */
function addDefinitionCommands(program: Command, folder: () => string, end: End): void {
  command(program, 'check', 'Compile and validate the pipelines as they stand in the folder, or at a commit.', [
    'contender check --json',
    'contender check --ref main',
    'contender check --against main',
  ])
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--against <revision>', 'also say what has changed since the commit left that branch, tag or SHA')
    .option('--json', 'problems and digests as JSON')
    .action(async (options: CheckFlags) => {
      const { check } = await import('./check.ts');
      const { ref = null, against = null, json = false } = options;
      end(await check(folder(), { ref, against, json }));
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

  command(program, 'next', 'List the coming firings of the schedules.', [
    'contender next weekly-churn --count 5',
    'contender next weekly-churn --from 2026-10-24',
  ])
    .argument('[pipeline]', 'name of the pipeline; default: all that have a schedule')
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--count <number>', 'how many of each', parseLimit, 5)
    .option('--from <date>', 'the first day, YYYY-MM-DD (UTC); default: now', parseDate)
    .action(async (pipeline: string | undefined, options: { ref?: string; count: number; from?: number }) => {
      const { next } = await import('./next.ts');
      const { ref = null, count, from = null } = options;
      end(await next(folder(), { pipeline: pipeline ?? null, ref, count, from }));
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

function addServerCommands(program: Command, folder: () => string, end: End): void {
  command(program, 'serve', 'Watch the repositories of contender.yaml: webhooks, schedules, pages.', [
    'contender serve --port 8080',
  ])
    .option('--port <number>', 'instead of server.port; 0 lets the system choose', parsePort)
    .action(async (options: { port?: number }) => {
      const { serve } = await import('./serve.ts');
      end(await serve(folder(), { port: options.port ?? null }));
    });

  command(
    program,
    'clean',
    'Remove now what is older than `retention` in contender.yaml says, as a server does by itself.',
    ['contender clean --dry-run'],
  )
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'one JSON object a line')
    .action(async ({ dryRun = false, json = false }: { dryRun?: boolean; json?: boolean }) => {
      const { clean } = await import('./clean.ts');
      end(await clean(folder(), { dryRun, json }));
    });
}

interface WorkerFlags {
  readonly server?: string;
  readonly queue?: string;
  readonly prefix?: string;
  readonly slots: number;
  readonly state?: string;
  readonly nodeModules?: string;
}

function addWorkerCommand(program: Command, folder: () => string, end: End): void {
  command(program, 'worker', 'Carry out steps for a server on this machine, from a queue in CONTENDER_REDIS_URL.', [
    'contender worker',
    'contender worker --server http://contender.internal:8081 --queue gpu --slots 2',
  ])
    .option('--server <url>', 'where the server listens for workers; default: on this machine', parseHttpUrl)
    .option('--queue <name>', 'what it takes steps from; default: that of contender.yaml, or "default"', parseName)
    .option('--prefix <name>', 'of the keys in Redis; default: that of contender.yaml, or "contender"', parseName)
    .option(
      '--slots <number>',
      'so many at once; default: the number of processors',
      parseSlots,
      availableParallelism(),
    )
    .option('--state <folder>', 'for what it carries out; default: in ~/.local/state')
    .option('--node-modules <folder>', 'packages that step functions import and their commit does not have')
    .action(async ({ server, queue, prefix, slots, state, nodeModules }: WorkerFlags) => {
      const { worker } = await import('./worker.ts');
      const from = folder();
      end(
        await worker(from, {
          server: server ?? null,
          queue: queue ?? null,
          prefix: prefix ?? null,
          slots,
          directory: state === undefined ? null : resolve(from, state),
          nodeModules: nodeModules === undefined ? null : resolve(from, nodeModules),
        }),
      );
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
