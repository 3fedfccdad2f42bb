/**
 * The commands. Each has help with an example; what the user did wrong goes to standard error as a problem, with what to
 * do, and status 2; a failed run is status 1.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { formatProblem, ProblemError } from '../std/problem.ts';
import { version } from '../version.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { graphFormats } from './graph-text.ts';
import { paint } from './terminal.ts';

/** Gives the exit status. Arguments are taken as they are: nothing in them is expanded. */
export async function main(args: readonly string[]): Promise<number> {
  let status: ExitStatus = exitStatus.success;
  const program = build((ended) => {
    status = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return sayWhy(error);
  }
}

function sayWhy(error: unknown): ExitStatus {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : exitStatus.usage;
  if (error instanceof ProblemError) {
    process.stderr.write(`${paint('red', 'error', process.stderr)}: ${formatProblem(error.problem)}\n`);
    return error.problem.code === 'folder-locked' ? exitStatus.locked : exitStatus.usage;
  }
  throw error;
}

function build(end: (status: ExitStatus) => void): Command {
  const program = new Command('contender')
    .description('Git-driven runner for machine-learning pipelines: champion and challenger, decided in the pull request.')
    .version(version)
    .option('-C, --directory <folder>', 'run as if started there', '.')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text) });

  const directory = (): string => program.opts<{ directory: string }>().directory;

  command(program, 'init', 'Write .pipelines/ with a first pipeline, contender.yaml and types for the editor.', 'contender init').action(async () => {
    const { init } = await import('./init.ts');
    end(await init(directory()));
  });

  command(program, 'check', 'Compile and validate the pipelines as they stand in the folder, or at a commit.', 'contender check --json')
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--json', 'problems and digests as JSON')
    .action(async (options: { ref?: string; json?: boolean }) => {
      const { check } = await import('./check.ts');
      end(await check(directory(), { ref: options.ref ?? null, json: options.json === true }));
    });

  command(program, 'run', 'Run a pipeline here, without a server: the same engine, journal and executor.', 'contender run weekly-churn --date 2026-11-16 --param depth=6')
    .argument('<pipeline>', 'name of the pipeline')
    .option('--ref <revision>', 'the commit to run', 'HEAD')
    .option('--date <date>', 'the logical date, YYYY-MM-DD (UTC); default: now', parseDate)
    .option('--param <name=value>', 'a declared parameter; may be repeated', collectParameter, {})
    .option('--json', 'the result as JSON on the last line')
    .action(async (pipeline: string, options: { ref: string; date?: number; param: Record<string, string>; json?: boolean }) => {
      const { run } = await import('./run.ts');
      end(await run(directory(), { pipeline, ref: options.ref, date: options.date ?? null, parameters: options.param, json: options.json === true }));
    });

  command(program, 'graph', 'Show the steps of a pipeline and what they wait for.', 'contender graph weekly-churn --format mermaid')
    .argument('<pipeline>', 'name of the pipeline')
    .option('--ref <revision>', 'a branch, tag or SHA instead of the files in the folder')
    .option('--format <format>', graphFormats.join(', '), parseFormat, 'text')
    .action(async (pipeline: string, options: { ref?: string; format: (typeof graphFormats)[number] }) => {
      const { graph } = await import('./check.ts');
      end(await graph(directory(), pipeline, { ref: options.ref ?? null, format: options.format }));
    });

  command(program, 'serve', 'Watch the repositories of contender.yaml: webhooks, schedules, pages.', 'contender serve --port 8080')
    .option('--port <number>', 'instead of server.port; 0 lets the system choose', parsePort)
    .action(async (options: { port?: number }) => {
      const { serve } = await import('./serve.ts');
      end(await serve(directory(), { port: options.port ?? null }));
    });

  command(program, 'runs', 'List runs, the newest first.', 'contender runs --pipeline weekly-churn --limit 10')
    .option('--pipeline <name>', 'of this pipeline alone')
    .option('--state <state>', 'running, success, failed or cancelled')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: { pipeline?: string; state?: string; limit: number; json?: boolean }) => {
      const { runs } = await import('./runs.ts');
      end(await runs(directory(), { pipeline: options.pipeline ?? null, state: options.state ?? null, limit: options.limit, json: options.json === true }));
    });

  command(program, 'logs', 'Print the logs of a run, or of one of its steps.', 'contender logs 12 train --follow')
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .argument('[step]', 'name of a step; default: all, in order')
    .option('--attempt <number>', 'instead of the last attempt', parseLimit)
    .option('-f, --follow', 'go on until the run has ended')
    .action(async (run: string, step: string | undefined, options: { attempt?: number; follow?: boolean }) => {
      const { logs } = await import('./logs.ts');
      end(await logs(directory(), { run, step: step ?? null, attempt: options.attempt ?? null, follow: options.follow === true }));
    });

  command(program, 'demo', 'The whole loop on this machine in under a minute: a model retrained, judged and promoted through Git.', 'contender demo --once')
    .option('--once', 'end when the story is told, with status 1 if any step of it went wrong')
    .option('--port <number>', 'of the server; default: chosen by the system', parsePort)
    .option('--keep <folder>', 'put everything there instead of a temporary folder')
    .action(async (options: { once?: boolean; port?: number; keep?: string }) => {
      const { demo } = await import('./demo.ts');
      end(await demo({ once: options.once === true, port: options.port ?? 0, folder: options.keep ?? null }));
    });

  return program;
}

function command(program: Command, name: string, description: string, example: string): Command {
  return program.command(name).description(description).addHelpText('after', `\nExample:\n  $ ${example}`);
}

function parseDate(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) throw new InvalidArgumentError('Write it as YYYY-MM-DD.');
  return time;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw new InvalidArgumentError('A number from 1 to 200.');
  return limit;
}

function parseFormat(text: string): (typeof graphFormats)[number] {
  const format = graphFormats.find((known) => known === text);
  if (format === undefined) throw new InvalidArgumentError(`One of ${graphFormats.join(', ')}.`);
  return format;
}

function collectParameter(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
