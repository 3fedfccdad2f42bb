/** What a new run of a pipeline means for those under way: nothing, its own refusal, or their end. */
import { firstTriggerOf, type Trigger } from '../engine/event.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';

export interface Refusal {
  /** The oldest of the runs under way. */
  readonly underWay: string;
  readonly reason: string;
}

/** `forbid`: why no run is opened beside `active`, the ids of the runs that have not ended; null where one may be. */
export function refusalOf(definition: PipelineDefinition, active: readonly string[]): Refusal | null {
  const [underWay] = active;
  if (underWay === undefined || definition.overlap !== 'forbid') return null;
  return { underWay, reason: `A run of ${definition.name} is under way, and its overlap policy is forbid` };
}

/**
 * Whether a new run cancels one that is under way, by what triggered the two. A run of a backfill is for a date of its own:
 * it replaces none, and none replaces it.
 */
export function replaces(definition: PipelineDefinition, trigger: Trigger, earlier: Trigger): boolean {
  if ([trigger, earlier].some((each) => firstTriggerOf(each).kind === 'backfill')) return false;
  if (definition.overlap === 'replace') return true;
  const place = placeOf(trigger);
  return definition.cancelInProgress && place !== null && placeOf(earlier) === place;
}

/** Why a run is cancelled that a new one, of that trigger and commit, replaces. */
export function replacementReason(trigger: Trigger, sha: string): string {
  switch (trigger.kind) {
    case 'push':
    case 'pull-request':
      return `a newer commit, ${sha.slice(0, 7)}, replaces it`;
    case 'schedule':
      return 'the run of a newer tick replaces it';
    case 'pipeline':
      return `a newer run, after one of ${trigger.pipeline}, replaces it`;
    case 'data':
      return 'a run of newer data replaces it';
    case 'manual':
    case 'rerun':
      return 'a newer run, started by hand, replaces it';
    case 'backfill':
      return 'a run of a backfill replaces it';
    default:
      return unreachable(trigger);
  }
}

/** What a newer commit can replace; a run of the clock, a person, a backfill, another run or of data stands for itself. */
function placeOf(trigger: Trigger): string | null {
  const first = firstTriggerOf(trigger);
  switch (first.kind) {
    case 'push':
      return `branch ${first.branch}`;
    case 'pull-request':
      return `pull request ${first.number}`;
    case 'schedule':
    case 'manual':
    case 'backfill':
    case 'pipeline':
    case 'data':
      return null;
    default:
      return unreachable(first);
  }
}
