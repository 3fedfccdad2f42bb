/** Why a step, or one instance of it, does not go on: `waits for features and data`, `waits for a slot of pool gpu …`. */
import { judge } from '../../engine/trigger-rule.ts';
import { finalStepStates, type Run, type Step } from '../../engine/run.ts';
import type { StepDefinition } from '../../pipeline/definition.ts';
import { waitingText, waitText } from './waiting-text.ts';
import type { Waiting } from './waits.ts';

/** What only a server knows. */
export interface Surroundings {
  /** Why ready instances of a step wait; null where they are about to start. */
  readonly whyWaiting: (step: StepDefinition) => string | null;
  /** What it sees of the instances of a step that wait for something. Another server may be the one that looks. */
  readonly waiting: (runId: string, step: string) => readonly Waiting[];
}

const namesMax = 5;

/** `index` null: the step as a whole. Null: it has ended, is under way, or is about to begin. */
export function stepWaits(
  run: Run,
  step: Step,
  index: number | null,
  around: Surroundings,
  now: number,
): string | null {
  if (run.finishedAt !== null) return null;
  const instance = index === null ? undefined : step.instances?.[index];
  const state = instance?.state ?? step.state;
  if (state === 'none') return upstreamText(run, step);
  if (state === 'scheduled') return concurrencyText(step) ?? around.whyWaiting(step.definition);
  if (state !== 'deferred') return null;
  return step.definition.work.kind === 'approval' ? approvalText(step) : outsideText(run, step, index, around, now);
}

function upstreamText(run: Run, step: Step): string | null {
  const { triggerRule, upstream } = step.definition;
  if (run.begunAt === null) return 'waits for its run to begin';
  if (step.runsLast && run.unfinishedSteps > 0) return 'waits until all other steps have ended';
  // Where its rule would let it run already, it is the outputs that it reads which are missing.
  const reads = !step.runsLast && judge(triggerRule, step.upstream) === 'run' ? step.reads : null;
  const missing = upstream.filter((name) => {
    const state = run.steps.get(name)?.state ?? 'removed';
    return !finalStepStates.has(state) && (reads === null || reads.has(name));
  });
  if (missing.length === 0) return null;
  const more = missing.length > namesMax ? ` and ${missing.length - namesMax} more` : '';
  const rule = triggerRule === 'all_success' || reads !== null ? '' : ` (${triggerRule})`;
  return `waits for ${missing.slice(0, namesMax).join(', ')}${more}${rule}`;
}

function concurrencyText({ definition, active }: Step): string | null {
  const concurrency = definition.map?.concurrency ?? null;
  if (concurrency === null || active < concurrency) return null;
  return `waits for other instances of ${definition.name} (concurrency ${concurrency})`;
}

function approvalText({ instances }: Step): string {
  const message = instances?.[0]?.approval?.message ?? null;
  return `waits for a decision${message === null ? '' : `: ${message}`}`;
}

/** Of one instance, or of the first that waits. */
function outsideText(run: Run, step: Step, index: number | null, around: Surroundings, now: number): string | null {
  const waiting = around.waiting(run.opened.runId, step.definition.name);
  const wanted = index === null ? waiting : waiting.filter((each) => each.index === index);
  return waitingText(wanted, now) ?? waitText(run, step);
}
