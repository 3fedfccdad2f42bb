/**
 * A simulated run for people: each step with its state, its place on the run's time and why it ended so. On a terminal
 * that is wide enough, the time is drawn as well.
 *
 *   ✓ features  ████                      0:00:00 – 0:01:00  success
 *   ✗ train         ████············████  0:01:00 – 0:13:00  failed: pretended: its code fails
 *                   0:01:00 failed, 0:12:00 failed
 *   ⊘ deploy                                                 upstream failed: all_success: train is failed
 */
import { formatBytes } from '../std/bytes.ts';
import type { RehearsedAttempt, RehearsedInstance, RehearsedRun, RehearsedStep } from '../rehearsal/rehearsal.ts';
import { chartOf, chartWidth } from './simulated-chart.ts';
import { markOf, oneLine, paint } from './terminal.ts';
import { stopwatchText } from './time-text.ts';

/** What is shown of what there could be very much of. */
const instancesShownMax = 5;
const attemptsShownMax = 6;
/** Signs that are left for the words of a line. */
const wordsWidth = 40;

/** `columns` null: this is no terminal, and nothing is drawn. */
export function simulatedRunLines(run: RehearsedRun, columns: number | null): readonly string[] {
  const nameWidth = Math.max(...run.steps.map((step) => oneLine(step.name).length));
  const spanWidth = Math.max(...run.steps.map((step) => spanOf(step).length));
  const width = columns === null ? 0 : chartWidth(columns, nameWidth + spanWidth + wordsWidth);
  return run.steps.flatMap((step) => {
    const chart = width === 0 ? '' : `${chartOf(step, run.durationMs, width)}  `;
    const name = oneLine(step.name).padEnd(nameWidth);
    const about = paint('gray', `${chart}${spanOf(step).padEnd(spanWidth)}  ${wordsOf(step)}`.trimEnd());
    const below = detailsOf(step).map((line) => paint('gray', `      ${line}`));
    return [`  ${markOf(step.state)} ${name}  ${about}`, ...below];
  });
}

/** What the run ends as, and what is missed on the way. */
export function simulatedEndLines(run: RehearsedRun, deadlineMs: number | null): readonly string[] {
  const end = run.refused ? 'refused' : run.state;
  const why = run.refused ? 'a challenger that should not be merged' : run.reason;
  const text = `${end} after ${stopwatchText(run.durationMs)}${why === null ? '' : `: ${oneLine(why)}`}`;
  const missed = run.deadlineMissed
    ? [paint('yellow', `The deadline of ${stopwatchText(deadlineMs ?? 0)} is missed.`)]
    : [];
  return [...missed, `${markOf(run.refused ? 'failed' : run.state)} ${text}`];
}

/** What was pretended without having been asked for. */
export function assumedLines(assumed: readonly string[]): readonly string[] {
  if (assumed.length === 0) return [];
  return [
    paint('gray', 'Pretended, since nothing else was said:'),
    ...assumed.map((each) => paint('gray', `  ${oneLine(each)}`)),
  ];
}

function spanOf({ startMs, endMs }: RehearsedStep): string {
  return startMs === null || endMs === null ? '' : `${stopwatchText(startMs)} – ${stopwatchText(endMs)}`;
}

function wordsOf(step: RehearsedStep): string {
  const { instances, isMapped, state } = step;
  const done = instances.filter((instance) => instance.state === 'success').length;
  const counts = isMapped && instances.length > 0 ? ` ${done}/${instances.length}` : '';
  const verdicts = new Set(instances.flatMap((instance) => instance.verdict ?? []));
  const verdict = verdicts.size === 0 ? '' : `, verdict ${[...verdicts].join(' and ')}`;
  const reason = step.reason === null ? '' : `: ${oneLine(step.reason)}`;
  return `${state.replaceAll('_', ' ')}${counts}${verdict}${reason}`;
}

/** The attempts where there was more than one, the instances that did not simply succeed. */
function detailsOf({ isMapped, instances }: RehearsedStep): readonly string[] {
  const telling = instances.filter(({ state, attempts }) => attempts.length > 1 || (isMapped && state !== 'success'));
  const shown = telling.slice(0, instancesShownMax).map((instance) => detailOf(instance, isMapped));
  const more = telling.length - shown.length;
  return more === 0 ? shown : [...shown, `… ${more} more instances that did not succeed at once`];
}

function detailOf({ index, state, attempts }: RehearsedInstance, isMapped: boolean): string {
  const first = attempts.length > attemptsShownMax ? attempts.slice(0, attemptsShownMax - 1) : attempts;
  const hidden = attempts.length - first.length - 1;
  const parts = first.map(attemptText);
  const last = attempts.at(-1);
  if (hidden >= 0 && last !== undefined) parts.push(`… ${hidden} more …`, attemptText(last));
  return `${isMapped ? `[${index}] ${state.replaceAll('_', ' ')}: ` : ''}${parts.join(', ')}`;
}

/** In the words that `--outcome` takes. */
function attemptText({ startMs, outcome, memoryBytes }: RehearsedAttempt): string {
  const word = outcome === 'code' ? 'failed' : outcome === 'succeeded' ? 'success' : outcome;
  const memory = memoryBytes === null ? '' : ` (${formatBytes(memoryBytes)})`;
  return `${stopwatchText(startMs)} ${word}${memory}`;
}
