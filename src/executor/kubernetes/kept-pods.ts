/**
 * Which pods of attempts that have ended stay in the cluster for people to look at, and until when. A pod stays only when it
 * has ended by itself, or its node is about to end it: it holds no node then, and takes nothing of a quota. Pure; the cluster itself remembers which there are,
 * and in annotations what was said of each.
 */
import type { PlacementEnd } from '../desk/placing.ts';
import { onFinishActions } from '../../pipeline/pod.ts';
import { parseDuration } from '../../std/duration.ts';
import type { Json } from '../../std/json.ts';
import { hasFailedInit } from './pod-end.ts';
import { podAnnotations, podLabels } from './pod.ts';
import type { PodView } from './pod-view.ts';

export interface KeepRule {
  readonly onFinishAction: (typeof onFinishActions)[number];
  /** From the end of the pod. */
  readonly ttlAfterFinishedMs: number;
}

/** `said`: of one pod, by the words of `PodOptions`. For what it leaves out the rule of all pods holds. */
export function ruleFor(
  { onFinishAction: action, ttlAfterFinished: ttl }: { readonly [word: string]: Json | undefined },
  rule: KeepRule,
): KeepRule {
  const kept = typeof ttl === 'string' ? parseDuration(ttl) : null;
  return {
    onFinishAction: onFinishActions.find((each) => each === action) ?? rule.onFinishAction,
    ttlAfterFinishedMs: kept?.ok === true ? kept.value : rule.ttlAfterFinishedMs,
  };
}

/** In one namespace. The newest stay. */
export const keptPodsMax = 200;

/** Whether the pod of an attempt that ended so is left to end by itself. */
export function isLeft(end: PlacementEnd, view: PodView | undefined, { onFinishAction }: KeepRule): boolean {
  if (end.kind === 'stopped' || (view?.deletion ?? null) !== null) return false;
  // One that has not begun may begin yet; what its agent tells can be seen only later.
  if (end.kind === 'seen' && (view === undefined || mayBegin(view))) return false;
  const hasFailed = end.kind === 'seen' || end.result.outcome.kind === 'failed';
  return onFinishAction === 'keep_pod' || (onFinishAction === 'delete_succeeded_pod' && hasFailed);
}

function mayBegin({ phase, containers }: PodView): boolean {
  return phase === 'Pending' && !containers.some(hasFailedInit);
}

/** It has ended, or sidecars alone go on: its node ends those, and kills who hears no warning when the pod's grace is over. */
export function isEnding(view: PodView): boolean {
  return isOver(view) || view.end !== null;
}

function isOver({ phase }: PodView): boolean {
  return phase === 'Failed' || phase === 'Succeeded';
}

/** Of pods whose attempts have ended, those that stay. */
export function keptOf(pods: Iterable<PodView>, rule: KeepRule, now: number): ReadonlySet<PodView> {
  const kept = [...pods].filter((view) => {
    const own = ruleFor(saidOf(view), rule);
    return isWanted(view, own) && now < endOf(view) + own.ttlAfterFinishedMs;
  });
  return new Set(kept.sort((one, other) => endOf(other) - endOf(one)).slice(0, keptPodsMax));
}

function saidOf({ annotations }: PodView): { readonly [word: string]: string | undefined } {
  return {
    onFinishAction: annotations[podAnnotations.onFinishAction],
    ttlAfterFinished: annotations[podAnnotations.ttlAfterFinished],
  };
}

function isWanted(view: PodView, { onFinishAction }: KeepRule): boolean {
  if (view.labels[podLabels.type] !== 'attempt') return false;
  if (onFinishAction === 'delete_pod' || !isEnding(view)) return false;
  return onFinishAction === 'keep_pod' || hasFailed(view);
}

function hasFailed(view: PodView): boolean {
  return isOver(view) ? view.phase === 'Failed' : view.end === 'failed';
}

function endOf({ containers, createdAt }: PodView): number {
  return Math.max(createdAt, ...containers.map(({ finishedAt }) => finishedAt ?? 0));
}
