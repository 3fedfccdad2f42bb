/** `contender simulate`: what a run, or a schedule over some time, would come to. Nothing is run, and nothing is kept. */
import type { Pools } from '../admission/admission.ts';
import { parseSchedule, type Schedule } from '../calendar/calendar.ts';
import { parseParameters } from '../conductor/triggers/triggers.ts';
import { loadPools } from '../config/config.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { followingsOf, type Following } from '../pipeline/following.ts';
import { parameterText } from '../pipeline/parameter.ts';
import {
  readPretences,
  rehearseRun,
  rehearseTicks,
  type GivenPretences,
  type Pretences,
  type RehearsedRun,
} from '../rehearsal/rehearsal.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import type { Result } from '../std/result.ts';
import type { Until } from './arguments.ts';
import { definitionsOf, findPipeline } from './check.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { runJson, ticksJson } from './simulated-json.ts';
import { assumedLines, simulatedEndLines, simulatedRunLines } from './simulated-run-text.ts';
import { simulatedTicksLines } from './simulated-ticks-text.ts';
import { compileFrom } from './sources.ts';
import { oneLine, paint } from './terminal.ts';
import { utcText } from './time-text.ts';

export interface SimulateOptions extends GivenPretences {
  readonly pipeline: string;
  readonly ref: string | null;
  readonly date: number | null;
  readonly parameters: Readonly<Record<string, string>>;
  /** Null: as many as there are attempts. */
  readonly slots: number | null;
  /** Beside those of `contender.yaml`, or in their place. */
  readonly pools: Pools;
  /** Null: one run is simulated, not a schedule. */
  readonly until: Until | null;
  /** When the simulated time begins; null: now. */
  readonly from: number | null;
  readonly json: boolean;
}

export async function simulate(directory: string, options: SimulateOptions): Promise<ExitStatus> {
  mindOptions(options);
  const compiled = await compileFrom(directory, options.ref);
  const definition = findPipeline(compiled, options.pipeline);
  const followings = followingsOf(definitionsOf(compiled));
  const pretences = demand(readPretences(definition, options));
  const declared = loadPools(directory) ?? new Map();
  mindPools(definition, declared, options.pools);
  const pools = new Map([...declared, ...options.pools]);
  return options.until === null
    ? simulateRun(definition, followings, pretences, { ...options, pools })
    : simulateTicks(definition, pretences, { ...options, pools, until: options.until });
}

/** One that nothing names is a slip of the pen. */
function mindPools({ name, steps }: PipelineDefinition, declared: Pools, given: Pools): void {
  const known = new Set([...declared.keys(), ...steps.flatMap(({ pool }) => pool?.name ?? [])]);
  const unknown = [...given.keys()].find((pool) => !known.has(pool));
  if (unknown === undefined) return;
  const message = `there is no pool "${unknown}": contender.yaml declares none of that name, and no step of "${name}" takes its slots`;
  throw mistake(message, `The pools: ${[...known].join(', ') || 'none'}.`);
}

/** What is for a run says nothing of a schedule, and the other way round. */
function mindOptions({ until, from, date, parameters }: SimulateOptions): void {
  if (until === null && from !== null) throw mistake('--from is the beginning of what --until ends', 'Give both.');
  const isForRun = date !== null || Object.keys(parameters).length > 0;
  if (until === null || !isForRun) return;
  throw mistake(
    '--date and --param are for one run, and --until simulates the runs of a schedule',
    "Leave out the one or the other: a run of a schedule has its tick's date and the default parameters.",
  );
}

