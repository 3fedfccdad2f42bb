/** The place of an executor: how an attempt ends and how long it takes, within the limits that an executor keeps. */
import type { AttemptKey, AttemptOutcome, FailureCause, StepOutput } from '../engine/event.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import { formatDuration } from '../std/duration.ts';
import { unreachable } from '../std/unreachable.ts';
import type { OutputLengths } from './lengths.ts';
import type { Pretence } from './pretence.ts';
import { durationOf, pretenceOf, type Pretences } from './pretences.ts';

export interface PretendedAttempt {
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
}

/** An attempt that would take longer than the step's timeout ends there, as it would on any executor. */
export function pretendAttempt(pretences: Pretences, step: StepDefinition, key: AttemptKey): PretendedAttempt {
  const pretence = pretenceOf(pretences, step, key);
  const durationMs = durationOf(pretences, step);
  const timedOut = pretence.kind === 'failed' && pretence.cause === 'timeout';
  if (timedOut || durationMs > step.timeoutMs) {
    const message = `pretended: it runs longer than its timeout of ${formatDuration(step.timeoutMs)}`;
    return { outcome: failed('timeout', message), durationMs: step.timeoutMs };
  }
  return { outcome: outcomeOf(pretence, outputOf(step, pretences.lengths)), durationMs };
}

/** How an attempt ends that the run tells to stop. It does so at once. */
export function stoppedOutcome(cause: 'cancelled' | 'timeout'): AttemptOutcome {
  return failed(cause, 'pretended: it ends when it is told to');
}

/** One that the server ends before an executor has it. */
export function refusedAttempt(mistake: string): PretendedAttempt {
  return { outcome: failed('invalid', mistake), durationMs: 0 };
}

const messages: Readonly<Record<FailureCause, string>> = {
  code: 'its code fails',
  timeout: 'it runs longer than its timeout',
  'out-of-memory': 'it runs out of memory',
  output: 'its output cannot be used',
  lost: 'it is lost',
  evicted: 'it is evicted',
  start: 'it cannot be started',
  registry: 'the registry does not answer',
  shutdown: 'its server is stopped',
  invalid: 'it is refused, as any other try would be',
  'non-retryable': 'its code asks for no other try',
  cancelled: 'it is cancelled',
};

function outcomeOf(pretence: Pretence, output: StepOutput): AttemptOutcome {
  switch (pretence.kind) {
    case 'success':
    case 'verdict':
      return { kind: 'succeeded', output, control: null };
    case 'decided': {
      const reason = pretence.pass ? 'pretended to let the run go on' : 'pretended to stop the run here';
      return { kind: 'succeeded', output, control: { pass: pretence.pass, reason } };
    }
    case 'follow':
      return { kind: 'succeeded', output, control: { follow: pretence.steps } };
    case 'skipped':
      return { kind: 'skipped', reason: 'pretended: there is nothing to do' };
    case 'not-yet':
    case 'approval':
      throw new Error(`no attempt ends as ${pretence.kind}`);
    case 'failed':
      return failed(pretence.cause, `pretended: ${messages[pretence.cause]}`);
    default:
      return unreachable(pretence);
  }
}

function failed(cause: FailureCause, message: string): AttemptOutcome {
  return { kind: 'failed', cause, message, exitCode: null };
}

/** Nothing, or what has nothing but lengths: a stored output, into which the engine never looks. */
function outputOf(step: StepDefinition, lengths: OutputLengths): StepOutput {
  const own = lengths.get(step.name);
  if (own === undefined) return { inline: null };
  return { stored: { $artifact: '0'.repeat(64), name: 'pretended.json', bytes: 0 }, lengths: own };
}
