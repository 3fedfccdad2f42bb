/** The ticks of a simulated schedule for people: when each is, and what becomes of its run beside the others. */
import { formatLocalTime } from '../calendar/calendar.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { rehearsalLimits, type RehearsedTick, type RehearsedTicks } from '../rehearsal/rehearsal.ts';
import { markOf, oneLine, paint } from './terminal.ts';
import { stopwatchText, utcText } from './time-text.ts';

const ticksShownMax = 40;

export interface SimulatedWindow {
  readonly timeZone: string;
  readonly from: number;
  readonly until: number;
}

export function simulatedTicksLines(
  { ticks, more }: RehearsedTicks,
  definition: PipelineDefinition,
  window: SimulatedWindow,
): readonly string[] {
  const { timeZone, from, until } = window;
  const stretch = `from ${utcText(from)} to ${utcText(until)} UTC`;
  if (ticks.length === 0) return [`There is no tick ${stretch}.`];
  // What a change of the clocks moves is what one looks for: it is shown wherever it stands.
  const shown = ticks.filter((tick, place) => place < ticksShownMax || tick.clockChange !== null);
  const rows = shown.map((tick) => [
    formatLocalTime(timeZone, tick.tick),
    utcText(tick.tick),
    utcText(tick.logicalDate),
  ]);
  const titles = ['tick', 'in UTC', 'logical date (UTC)'];
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const inColumns = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return [
    paint('gray', `    ${inColumns(titles)}`.trimEnd()),
    ...shown.flatMap((tick, place) => tickLines(tick, inColumns(rows[place] ?? []))),
    ...(shown.length < ticks.length
      ? [paint('gray', `  … ${ticks.length - shown.length} more, which --json shows`)]
      : []),
    '',
    `${countsOf(ticks)} ${stretch}, ${rulesOf(definition)}.`,
    ...waitsOf(ticks),
    ...(more ? [paint('yellow', `There are more ticks: the first ${rehearsalLimits.ticksMax} are simulated.`)] : []),
  ];
}

function tickLines(tick: RehearsedTick, columns: string): readonly string[] {
  const state = tick.run === null ? 'skipped' : tick.run.refused ? 'failed' : tick.run.state;
  const line = `  ${markOf(state)} ${columns}  ${paint('gray', fateOf(tick))}`;
  return tick.clockChange === null ? [line] : [line, paint('yellow', `      ${tick.clockChange}`)];
}

/** What becomes of the tick, in words. */
function fateOf({ run, tick, reason }: RehearsedTick): string {
  if (run === null) return `missed: ${oneLine(reason)}`;
  const waited = run.beginsAt > tick ? `waits ${stopwatchText(run.beginsAt - tick)}, then ` : '';
  const took = `after ${stopwatchText(run.endsAt - run.beginsAt)}`;
  // The reason of a cancel says that it is one.
  if (run.state === 'cancelled' && run.reason !== null) return `${waited}${oneLine(run.reason)}, ${took}`;
  return `${waited}${endOf(run)} ${took}${run.reason === null ? '' : `: ${oneLine(run.reason)}`}`;
}

function endOf({ state, refused }: NonNullable<RehearsedTick['run']>): string {
  return refused ? 'refused' : state;
}

/** `720 ticks (360 success, 360 missed)`. */
function countsOf(ticks: readonly RehearsedTick[]): string {
  const counts = new Map<string, number>();
  for (const { run } of ticks) {
    const word = run === null ? 'missed' : endOf(run);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
  return `${ticks.length} ${ticks.length === 1 ? 'tick' : 'ticks'} (${words})`;
}

function rulesOf({ maxActiveRuns, overlap }: PipelineDefinition): string {
  return `${maxActiveRuns === 1 ? 'one run' : `${maxActiveRuns} runs`} at once, overlap ${overlap}`;
}

function waitsOf(ticks: readonly RehearsedTick[]): readonly string[] {
  const waits = ticks.flatMap(({ run, tick }) => (run === null || run.beginsAt === tick ? [] : [run.beginsAt - tick]));
  if (waits.length === 0) return [];
  const whose = waits.length === 1 ? '1 run waits for its turn' : `${waits.length} runs wait for their turn`;
  return [`${whose}, ${stopwatchText(Math.max(...waits))} at most.`];
}
