/** Pods that the cluster does not take: whether they are asked for again, and what to do, as far as its words tell. */
import { formatDuration } from '../../std/duration.ts';
import { failed, type Failed } from '../desk/placing.ts';
import type { ApiError } from './api.ts';

export function isQuota({ status, message }: ApiError): boolean {
  return status === 403 && /exceeded quota/.test(message);
}

/** Why a pod will not be made, however often it is asked for; null where it may be made yet. */
export function refusalOf(error: ApiError, isLate: boolean): Failed | null {
  if (isQuota(error)) {
    const help = 'Raise the quota of the namespace, or let fewer steps run at once.';
    return isLate ? failed('start', `the quota left no room for its pod: ${error.message}. ${help}`) : null;
  }
  if (!error.isPassing) {
    const who = error.status === 403 ? 'the cluster refused its pod' : 'the cluster does not take its pod';
    const what = `${who} (${error.reason || String(error.status)}): ${error.message.replace(/\.+$/, '')}`;
    return failed('invalid', `${what}. ${helpForRefusal(error)}`);
  }
  // Who does not answer at all may have made it: only what was refused for so long is given up.
  return isLate && error.status !== null
    ? failed('start', `its pod could not be made: ${error.message}. See how the cluster is: contender cluster check.`)
    : null;
}

/** In a namespace that the server may not list, and so whether there is one. */
export function unseenPod(
  hasBegun: boolean,
  { namespace, why, lostMs }: { readonly namespace: string; readonly why: string; readonly lostMs: number },
): Failed {
  const silence = `nothing was heard of its agent for ${formatDuration(lostMs)}`;
  const what = `its namespace ${namespace} cannot be seen: ${why}, and ${silence}`;
  const help = 'Make the namespace, or give the server its role there (docs/kubernetes-rbac.yaml).';
  return failed(hasBegun ? 'lost' : 'start', `${what}. ${help}`);
}

/** Where there is none of that name. */
export function helpForNamespace(name: string): string {
  return `Make it (kubectl create namespace ${name}), or correct \`namespace\`, in contender.yaml or in the \`pod\` that names it.`;
}

export function helpForRefusal({ status, message }: ApiError): string {
  if (status === 404) return helpForNamespace(/namespaces "([a-z0-9-]+)" not found/.exec(message)?.[1] ?? 'NAME');
  if (/cannot create resource/.test(message))
    return "Give the server's account the role of docs/kubernetes-rbac.yaml there.";
  if (/must specify/.test(message))
    return 'A quota demands it: say `resources` in `executor.kubernetes.pod`, or give the namespace a LimitRange.';
  if (/exceeded quota/.test(message)) return 'Raise the quota, or end what takes it.';
  if (/PodSecurity/.test(message))
    return 'Take out what `executor.kubernetes.pod` adds, or the `pod` of the step, or label the namespace with a level that allows it.';
  if (/PriorityClass/.test(message)) return 'Make the class that `priorityClassName` names, or correct the name.';
  if (/service account|serviceaccount/.test(message))
    return 'Make the account that `serviceAccountName` names, or correct the name.';
  if (/webhook/.test(message))
    return 'Whoever runs that webhook knows what it demands; `executor.kubernetes.pod` says it of all pods.';
  return 'See `pod`, that of the step and that of `executor.kubernetes` in contender.yaml.';
}
