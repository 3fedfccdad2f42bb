/** How a run goes on: which steps are decided by what has changed, and which instances get a slot. */
import { unreachable } from '../std/unreachable.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import { firstDue, firstReady, poolOf, takeChanged } from './agenda.ts';
import { endApproval, requestApproval } from './approval.ts';
import { mappedLength } from './mapping.ts';
import { finalStepStates, type Run, type Step } from './run.ts';
import { judge } from './trigger-rule.ts';
import { finish, record, type Turn } from './turn.ts';
import { beginWait } from './waiting.ts';

/**
 * Asked for the ready instances, by priority and in the order of the definition; true takes a slot. The first refusal of
 * a pool ends the asking for that pool: nobody overtakes in it, others go on, and ten thousand that wait cost nothing.
 */
export type Admit = (step: StepDefinition) => boolean;

/** Retries whose time has come ask for a slot again, or wait again; approvals whose time is over end. */
export function scheduleDue(turn: Turn): void {
  for (let due = firstDue(turn.run); due !== undefined && due.dueAt <= turn.at; due = firstDue(turn.run)) {
    const { work } = due.step.definition;
    if (work.kind === 'approval') endApproval(turn, due.step, work);
    else schedule(turn, due.step, due.instance.index);
  }
}

/** Looks at each step whose surroundings changed, and at those that change by that. */
export function decideChanged(turn: Turn): void {
  for (let step = takeChanged(turn.run); step !== undefined; step = takeChanged(turn.run)) {
    if (step.state !== 'none') continue;
    if (step.runsLast) decideLast(turn, step);
    else decideStep(turn, step);
  }
}

/** Hands out slots until each pool has refused. */
export function startReady(turn: Turn, admit: Admit): void {
  const refused = new Set<string | null>();
  for (let next = firstReady(turn.run, refused); next !== undefined; next = firstReady(turn.run, refused)) {
    const { step, index } = next;
    if (!admit(step.definition)) {
      refused.add(poolOf(step));
      continue;
    }
    const attempt = (step.instances?.[index]?.attempts.length ?? 0) + 1;
    record(turn, { type: 'attempt-started', at: turn.at, step: step.definition.name, index, attempt });
  }
}

function decideStep(turn: Turn, step: Step): void {
  if (step.skip !== null) return finish(turn, step, null, 'skipped', step.skip.reason);
  if (step.guards.direct + step.guards.upstream > 0) return;
  const verdict = judge(step.definition.triggerRule, step.upstream);
  switch (verdict) {
    case 'wait':
      return;
    case 'run':
      if (step.readsUnfinished === 0) begin(turn, step);
      return;
    case 'skipped':
    case 'upstream_failed':
      return finish(turn, step, null, verdict, explain(turn.run, step));
    default:
      return unreachable(verdict);
  }
}

/**
 * A finally-step comes after all others, so that is what its rule is about. The default rule says nothing of it: it runs
 * whatever became of them. One that is not to run is skipped, which never makes the run fail. The guards before it that
 * come last too have ended with the steps directly before it.
 */
function decideLast(turn: Turn, step: Step): void {
  const { others, unfinishedSteps, stopping } = turn.run;
  if (unfinishedSteps > 0 || step.upstream.unfinished > 0) return;
  if (step.skip !== null) return finish(turn, step, null, 'skipped', step.skip.reason);
  const { triggerRule } = step.definition;
  // What the time limit ended counts as failed, what a cancel ended as skipped.
  const counted = stopping?.cause === 'timeout' ? 'failed' : 'skipped';
  const upstream = { ...others, [counted]: others[counted] + others.cancelled, unfinished: 0 };
  if (triggerRule === 'all_success' || judge(triggerRule, upstream) === 'run') return begin(turn, step);
  const ends = [
    [others.success, 'success'],
    [others.failed, 'failed'],
    [others.upstreamFailed, 'upstream_failed'],
    [others.skipped, 'skipped'],
    [others.cancelled, 'cancelled'],
  ] as const;
  const shown = ends.flatMap(([count, state]) => (count === 0 ? [] : [`${count} ${state}`]));
  finish(turn, step, null, 'skipped', `${triggerRule}: of the other steps ${shown.join(', ')}`);
}

function begin(turn: Turn, step: Step): void {
  const { work } = step.definition;
  if (work.kind === 'approval') return requestApproval(turn, step, work);
  if (step.definition.map === null) return schedule(turn, step, 0);
  // Mapped by a re-run, which reuses some of the instances.
  if (step.instances !== null) {
    for (const { index, state } of step.instances) if (state === 'none') schedule(turn, step, index);
    return;
  }
  const length = mappedLength(turn.run, step);
  if (!length.ok) return finish(turn, step, null, 'failed', length.error);
  record(turn, { type: 'step-mapped', at: turn.at, step: step.definition.name, length: length.value });
  if (length.value === 0) return finish(turn, step, null, 'skipped', 'there is nothing to map over');
  for (let index = 0; index < length.value; index += 1) schedule(turn, step, index);
}

/** Asks for a slot; a wait, which needs none, begins. */
function schedule(turn: Turn, step: Step, index: number): void {
  const { work } = step.definition;
  if (work.kind === 'wait') return beginWait(turn, step, index, work);
  record(turn, { type: 'step-scheduled', at: turn.at, step: step.definition.name, index });
}

/** The rule, and what the upstream steps, or instances of them, that have ended are. */
function explain(run: Run, step: Step): string {
  const ends = step.definition.upstream.flatMap((name) => {
    const upstream = run.steps.get(name);
    if (upstream === undefined) return [];
    return finalStepStates.has(upstream.state) ? [`${name} is ${upstream.state}`] : endsOfInstances(upstream);
  });
  const shown = ends.length > 5 ? [...ends.slice(0, 5), `and ${ends.length - 5} more`] : ends;
  return `${step.definition.triggerRule}: ${shown.join(', ')}`;
}

/** Of a mapped step that has not ended as a whole. */
function endsOfInstances({ definition, counts, instances }: Step): string[] {
  return [...finalStepStates].flatMap((state) => {
    const count = counts.get(state) ?? 0;
    return count === 0 ? [] : [`${definition.name} is ${state} in ${count} of ${instances?.length ?? 0} instances`];
  });
}
