/**
 * What changed between two views of a run, small enough to be sent several times a second: whole fields that differ,
 * and of the steps only those that differ. `applyChange(before, changeBetween(before, after))` equals `after`.
 */
import type { RunView, StepView } from './run-view.ts';

export interface RunChange {
  readonly fields: Partial<Omit<RunView, 'steps' | 'graph'>>;
  readonly steps: readonly StepView[];
}

const fieldNames = [
  'position',
  'now',
  'head',
  'challenges',
  'gates',
  'notices',
  'undelivered',
  'approvals',
  'failure',
  'panel',
] as const satisfies readonly (keyof RunView)[];

/** Both views are of one run: the same steps in the same order, and the same graph. */
export function changeBetween(before: RunView, after: RunView): RunChange {
  const fields = Object.fromEntries(
    fieldNames.filter((name) => !same(before[name], after[name])).map((name) => [name, after[name]]),
  ) as RunChange['fields'];
  return { fields, steps: after.steps.filter((step, at) => !same(step, before.steps[at])) };
}

export function applyChange(view: RunView, change: RunChange): RunView {
  const changed = new Map(change.steps.map((step) => [step.name, step]));
  const steps = changed.size === 0 ? view.steps : view.steps.map((step) => changed.get(step.name) ?? step);
  return { ...view, ...change.fields, steps };
}

function same(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
