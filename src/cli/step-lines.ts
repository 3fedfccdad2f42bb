/** A step of a run as one line: a mark, its name, and what there is to say about it. */
import { waitText } from '../conductor/waits/waiting-text.ts';
import { memoryOfAttempt } from '../engine/engine.ts';
import { finalStepStates, type Run, type Step } from '../engine/run.ts';
import { formatBytes } from '../std/bytes.ts';
import { formatDuration } from '../std/duration.ts';
import { markOf, oneLine, paint } from './terminal.ts';

/** Before it runs there is nothing to tell in lines that stay. */
export function isWaiting(step: Step): boolean {
  return step.state === 'none' || step.state === 'scheduled' || step.state === 'queued';
}

/**
 * `now` null: without the time that a running step has taken so far, for lines that stay. `waits`: why it does not go on,
 * as whoever carries the run out knows it.
 */
export function stepLine(
  run: Run,
  step: Step,
  now: number | null,
  stream: NodeJS.WritableStream,
  waits: string | null = waitText(run, step),
): string {
  const why = step.reason ?? failureBeforeRetry(step) ?? waits;
  const isWhat = isWaiting(step) && why?.startsWith('waits ') === true;
  const waiting = isWhat ? `waiting ${oneLine(why.slice('waits '.length))}` : 'waiting';
  const state = isWaiting(step) ? waiting : step.state.replaceAll('_', ' ');
  const reason = why === null || isWhat ? '' : `: ${oneLine(why)}`;
  const about = paint(
    'gray',
    `${state}${countsOf(step)}${originOf(step)}${memoryOf(step)}${tookOf(step, now)}${reason}`,
    stream,
  );
  return `  ${markOf(step.state, stream)} ${oneLine(step.definition.name)} ${about}`;
}

/** Why there will be another try: whoever looks on should not have to wait for the last one to know. */
function failureBeforeRetry({ state, instances }: Step): string | null {
  if (state !== 'up_for_retry') return null;
  const failed = instances?.find((instance) => instance.state === 'up_for_retry');
  const outcome = failed?.attempts.at(-1)?.outcome ?? null;
  return outcome?.kind === 'failed' ? outcome.message : (failed?.wait?.failure?.message ?? null);
}

/** What makes a new line worth printing: the time alone does not. */
export function stepKey(step: Step): string {
  return `${step.state}${countsOf(step)}`;
}

/** Of a mapped step: how many of its instances have ended well. */
function countsOf(step: Step): string {
  if (step.definition.map === null || step.instances === null) return '';
  const done = step.instances.filter((instance) => instance.state === 'success').length;
  return ` ${done}/${step.instances.length}`;
}

function tookOf(step: Step, now: number | null): string {
  const spans = (step.instances ?? []).flatMap(({ attempts, wait }) => [
    ...attempts.map(({ startedAt, finishedAt }) => ({ since: startedAt, endedAt: finishedAt })),
    ...(wait === null ? [] : [wait]),
  ]);
  if (spans.length === 0) return '';
  const ends = spans.flatMap(({ endedAt }) => endedAt ?? []);
  const end = ends.length === spans.length ? Math.max(...ends) : now;
  if (end === null) return '';
  const start = Math.min(...spans.map(({ since }) => since));
  return ` ${formatDuration(Math.max(0, end - start))}`;
}

/** Where what it gave was not made in this run, or why it was. */
function originOf(step: Step): string {
  if (step.reusedFrom !== null) return ', reused';
  const said = finalStepStates.has(step.state) ? cacheText(step) : null;
  return said === null ? '' : `, ${oneLine(said)}`;
}

/** What the step cache had for it, in words; null: nobody looked. */
export function cacheText({ instances }: Step): string | null {
  const looks = (instances ?? []).flatMap(({ attempts }) => attempts.at(-1)?.cache ?? []);
  const missed = looks.flatMap((look) => (look.found ? [] : [look.why]));
  const of = looks.length === 1 ? '' : `${missed.length} of ${looks.length} `;
  if (missed[0] !== undefined) return `${of}not from the cache: ${missed[0]}`;
  const [runId, ...others] = new Set(looks.flatMap((look) => (look.found ? [look.runId] : [])));
  if (runId === undefined) return null;
  return others.length === 0 ? `from the cache of run ${runId}` : `from the cache of ${others.length + 1} runs`;
}

/** Where an attempt may take more than the first one might. */
function memoryOf(step: Step): string {
  const first = step.definition.memory?.bytes ?? null;
  const given = (step.instances ?? []).map((each) => memoryOfAttempt(step, each, each.attempts.length) ?? 0);
  const most = given.reduce((one, other) => Math.max(one, other), 0);
  return first === null || most <= first ? '' : `, memory grown from ${formatBytes(first)} to ${formatBytes(most)}`;
}
