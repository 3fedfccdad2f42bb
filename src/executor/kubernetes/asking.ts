/** The wish for a pod, until it is there or it is known that it will not be: a cluster that is full, busy or away is asked again. */
import { messageOfError } from '../../std/error-message.ts';
import { failed, type Failed } from '../desk/placing.ts';
import { AttemptRefusal } from '../local/refusal.ts';
import { ApiError, backOff } from './api.ts';
import { makePod, podGone } from './make-pod.ts';
import type { PlacedPod, PlacementPorts } from './placement-ports.ts';
import { isQuota, refusalOf } from './refused-pod.ts';

export type Asked =
  | { readonly kind: 'made'; readonly uid: string }
  | { readonly kind: 'refused'; readonly failed: Failed }
  /** The one in which it has begun goes. */
  | { readonly kind: 'going' };

export interface Asker {
  readonly askedAt: number;
  readonly isLeft: () => boolean;
  readonly isStopped: () => boolean;
  /** What has begun does not begin again. */
  readonly hasBegun: () => boolean;
  /** A pod of it may be there from now on. */
  readonly sent: () => void;
  readonly tell: (text: string) => void;
  /** Is aborted where it is left or stopped. */
  readonly signal: AbortSignal;
}

/** Half a second apart, until the cluster has said how it is now. */
const looksMax = 4;
const quotaWaitsMs = [5000, 10_000, 20_000, 40_000, 60_000] as const;

/** Null: it was left or stopped before that was known. */
export async function askForPod(pod: PlacedPod, ports: PlacementPorts, asker: Asker): Promise<Asked | null> {
  const { askedAt, isLeft, isStopped, hasBegun, sent, tell, signal } = asker;
  for (let [failures, waits] = [0, 0]; !isLeft() && !isStopped();) {
    try {
      return { kind: 'made', uid: await makePod(pod, ports, sent) };
    } catch (error) {
      if (isLeft()) return null;
      if (error instanceof AttemptRefusal) return refused(failed(error.failure, error.message));
      if (!(error instanceof ApiError))
        return refused(failed('start', `its pod could not be asked for: ${messageOfError(error)}`));
      const refusal = refusalOf(error, await isLate(askedAt, ports, signal));
      if (isStopped()) return null;
      if (refusal !== null) return refused(refusal);
      if (hasBegun() && error.reason === podGone) return { kind: 'going' };
      tell(`Its pod is not made yet: ${error.message}`);
      failures += 1;
      if (isQuota(error)) {
        const ms = quotaWaitsMs[Math.min(waits, quotaWaitsMs.length - 1)] ?? 0;
        waits = (await ports.room(ms, signal)) ? 0 : waits + 1;
      } else await backOff(failures, error, signal);
    }
  }
  return null;
}

const refused = (failure: Failed): Asked => ({ kind: 'refused', failed: failure });

/** Its time to begin is over, as far as its namespace could be seen: of one that cannot be seen now it is not known. */
async function isLate(
  askedAt: number,
  { patience, lasted, isFresh }: PlacementPorts,
  signal: AbortSignal,
): Promise<boolean> {
  for (let looks = 1; looks <= looksMax && lasted(askedAt) > patience.startMs; looks += 1) {
    if (isFresh()) return true;
    await backOff(1, null, signal);
  }
  return false;
}
