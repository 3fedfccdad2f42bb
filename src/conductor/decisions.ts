/**
 * Decisions on approvals. The id of a decision is made of run and step, so the journal keeps the first and refuses every
 * other; who comes second hears who was first.
 */
import type { Run, Step } from '../engine/run.ts';
import type { Journal } from '../journal/journal.ts';
import { readRun } from './read.ts';

/** Why a run is not asked; the message is a sentence. */
export interface Refusal {
  readonly kind: 'ended' | 'step-unknown' | 'not-waiting';
  readonly message: string;
}

export function decisionId(runId: string, step: string): string {
  return `${runId}/decides/${step}`;
}

/** Null: the step waits for a decision. */
export async function whyUndecidable(journal: Journal, runId: string, name: string): Promise<Refusal | null> {
  const run = await readRun(journal, runId);
  if (run === null) return { kind: 'ended', message: `there is no run ${runId}` };
  const step = run.steps.get(name);
  if (step?.definition.work.kind !== 'approval') return { kind: 'step-unknown', message: noApproval(run, name) };
  return step.state === 'deferred' ? null : { kind: 'not-waiting', message: notWaiting(step) };
}

/** What the second one hears whose row was refused. */
export async function decidedBefore(journal: Journal, runId: string, step: string): Promise<Refusal> {
  const first = await journal.request(decisionId(runId, step));
  const said = first?.request.type === 'decide' ? decidedText(first.request) : 'decided';
  return { kind: 'not-waiting', message: `"${step}" was ${said} already` };
}

function noApproval(run: Run, name: string): string {
  const approvals = [...run.steps.values()].filter(({ definition }) => definition.work.kind === 'approval');
  const names = approvals.map(({ definition }) => definition.name).join(', ') || 'none';
  const what = run.steps.has(name) ? `"${name}" is no approval` : `the run has no step "${name}"`;
  return `${what}; its approvals: ${names}`;
}

function notWaiting({ definition, state, reason, instances }: Step): string {
  const decision = instances?.[0]?.approval?.decision ?? null;
  if (decision !== null) return `"${definition.name}" was ${decidedText(decision)} already`;
  if (state === 'none') return `"${definition.name}" does not wait for a decision yet`;
  return `"${definition.name}" is ${state.replaceAll('_', ' ')} already${reason === null ? '' : `: ${reason}`}`;
}

function decidedText({ decision, by }: { readonly decision: 'approve' | 'reject'; readonly by: string }): string {
  return `${decision === 'approve' ? 'approved' : 'rejected'} by ${by}`;
}
