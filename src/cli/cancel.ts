/** `contender cancel`. */
import { actorName } from './actor.ts';
import { ask } from './asking.ts';
import type { ExitStatus } from './exit-status.ts';

export function cancel(directory: string, run: string, reason: string): Promise<ExitStatus> {
  return ask(directory, run, { type: 'cancel', by: actorName(), reason });
}