function simulateRun(
  definition: PipelineDefinition,
  followings: readonly Following[],
  pretences: Pretences,
  options: SimulateOptions,
): ExitStatus {
  const given = parseParameters(definition.parameters, options.parameters);
  if (!given.ok) throw mistake(given.error, '`--param name=value` gives a parameter.');
  const [parameters, logicalDate] = [given.value, options.date ?? Date.now()];
  const { pools } = options;
  const slots = options.slots ?? Number.POSITIVE_INFINITY;
  const run = demand(rehearseRun({ definition, pretences, slots, pools, logicalDate, parameters }));
  const { assumed } = pretences;
  const followers = followersOf(definition, run, followings);
  if (options.json) {
    sayJson(runJson({ definition, assumed, run, followers, logicalDate, parameters }));
  } else {
    const values = Object.entries(parameters).map(([name, value]) => `, ${name}=${oneLine(parameterText(value))}`);
    say([
      `${paint('bold', definition.name)} ${paint('gray', `simulated for ${utcText(logicalDate)} UTC${values.join('')}`)}`,
      ...simulatedRunLines(run, process.stdout.isTTY ? process.stdout.columns : null),
      ...assumedLines(assumed),
      ...simulatedEndLines(run, definition.deadlineMs),
      ...(followers.length === 0 ? [] : [`On the default branch, this would start ${followers.join(', ')}.`]),
    ]);
  }
  return run.state === 'success' && !run.refused ? exitStatus.success : exitStatus.failed;
}

/** Names of the pipelines that such a run would start, by its end or by the data that its steps have changed. */
function followersOf(
  { name, steps }: PipelineDefinition,
  run: RehearsedRun,
  followings: readonly Following[],
): readonly string[] {
  const isDone = (step: string): boolean => run.steps.some((each) => each.name === step && each.state === 'success');
  const changed = steps.filter((step) => isDone(step.name)).flatMap(({ updates = [] }) => updates);
  const starts = ({ by, suffices }: Following): boolean =>
    'dataset' in by
      ? suffices && changed.some(({ dataset }) => dataset === by.dataset)
      : by.states.some((state) => state === run.state);
  return [...new Set(followings.filter((each) => each.from === name && starts(each)).map(({ to }) => to))];
}

function simulateTicks(
  definition: PipelineDefinition,
  pretences: Pretences,
  options: SimulateOptions & { readonly until: Until },
): ExitStatus {
  const schedule = scheduleOf(definition);
  const from = options.from ?? Date.now();
  const until = 'at' in options.until ? options.until.at : from + options.until.afterMs;
  if (until <= from)
    throw mistake('the simulated time ends before it begins', 'Give an --until that is later than --from.');
  const { pools } = options;
  const slots = options.slots ?? Number.POSITIVE_INFINITY;
  // An instance that there is not is found by one run as well as by all.
  const parameters = parseParameters(definition.parameters, {});
  demand(rehearseRun({ definition, pretences, slots, pools, logicalDate: from, parameters: {} }));
  const rehearsed = demand(rehearseTicks({ definition, schedule, pretences, slots, pools, from, until, parameters }));
  const { cron, timeZone } = schedule;
  const { assumed } = pretences;
  if (options.json) {
    sayJson(ticksJson(definition, assumed, { cron, timeZone, from, until }, rehearsed));
  } else {
    say([
      `${paint('bold', definition.name)} ${paint('gray', `${cron}, ${timeZone}, simulated`)}`,
      ...simulatedTicksLines(rehearsed, definition, { timeZone, from, until }),
      ...assumedLines(assumed),
    ]);
  }
  const { ticks } = rehearsed;
  const isBad = ticks.some(({ run }) => run !== null && (run.state === 'failed' || run.refused));
  const isVain = ticks.length > 0 && ticks.every(({ run }) => run === null);
  return isBad || isVain ? exitStatus.failed : exitStatus.success;
}

function scheduleOf({ name, on }: PipelineDefinition): Schedule {
  if (on.schedule === null) {
    throw mistake(`pipeline "${name}" has no schedule`, 'Leave out --until to simulate one run of it.');
  }
  const parsed = parseSchedule(on.schedule.cron, on.schedule.timeZone);
  if (!parsed.ok) throw new Error(`a schedule was compiled that cannot be read: ${parsed.error}`);
  return parsed.value;
}

function demand<T>(result: Result<T, Problem>): T {
  if (!result.ok) throw new ProblemError(result.error);
  return result.value;
}

function mistake(message: string, help: string): ProblemError {
  return new ProblemError({ code: 'pretence-invalid', message, where: null, help });
}

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function sayJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
