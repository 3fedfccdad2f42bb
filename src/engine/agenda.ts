/**
 * What a run has to look at next. The lists may hold entries that events have overtaken; whoever asks for the first
 * drops those on the way, so an entry is added and dropped once and nothing is ever searched.
 */
import type { PlannedTry, Run, Step } from './run.ts';

/** Notes that something which `step` depends on has changed. */
export function lookAt(run: Run, step: Step): void {
  if (step.toLookAt) return;
  step.toLookAt = true;
  run.changed.add(step);
}

/** The first changed step in the order of the definition; what it changes stands behind it. */
export function takeChanged(run: Run): Step | undefined {
  const step = run.changed.takeFirst();
  if (step !== undefined) step.toLookAt = false;
  return step;
}

/** Puts `step` among those that ask for a slot, where it has an instance to start and its concurrency leaves room. */
export function offer(run: Run, step: Step): void {
  if (step.offered || firstReadyIndex(step) === undefined) return;
  step.offered = true;
  run.ready.add(step);
}

/** The next instance that asks for a slot, in the order of the definition. */
export function firstReady(run: Run): { readonly step: Step; readonly index: number } | undefined {
  for (;;) {
    const step = run.ready.first();
    if (step === undefined) return undefined;
    const index = firstReadyIndex(step);
    if (index !== undefined) return { step, index };
    run.ready.takeFirst();
    step.offered = false;
  }
}

/** The earliest retry, look or end of an approval that is still planned. */
export function firstDue(run: Run): PlannedTry | undefined {
  for (;;) {
    const planned = run.due.first();
    if (planned === undefined || planned.instance.dueAt === planned.dueAt) return planned;
    run.due.takeFirst();
  }
}

function firstReadyIndex(step: Step): number | undefined {
  const concurrency = step.definition.map?.concurrency ?? null;
  if (concurrency !== null && step.active >= concurrency) return undefined;
  for (;;) {
    const index = step.ready.first();
    if (index === undefined || step.instances?.[index]?.state === 'scheduled') return index;
    step.ready.takeFirst();
  }
}
