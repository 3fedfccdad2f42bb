/** The marks that every process of ours carries in its environment, by which it is found whoever its parent is. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';

/** Of all that an executor starts: the same after a restart of the server, another in another directory. */
export function executorMark(directory: string): { readonly name: string; readonly value: string } {
  return {
    name: 'CONTENDER_EXECUTOR',
    value: createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 24),
  };
}

/** Of one attempt. */
export function attemptMark(attemptId: string): string {
  return `CONTENDER_ATTEMPT_ID=${attemptId}`;
}
