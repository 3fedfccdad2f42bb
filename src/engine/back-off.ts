/**
 * When to try again. Failures of the user's own work use the step's `retry`; failures of the ground under it (lost,
 * evicted, not started, registry unreachable) have three tries of their own, so that a bad node never uses up the
 * retries of the code, and the server's own orderly end uses neither; what a second try cannot change (invalid, cancelled, by the
 * word of the code) is never tried again.
 *
 * The n-th retry waits `delayMs * factor^(n-1)`, at most `delayMaxMs`. With factor 1 that is exact: every wait is
 * `delayMs`. With another factor up to a quarter is taken off, so that many steps that failed together do not come back
 * together. How much is a hash of run, step, instance and attempt: the same journal always gives the same times.
 */
import type { RetryDefinition } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';
import { engineLimits, type FailureCause } from './event.ts';
import type { Instance, Run, Step } from './run.ts';

/** Waits of 5 s, 30 s and 3 min: long enough for a node to be replaced or a server to restart. */
const infrastructureRetry: RetryDefinition = {
  count: engineLimits.infrastructureRetriesMax,
  delayMs: 5_000,
  factor: 6,
  delayMaxMs: 300_000,
};

/** Whoever stops a server mostly starts it again. */
const shutdownRetry: RetryDefinition = {
  count: engineLimits.shutdownRetriesMax,
  delayMs: 5_000,
  factor: 1,
  delayMaxMs: 5_000,
};

export type Budget = 'own' | 'infrastructure' | 'shutdown' | 'none';

/** Whose retries a failure uses. */
export function budgetOf(cause: FailureCause): Budget {
  switch (cause) {
    case 'code':
    case 'timeout':
    case 'out-of-memory':
    case 'output':
      return 'own';
    case 'lost':
    case 'evicted':
    case 'start':
    case 'registry':
      return 'infrastructure';
    case 'shutdown':
      return 'shutdown';
    case 'invalid':
    case 'non-retryable':
    case 'cancelled':
      return 'none';
    default:
      return unreachable(cause);
  }
}

/** How long to wait after the failure that `instance` just had, or null where its budget is used up. */
export function retryAfterMs(run: Run, step: Step, instance: Instance, cause: FailureCause): number | null {
  const budget = budgetOf(cause);
  if (budget === 'none') return null;
  const retry = { own: step.definition.retry, infrastructure: infrastructureRetry, shutdown: shutdownRetry }[budget];
  const failures = instance.failures[budget];
  if (failures > retry.count) return null;
  const seed = `${run.opened.runId}/${step.definition.name}/${instance.index}/${instance.attempts.length}`;
  return backOffMs(retry, failures, seed);
}

/** The wait before the retry of that number, from 1. */
export function backOffMs(retry: RetryDefinition, number: number, seed: string): number {
  if (retry.delayMs === 0) return 0;
  const wait = Math.min(retry.delayMs * retry.factor ** (number - 1), retry.delayMaxMs);
  return retry.factor === 1 ? wait : Math.round(wait * (1 - fractionOf(seed) / 4));
}

/** From 0 to 1, spread evenly over texts: FNV-1a (32 bits) with the last mixing steps of MurmurHash3. */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
