/** `contender next`: the coming firings of the schedules, with a sentence where a change of the clocks moves one. */
import { clockChangeAt, formatLocalTime, nextFiring, parseSchedule, type Schedule } from '../calendar/calendar.ts';
import type { Compiled } from '../compile/compile.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { findPipeline, noPipelines } from './check.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { compileFrom } from './sources.ts';
import { paint } from './terminal.ts';
import { utcText } from './time-text.ts';

export interface NextOptions {
  readonly pipeline: string | null;
  readonly ref: string | null;
  readonly count: number;
  /** Included; null: those after now. */
  readonly from: number | null;
}

export async function next(directory: string, options: NextOptions): Promise<ExitStatus> {
  const compiled = await compileFrom(directory, options.ref);
  const wanted = options.pipeline === null ? allOf(compiled) : [findPipeline(compiled, options.pipeline)];
  const after = options.from === null ? Date.now() : options.from - 1;
  const lines = wanted.flatMap((definition) => firingLines(definition, after, options.count));
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  else
    process.stderr.write(
      `${options.pipeline === null ? 'Nothing here has a schedule' : `${options.pipeline} has no schedule`}.\n`,
    );
  return exitStatus.success;
}

function allOf(compiled: readonly Compiled[]): readonly PipelineDefinition[] {
  if (compiled.length === 0) throw noPipelines();
  return compiled.flatMap(({ version }) => version?.definition ?? []);
}

/** Nothing for a pipeline without a schedule. */
function firingLines(definition: PipelineDefinition, after: number, count: number): readonly string[] {
  const given = definition.on.schedule;
  if (given === null) return [];
  const schedule = parseSchedule(given.cron, given.timeZone);
  if (!schedule.ok) throw new Error(`a schedule was compiled that cannot be read: ${schedule.error}`);
  const title = `${paint('bold', definition.name)} ${paint('gray', `${given.cron}, ${given.timeZone}`)}`;
  const ticks = firings(schedule.value, after, count);
  if (ticks.length === 0) return [title, '  none that the calendar knows of: give an earlier day with --from'];
  return [title, ...ticks.map((tick) => firingLine(schedule.value, tick))];
}

function firings(schedule: Schedule, after: number, count: number): readonly number[] {
  const ticks: number[] = [];
  for (let tick = nextFiring(schedule, after); tick !== null; tick = nextFiring(schedule, tick)) {
    ticks.push(tick);
    if (ticks.length === count) break;
  }
  return ticks;
}

function firingLine(schedule: Schedule, tick: number): string {
  const change = clockChangeAt(schedule, tick);
  const line = `  ${formatLocalTime(schedule.timeZone, tick)}  ${paint('gray', `${utcText(tick)} UTC`)}`;
  if (change === null) return line;
  const why = `    ${paint('yellow', change.sentence)}`;
  // In the order of time.
  return change.kind === 'left-out' ? `${why}\n${line}` : `${line}\n${why}`;
}
