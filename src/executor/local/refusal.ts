/** An attempt that cannot go on, thrown on the way to its process and caught where its outcome is made. */
import type { FailureCause } from '../../engine/event.ts';

export class AttemptRefusal extends Error {
  readonly failure: FailureCause;
  constructor(failure: FailureCause, message: string) {
    super(message);
    this.failure = failure;
  }
}
