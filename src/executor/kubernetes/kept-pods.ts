/**
 * Which pods of attempts that have ended stay in the cluster for people to look at, and until when. A pod stays only when it
 * has ended by itself: it holds no node then, and takes nothing of a quota. Pure; the cluster itself remembers which there are.
 */
import type { PlacementEnd } from '../desk/placing.ts';
import { podLabels } from './pod.ts';
import type { PodView } from './pod-view.ts';

/** As Airflow names it. */
export const onFinishActions = ['delete_pod', 'delete_succeeded_pod', 'keep_pod'] as const;

export interface KeepRule {
  readonly onFinishAction: (typeof onFinishActions)[number];
  /** From the end of the pod. */
  readonly ttlAfterFinishedMs: number;
}

/** In one namespace. The newest stay. */
export const keptPodsMax = 200;

/** Whether the pod of an attempt that ended so is left to end by itself. */
export function isLeft(end: PlacementEnd, view: PodView | undefined, { onFinishAction }: KeepRule): boolean {
  if (end.kind === 'stopped' || (view?.deletion ?? null) !== null) return false;
  // One that has not begun may begin yet; what its agent tells can be seen only later.
  if (end.kind === 'seen' && (view === undefined || view.phase === 'Pending')) return false;
  const hasFailed = end.kind === 'seen' || end.result.outcome.kind === 'failed';
  return onFinishAction === 'keep_pod' || (onFinishAction === 'delete_succeeded_pod' && hasFailed);
}

export function isOver({ phase }: PodView): boolean {
  return phase === 'Failed' || phase === 'Succeeded';
}

/** Of pods whose attempts have ended, those that stay. */
export function keptOf(pods: Iterable<PodView>, rule: KeepRule, now: number): ReadonlySet<PodView> {
  const kept = [...pods].filter((view) => isWanted(view, rule) && now < endOf(view) + rule.ttlAfterFinishedMs);
  return new Set(kept.sort((one, other) => endOf(other) - endOf(one)).slice(0, keptPodsMax));
}

function isWanted(view: PodView, { onFinishAction }: KeepRule): boolean {
  if (view.labels[podLabels.type] !== 'attempt') return false;
  if (onFinishAction === 'keep_pod') return isOver(view);
  return onFinishAction === 'delete_succeeded_pod' && view.phase === 'Failed';
}

function endOf({ containers, createdAt }: PodView): number {
  return Math.max(createdAt, ...containers.map(({ finishedAt }) => finishedAt ?? 0));
}
