/** `contender cancel`, `approve` and `reject`. */
import { actorName } from './actor.ts';
import { ask } from './asking.ts';
import type { ExitStatus } from './exit-status.ts';

export function cancel(directory: string, run: string, reason: string): Promise<ExitStatus> {
  return ask(directory, run, { type: 'cancel', by: actorName(), reason });
}

export function decide(
  directory: string,
  run: string,
  decided: { readonly step: string; readonly decision: 'approve' | 'reject'; readonly reason: string | null },
): Promise<ExitStatus> {
  return ask(directory, run, { type: 'decide', by: actorName(), ...decided });
}
