/** The request for one pod, which may be sent again: its name follows from what it carries out. */
import type { V1Pod } from '@kubernetes/client-node';
import { ApiError } from './api.ts';
import type { PlacedPod, PlacementPorts } from './placement-ports.ts';
import { viewOf } from './pod-view.ts';

/** The reason of an `ApiError`: there was one already, which has gone or is being deleted. */
export const podGone = 'PodGone';

/**
 * Its identity. `sent` is called when it may be there from now on, though nothing is known of it. Rejects with what the API says, with a refusal where there can be no such pod, and where this
 * server conducts no more.
 */
export async function makePod(
  { namespace, name, make }: PlacedPod,
  { api, trusted }: Pick<PlacementPorts, 'api' | 'trusted'>,
  sent: () => void,
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const body = await make();
  if (!trusted()) throw new Error('this server conducts no more');
  try {
    const made = await api.request<V1Pod>('POST', path, { body });
    sent();
    return uidOf(made);
  } catch (error) {
    if (!isRefused(error)) sent();
    if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
    // The name is that of this attempt and no other: it was made by a request whose answer was lost.
    const pod = await api.request<V1Pod>('GET', `${path}/${name}`).catch(nullIfGone);
    if (pod !== null && pod.metadata?.deletionTimestamp === undefined) return uidOf(pod);
    const what = pod === null ? 'has just gone' : 'is being deleted';
    throw new ApiError(`a pod of its name ${what}, and it is asked for again`, 409, podGone, null);
  }
}

function nullIfGone(error: unknown): null {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.status === null || error.reason === 'AlreadyExists') return false;
  return error.status >= 400 && error.status < 500 && error.status !== 408;
}

function uidOf(pod: V1Pod): string {
  const view = viewOf(pod);
  if (view === null) throw new Error('the cluster answered with a pod that has no identity');
  return view.uid;
}
