/** What to do about a pod that the cluster does not take, as far as its words tell. */
import type { ApiError } from './api.ts';

export function helpForRefusal({ status, message }: ApiError): string {
  if (status === 404) return 'Make the namespace, or correct `namespace` of `executor.kubernetes` in contender.yaml.';
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
