/**
 * Guards: branches, short circuits and gates, whose outcome skips other steps whatever their trigger rules say. A near
 * guard reaches its direct downstream steps, a far one everything downstream. So that results never depend on timing,
 * nothing is decided about a step while an unfinished guard could still reach it (`Step.guards`): a far guard keeps what
 * is downstream of it from being `clear`, and being clear spreads along the edges, once over each. A guard that is a
 * finally-step reaches the finally-steps after it, and no other guard does.
 */
import type { Work } from '../pipeline/definition.ts';
import { lookAt } from './agenda.ts';
import type { Control } from './event.ts';
import { finalStepStates, type Run, type Step } from './run.ts';

export function isGuard(work: Work): boolean {
  return work.kind === 'branch' || work.kind === 'short-circuit' || work.kind === 'gate';
}

export function isFarGuard(work: Work): boolean {
  return work.kind === 'gate' || (work.kind === 'short-circuit' && work.ignoreDownstreamTriggerRules);
}

/** What the instances of a final guard decided. */
function controlsOf(step: Step): Control[] {
  return (step.instances ?? []).flatMap(({ control }) => control ?? []);
}

/** A final guard lets go of the steps that waited for it, and marks those that it skips. */
export function applyGuard(run: Run, step: Step): void {
  const { work, name } = step.definition;
  if (!isGuard(work)) return;
  for (const next of step.downstream) next.guards.direct -= 1;
  const controls = controlsOf(step);
  if (work.kind === 'branch' && step.state === 'success') skipUnfollowed(run, step, controls);
  const closed = controls.find((control) => 'pass' in control && !control.pass);
  if (closed !== undefined && 'pass' in closed)
    skipDownstream(run, step, `${name}: ${closed.reason}`, isFarGuard(work));
  spreadClear(run, step);
}

/** Airflow's rule: the direct downstream steps are skipped, but those followed and those downstream of one followed. */
function skipUnfollowed(run: Run, step: Step, controls: readonly Control[]): void {
  const followed = new Set(controls.flatMap((control) => ('follow' in control ? control.follow : [])));
  const kept = new Set(step.downstream.filter((next) => followed.has(next.definition.name)));
  if (kept.size === step.downstream.length) return;
  // Edges only point forward, so nothing behind the last child can lead to a child.
  const lastChild = Math.max(...step.downstream.map((next) => next.ordinal));
  const toVisit = [...kept];
  for (let visited = toVisit.pop(); visited !== undefined; visited = toVisit.pop()) {
    for (const next of visited.downstream) {
      if (next.ordinal > lastChild || kept.has(next)) continue;
      kept.add(next);
      toVisit.push(next);
    }
  }
  const choice = followed.size === 0 ? 'none' : [...followed].join(', ');
  const reason = `${step.definition.name} chose ${choice}`;
  for (const next of step.downstream) if (!kept.has(next)) mark(run, next, reason, false);
}

function skipDownstream(run: Run, step: Step, reason: string, far: boolean): void {
  const toVisit = [step];
  for (let visited = toVisit.pop(); visited !== undefined; visited = toVisit.pop()) {
    for (const next of visited.downstream) if (mark(run, next, reason, far) && far) toVisit.push(next);
  }
}

/** Whether the mark is new: behind a step that is marked far already, everything is marked. */
function mark(run: Run, step: Step, reason: string, far: boolean): boolean {
  if (step.skip !== null && (step.skip.far || !far)) return false;
  step.skip = { reason, far };
  lookAt(run, step);
  return true;
}

function spreadClear(run: Run, step: Step): void {
  const toVisit = [step];
  for (let visited = toVisit.pop(); visited !== undefined; visited = toVisit.pop()) {
    const guarding = isFarGuard(visited.definition.work) && !finalStepStates.has(visited.state);
    if (visited.clear || visited.guards.upstream > 0 || guarding) continue;
    visited.clear = true;
    for (const next of visited.downstream) {
      next.guards.upstream -= 1;
      lookAt(run, next);
      toVisit.push(next);
    }
  }
}
