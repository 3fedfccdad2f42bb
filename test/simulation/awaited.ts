/**
 * What became of waits for other pipelines, judged from what was kept: what is said to have been seen was so, and what
 * was there before any answer could have come late was not overlooked.
 */
import { firstTriggerOf, type RunEvent, type RunOpened } from '../../src/engine/event.ts';
import type { PipelineDefinition, WaitWork, Work } from '../../src/pipeline/definition.ts';
import { isJsonObject } from '../../src/std/json.ts';
import type { KeptRun } from './history.ts';
import { defaultBranch } from './listeners.ts';

type RunCondition = Extract<WaitWork['for'], { condition: 'pipeline' | 'step' }>;

export interface KeptWait {
  readonly event: RunEvent;
  readonly run: KeptRun;
  readonly definitionOf: (opened: RunOpened) => PipelineDefinition;
  readonly runs: ReadonlyMap<string, KeptRun>;
  /** What was kept before then has been seen by all who looked. */
  readonly seenBy: number;
}

/** Null: nothing is wrong with it. */
export function wrongWait(wait: KeptWait): string | null {
  const { event, run, definitionOf } = wait;
  if (event.type !== 'wait-seen' && event.type !== 'step-finished') return null;
  const work = definitionOf(run.opened).steps.find(({ name }) => name === event.step)?.work;
  const condition = work?.kind === 'wait' ? work.for : null;
  if (condition === null || (condition.condition !== 'pipeline' && condition.condition !== 'step')) return null;
  const what = `${run.opened.runId}/${event.step}`;
  if (event.type === 'wait-seen') return wasSo(condition, event, wait) ? null : `${what} saw what was not there`;
  if (endedOtherwise(work, event.reason))
    return hasFailed(condition, wait) ? null : `${what} gave up, and nothing that it waits for had ended so`;
  if (event.reason?.startsWith('timeout: waited') !== true) return null;
  const overlooked = overlookedIn(condition, wait);
  return overlooked === null ? null : `${what} did not see ${overlooked}, and that was there`;
}

/** Whether its wait was ended because of how what it waits for did, and not by its time or for good. */
export function endedOtherwise(work: Work | undefined, reason: string | null): boolean {
  const mayEnd = work?.kind === 'wait' && 'failStates' in work.for && work.for.failStates !== undefined;
  return mayEnd && reason?.startsWith('timeout: ') === false && reason.endsWith('is waited for');
}

function hasFailed(condition: RunCondition, { runs, run }: KeptWait): boolean {
  const ended = [...runs.values()].filter((each) => isFor(condition, each, run)).map(({ state }) => state);
  return (
    condition.condition === 'pipeline' && ended.some((state) => condition.failStates?.some((bad) => bad === state))
  );
}

function wasSo(
  condition: RunCondition,
  { output }: Extract<RunEvent, { type: 'wait-seen' }>,
  { runs, run }: KeptWait,
): boolean {
  const seen = 'inline' in output && isJsonObject(output.inline) ? output.inline : {};
  const { runId } = seen;
  const found = typeof runId === 'string' ? runs.get(runId) : undefined;
  if (found === undefined || !isFor(condition, found, run)) return false;
  if (condition.condition === 'pipeline') return found.state === seen['state'];
  return found.events.some(
    (event) =>
      (event.type === 'step-finished' || event.type === 'step-reused') &&
      event.step === condition.step &&
      event.state === seen['state'],
  );
}

/**
 * Of waits for pipelines: their newest run of the day, where that is in a state that counts and has long been. Where it
 * takes Git to tell whether a run counts, no answer is too late.
 */
function overlookedIn(condition: RunCondition, { runs, run, seenBy }: KeptWait): string | null {
  if (condition.condition !== 'pipeline') return null;
  const all = [...runs.values()].filter((each) => isFor(condition, each, run));
  const newest = all.reduce<KeptRun | null>((last, each) => (last === null || isLater(each, last) ? each : last), null);
  if (newest === null || newest.endedAt === null || newest.endedAt > seenBy) return null;
  if (!countsAtOnce(newest, run)) return null;
  return condition.states.some((state) => state === newest.state) ? newest.opened.runId : null;
}

function isFor(condition: RunCondition, { opened }: KeptRun, waiting: KeptRun): boolean {
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  return (
    opened.pipeline === condition.pipeline &&
    mayCount(opened, waiting) &&
    day(opened.logicalDate) === day(waiting.opened.logicalDate)
  );
}

/** Of runs by hand, and of backfills, it takes Git to tell whether their commit is merged. */
function mayCount(opened: RunOpened, waiting: KeptRun): boolean {
  const first = firstTriggerOf(opened.trigger);
  if (first.kind === 'pull-request') return false;
  return branchOf(opened) === null || branchOf(opened) === defaultBranch || isSameBranch(opened, waiting);
}

function countsAtOnce({ opened }: KeptRun, waiting: KeptRun): boolean {
  const { kind } = firstTriggerOf(opened.trigger);
  return kind === 'schedule' || kind === 'data' || isSameBranch(opened, waiting);
}

function isSameBranch(opened: RunOpened, waiting: KeptRun): boolean {
  const branch = branchOf(opened);
  return branch !== null && branch === branchOf(waiting.opened);
}

/** Of a push, and of what follows one. */
function branchOf({ trigger }: RunOpened): string | null {
  const first = firstTriggerOf(trigger);
  return first.kind === 'push' || first.kind === 'pipeline' ? first.branch : null;
}

function isLater({ opened: one }: KeptRun, { opened: other }: KeptRun): boolean {
  return one.logicalDate === other.logicalDate ? one.runId > other.runId : one.logicalDate > other.logicalDate;
}
