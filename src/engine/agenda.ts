/**
 * What a run has to look at next. The lists may hold entries that events have overtaken; whoever asks for the first
 * drops those on the way, so an entry is added and dropped once and nothing is ever searched.
 */
import type { PriorityQueue } from './priority-queue.ts';
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
  run.ready.get(poolOf(step))?.add(step);
}

interface Ready {
  readonly step: Step;
  readonly index: number;
}

/** The next instance that asks for a slot, by priority and the order of the definition; of `refused` pools none does. */
export function firstReady(run: Run, refused: ReadonlySet<string | null>): Ready | undefined {
  let first: Ready | undefined;
  for (const [pool, queue] of run.ready) {
    const next = refused.has(pool) ? undefined : firstOf(queue);
    if (next !== undefined && (first === undefined || asksBefore(next.step, first.step))) first = next;
  }
  return first;
}

/** The name of the pool whose slots `step` takes; null: none. */
export function poolOf({ definition }: Pick<Step, 'definition'>): string | null {
  return definition.pool?.name ?? null;
}

/** The higher priority, and of equal ones the earlier in the definition. */
export function asksBefore(left: Step, right: Step): boolean {
  const [one, other] = [left.definition.priority ?? 0, right.definition.priority ?? 0];
  return one === other ? left.ordinal < right.ordinal : one > other;
}

function firstOf(queue: PriorityQueue<Step>): Ready | undefined {
  for (let step = queue.first(); step !== undefined; step = queue.first()) {
    const index = firstReadyIndex(step);
    if (index !== undefined) return { step, index };
    queue.takeFirst();
    step.offered = false;
  }
  return undefined;
}

/** The earliest retry, look or end of an approval that is still planned. */
export function firstDue(run: Run): PlannedTry | undefined {
  for (;;) {
    const planned = run.due.first();
    if (planned === undefined || isPlanned(planned)) return planned;
    run.due.takeFirst();
  }
}

/** What waits may be out of time in the very moment that a retry was planned for, and ends by its last look. */
function isPlanned({ instance, dueAt }: PlannedTry): boolean {
  const waits = instance.state === 'deferred' && instance.wait !== null;
  return instance.dueAt === dueAt && !waits;
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
