/** A step on the time of its run, as a bar of so many signs: what runs, and what waits for the next attempt. */
import type { RehearsedStep } from '../rehearsal/rehearsal.ts';

const chartMin = 12;
const chartMax = 60;

/** How wide the bars can be beside so many other signs; 0 where there is no room for any. */
export function chartWidth(columns: number, others: number): number {
  const width = Math.min(chartMax, columns - others);
  return width < chartMin ? 0 : width;
}

/** `█` while an attempt runs, however short it is, `·` between two attempts. */
export function chartOf(step: RehearsedStep, durationMs: number, width: number): string {
  const cells = Array.from({ length: width }, () => ' ');
  const placeOf = (ms: number): number => Math.round((ms / Math.max(1, durationMs)) * width);
  const startOf = (ms: number): number => Math.min(width - 1, placeOf(ms));
  const { startMs, endMs, instances } = step;
  if (startMs !== null && endMs !== null) cells.fill('·', startOf(startMs), placeOf(endMs));
  for (const attempt of instances.flatMap(({ attempts }) => attempts)) {
    const start = startOf(attempt.startMs);
    cells.fill('█', start, Math.max(start + 1, placeOf(attempt.endMs)));
  }
  return cells.join('');
}
