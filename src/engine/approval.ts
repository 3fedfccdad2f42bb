/**
 * A step that a person decides. It has no attempt: nothing runs, no slot is held, nothing is tried again. The first
 * decision counts; one that comes when nothing waits for it changes nothing.
 *
 *   none ─► deferred ─► success (approved)
 *                 └───► failed, skipped (rejected, or out of time), cancelled
 */
import type { ApprovalWork } from '../pipeline/definition.ts';
import { formatDuration } from '../std/duration.ts';
import { isJsonObject, type Json } from '../std/json.ts';
import { success, type Result } from '../std/result.ts';
import { bindTemplate } from './bind.ts';
import { engineLimits } from './event.ts';
import type { DecideRequest } from './request.ts';
import type { Run, Step } from './run.ts';
import { finish, record, type Turn } from './turn.ts';

/** The step begins to wait. */
export function requestApproval(turn: Turn, step: Step, work: ApprovalWork): void {
  const message = messageOf(turn.run, step, work);
  if (!message.ok) return finish(turn, step, 0, 'failed', message.error);
  const { name } = step.definition;
  const dueAt = turn.at + work.timeoutMs;
  record(turn, { type: 'approval-requested', at: turn.at, step: name, message: message.value, dueAt });
}

/** Ends the waiting of an approval whose time is over. */
export function endApproval(turn: Turn, step: Step, work: ApprovalWork): void {
  const reason = `timeout: nobody decided within ${formatDuration(work.timeoutMs)}`;
  finish(turn, step, 0, work.softFail ? 'skipped' : 'failed', reason);
}

export function decideApproval(turn: Turn, { step: name, decision, by, reason }: DecideRequest): void {
  const step = turn.run.steps.get(name);
  const work = step?.definition.work;
  if (step === undefined || work?.kind !== 'approval' || step.state !== 'deferred') return;
  record(turn, { type: 'approval-decided', at: turn.at, step: name, decision, by, reason });
  if (decision === 'approve') return finish(turn, step, 0, 'success');
  const why = reason === null ? `rejected by ${by}` : `rejected by ${by}: ${reason}`;
  finish(turn, step, 0, work.onReject === 'skip' ? 'skipped' : 'failed', why);
}

function messageOf(run: Run, step: Step, work: ApprovalWork): Result<string | null, string> {
  if (work.message === null) return success(null);
  const bound = bindTemplate(run, work.message, { step: step.definition.name, index: 0, attempt: 1 });
  return bound.ok ? success(textOf(bound.value).slice(0, engineLimits.approvalMessageLengthMax)) : bound;
}

/** What only a runner could read is named instead. */
function textOf(input: Json): string {
  if (typeof input === 'string') return input;
  if (!isJsonObject(input)) return JSON.stringify(input);
  const { $text: parts, name } = input;
  if (Array.isArray(parts)) return parts.map(textOf).join('');
  return typeof name === 'string' ? name : '(an output too large to stand here)';
}
