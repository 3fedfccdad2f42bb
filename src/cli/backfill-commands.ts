/** The commands about backfills. */
import type { Command } from 'commander';
import { reprocessChoices, type Reprocess } from '../journal/journal.ts';
import { ProblemError } from '../std/problem.ts';
import { collectParameter, parseDate, parseLimit, parseMaxActive, parseReprocess } from './arguments.ts';
import { command, type End } from './command.ts';

interface BackfillFlags {
  readonly from?: number;
  readonly to?: number;
  readonly dryRun?: boolean;
  readonly maxActive: number;
  readonly newestFirst?: boolean;
  readonly reprocess: Reprocess;
  readonly param?: Readonly<Record<string, string>>;
  readonly ref: string;
  readonly repository?: string;
  readonly json?: boolean;
}

/** Runs for past dates. */
export function addBackfillCommands(program: Command, folder: () => string, end: End): void {
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
    .option('--param <name=value>', 'a declared parameter, of all of them; once for each', collectParameter)
    .option('--ref <revision>', 'the commit that all of them run', 'HEAD')
    .option('--repository <name>', 'one of contender.yaml; default: the first')
    .option('--json', 'the result as JSON on the last line')
    .action(async (pipeline: string, options: BackfillFlags) => {
      const { backfill } = await import('./backfill.ts');
      const { from, to, repository = null, param: parameters = {}, ...flags } = options;
      const { dryRun = false, newestFirst = false, json = false, ...rest } = flags;
      if (from === undefined || to === undefined) throw daysMissing();
      end(await backfill(folder(), { ...rest, from, to, pipeline, repository, parameters, dryRun, newestFirst, json }));
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

function daysMissing(): ProblemError {
  return new ProblemError({
    code: 'usage',
    message: 'a backfill needs its first and its last day',
    where: null,
    help: 'Give --from YYYY-MM-DD and --to YYYY-MM-DD.',
  });
}
