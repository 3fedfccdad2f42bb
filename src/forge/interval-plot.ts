/**
 * The confidence interval of a gain as text that is read at a glance: where no change is, where the gate stands, and how
 * far the interval reaches.
 *
 *            0    gate +0.0050
 *            │    ┃
 *            │    ┃ ├──────●──────┤
 *                   +0.0061      +0.0143
 */
import { formatGain } from './number-text.ts';

export interface Interval {
  readonly low: number;
  readonly value: number;
  readonly high: number;
  /** The gain that the gate asks for. */
  readonly required: number;
}

const plotColumns = 64;
/** Left of the leftmost and right of the rightmost mark, so that a label has room. */
const marginColumns = 10;

/** The lines of the plot, or none where a number is not finite. */
export function intervalPlot(interval: Interval): readonly string[] {
  const points = [0, interval.required, interval.low, interval.value, interval.high];
  if (!points.every(Number.isFinite)) return [];
  const least = Math.min(...points);
  const span = Math.max(...points) - least;
  const column = (value: number): number =>
    marginColumns + (span === 0 ? 0 : Math.round(((value - least) / span) * (plotColumns - 2 * marginColumns)));
  const [zero, gate, low, value, high] = [
    column(0),
    column(interval.required),
    column(interval.low),
    column(interval.value),
    column(interval.high),
  ];

  const marks = row();
  marks[zero] = '│';
  marks[gate] = '┃';
  const bar = [...marks];
  for (let at = low; at <= high; at += 1) bar[at] = at === zero ? '┼' : at === gate ? '╂' : '─';
  if (low < value) bar[low] = low === gate ? '┠' : '├';
  if (high > value) bar[high] = high === gate ? '┨' : '┤';
  bar[value] = '●';

  return [labels(zero, gate, interval.required), marks, bar, ends(low, high, interval)].map((line) =>
    (typeof line === 'string' ? line : line.join('')).trimEnd(),
  );
}

function labels(zero: number, gate: number, required: number): string {
  const name = `gate ${formatGain(required)}`;
  if (zero === gate) return `${' '.repeat(zero)}${required === 0 ? '0 = gate' : `0, ${name}`}`;
  // The gate's label goes away from the zero's, to whichever side it stands on.
  if (gate > zero) return `${' '.repeat(zero)}0${' '.repeat(gate - zero - 1)}${gate - zero < 2 ? ' ' : ''}${name}`;
  return `${name.padStart(gate + 1).slice(-(gate + 1))}${' '.repeat(zero - gate - 1)}0`;
}

function ends(low: number, high: number, interval: Interval): string {
  const [first, last] = [formatGain(interval.low), low === high ? '' : formatGain(interval.high)];
  const start = Math.max(0, low - Math.floor(first.length / 2));
  const room = Math.max(high - Math.floor(last.length / 2) - start - first.length, 3);
  return `${' '.repeat(start)}${first}${' '.repeat(room)}${last}`;
}

function row(): string[] {
  return Array.from({ length: plotColumns }, () => ' ');
}
