/** The commands about runs: start, cancel, re-run, decide, list, read. */
import type { Command } from 'commander';
import {
  collectParameter,
  parseDate,
  parseIndex,
  parseLimit,
  parseReason,
  parseStay,
  type Parameters,
} from './arguments.ts';
import { command, type End } from './command.ts';

interface RunFlags {
  readonly repository?: string;
  readonly ref: string;
  readonly date?: number;
  readonly param?: Parameters;
  readonly json?: boolean;
}

interface DebugFlags {
  readonly index?: number;
  readonly attempt?: number;
  readonly for?: number;
  readonly here?: boolean;
}

interface RerunFlags {
  readonly failed?: boolean;
  readonly from?: string;
  readonly atHead?: boolean;
  readonly json?: boolean;
}

/** What starts a run, and looks at those that were. */
export function addRunCommands(program: Command, folder: () => string, end: End): void {
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

  command(
    program,
    'cancel',
    'End a run: what has not started is cancelled, what runs is stopped; once more: its finally-steps too.',
    ['contender cancel weekly-churn#12 --reason "wrong data"'],
  )
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
    .requiredOption(
      '--reason <text>',
      'kept with the decision, and told as the reason of the step; needed',
      parseReason,
    )
    .action(async (run: string, step: string, { reason }: { reason: string }) => {
      const { decide } = await import('./requests.ts');
      end(await decide(folder(), run, { step, decision: 'reject', reason }));
    });

  command(program, 'promote', "Make a model champion that waits for a person's approval.", [
    'contender promote weekly-churn#12',
  ])
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .option('--model <name>', 'which, where several models of the run wait')
    .option('--json', 'what came of it as JSON')
    .action(async (run: string, { model = null, json = false }: { model?: string | null; json?: boolean }) => {
      const { promote } = await import('./promote.ts');
      end(await promote(folder(), { run, model, json }));
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

  command(
    program,
    'debug',
    'Open a shell where a step ran: its files, inputs, variables and secrets, in a copy of its pod.',
    ['contender debug weekly-churn#12 train', 'contender debug weekly-churn#12 train -- python3 -m pdb train.py'],
  )
    .argument('<run>', 'a run id, the beginning of one, or PIPELINE#NUMBER')
    .argument('<step>', 'name of a step that began')
    .argument('[command...]', 'in place of a shell, after --')
    .option('--index <number>', 'of a mapped step; default: the first that failed', parseIndex)
    .option('--attempt <number>', 'instead of the last attempt', parseLimit)
    .option('--for <duration>', 'how long its pod may stay, 5m to 24h; default: 1h', parseStay)
    .option('--here', 'on this machine, wherever steps run')
    .action(async (run: string, step: string, words: readonly string[], options: DebugFlags) => {
      const { debug } = await import('./debug.ts');
      const { index = null, attempt = null, for: forMs = 3_600_000, here = false } = options;
      end(await debug(folder(), { run, step, index, attempt, forMs, here, command: words }));
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
