/**
 * Whether a cluster can run steps, before the first of them: questions to its API one after the other, each with a finding.
 * What a finding makes pointless is not asked. Two pods are only shown to the cluster (`dryRun`), so that its admission
 * speaks; one is made, where the answers so far let it.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../std/clock.ts';
import type { JsonObject } from '../../std/json.ts';
import { ApiError, type Api } from './api.ts';
import { ok, unanswered, unknown, wrong, type Finding } from './finding.ts';
import { mergedWords } from './pod-words.ts';
import { namespaceOf, type PodSettings } from './pod.ts';
import { quotaFinding, type ResourceQuota } from './quotas.ts';
import { helpForNamespace, helpForRefusal } from './refused-pod.ts';
import { neededRights, rightsOf, rightText, type Right } from './rights.ts';
import { AttemptRefusal } from '../local/refusal.ts';
import { trialPod, trialTask } from './trial-pod.ts';
import { tryPod } from './trial.ts';

export interface ClusterCheck {
  readonly api: Api;
  readonly settings: PodSettings;
  /** Of this machine. */
  readonly clock: Clock;
  /** Null: no pod is made. Within `startMs` one is to begin. */
  readonly trial: { readonly startMs: number } | null;
  /** Ends the check: it rejects, and its pod is removed. */
  readonly signal: AbortSignal;
  /** At once, in order. */
  readonly found: (finding: Finding) => void;
}

/** Where a container may have a helper that goes on beside it without being asked for. */
const minorMin = 29;
const clockSkewMaxMs = 10_000;

/** Pods that are to be tried: those of the configuration, and of the repositories that say more of theirs, each kind once. */
export interface Round {
  /** Empty: of all that say nothing more. */
  readonly repositories: readonly string[];
  readonly pod: JsonObject;
}

export function roundsOf({ pod, repositoryPods }: Pick<PodSettings, 'pod' | 'repositoryPods'>): readonly Round[] {
  const rounds: Round[] = [{ repositories: [], pod }];
  for (const [repository, words] of repositoryPods) {
    const own = mergedWords(pod, words);
    const at = rounds.findIndex((round) => isDeepStrictEqual(round.pod, own));
    const before = rounds[at];
    if (before === undefined) rounds.push({ repositories: [repository], pod: own });
    else if (at > 0) rounds[at] = { ...before, repositories: [...before.repositories, repository] };
  }
  return rounds;
}

export async function checkCluster(check: ClusterCheck): Promise<void> {
  const { api, settings, signal, clock } = check;
  const namespace = namespaceOf(trialTask, settings);
  const podsPath = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  let isWell = true;
  const found = (finding: Finding): boolean => {
    signal.throwIfAborted();
    isWell &&= finding.state !== 'wrong';
    check.found(finding);
    return isWell;
  };
  let skew: Finding | null = null;
  const askedAt = clock.now();
  const dated = (at: number): void => void (skew = skewOf(at, askedAt, clock.now()));
  if (!found(await versionOf(api, dated))) return;
  // It keeps nothing else from being asked.
  if (skew !== null) check.found(skew);
  if (!found(await findNamespace(api, namespace))) return;
  if (!found(await findRights(api, namespace))) return;
  found(await findQuotas(api, namespace));
  found(await showPod(api, podsPath, 'step', settings));
  found(await showPod(api, podsPath, 'helped', settings));
  if (isWell && check.trial !== null) await tryPod({ ...check, podsPath, startMs: check.trial.startMs });
  signal.throwIfAborted();
}

interface Version {
  readonly major?: string;
  readonly minor?: string;
  readonly gitVersion?: string;
}

/** Null: the clocks may agree, by what is known of the moment of the answer. */
function skewOf(at: number, askedAt: number, answeredAt: number): Finding | null {
  // The date of an answer has whole seconds.
  const [ahead, behind] = [at - answeredAt, askedAt - (at + 999)];
  const ms = Math.max(ahead, behind);
  if (ms <= clockSkewMaxMs) return null;
  const what = `The clock of the cluster is ${Math.round(ms / 1000)} s ${ahead > 0 ? 'ahead of' : 'behind'} that of this machine`;
  return wrong(
    'clock',
    `${what}: time limits of containers, and when a node counts as lost, are wrong by as much.`,
    'Have both set by NTP: `timedatectl` says whether this machine is (`systemctl enable --now systemd-timesyncd`, or chrony).',
  );
}

async function versionOf(api: Api, dated: (at: number) => void): Promise<Finding> {
  try {
    const version = await api.request<Version>('GET', '/version', { dated });
    const { major = '', minor = '', gitVersion = `v${major}.${minor}` } = version;
    const [first, second] = [Number.parseInt(major, 10), Number.parseInt(minor, 10)];
    if (Number.isNaN(first) || Number.isNaN(second))
      return unknown(
        'api',
        `The cluster answers, and does not say its version.`,
        `It has to be 1.${minorMin} or newer.`,
      );
    if (first > 1 || second >= minorMin) return ok('api', `Kubernetes ${gitVersion.replace(/^v/, '')} answers.`);
    const why = `Kubernetes ${gitVersion} is older than 1.${minorMin}, which containers with a helper need.`;
    return wrong('api', why, `Update the cluster, or take one of 1.${minorMin} or newer.`);
  } catch (error) {
    return unanswered('api', 'The API of the cluster cannot be asked', error);
  }
}

async function findNamespace(api: Api, namespace: string): Promise<Finding> {
  try {
    await api.request('GET', `/api/v1/namespaces/${encodeURIComponent(namespace)}`);
    return ok('namespace', `The namespace ${namespace} is there.`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403)
      return unknown(
        'namespace',
        `The account may not see whether the namespace ${namespace} is there.`,
        'It need not: a pod that is shown to the cluster tells.',
      );
    if (error instanceof ApiError && error.status === 404)
      return wrong('namespace', `There is no namespace ${namespace}.`, helpForNamespace(namespace));
    return unanswered('namespace', `The namespace ${namespace} cannot be asked for`, error);
  }
}

interface AccessReview {
  readonly status?: { readonly allowed?: boolean };
}

async function findRights(api: Api, namespace: string): Promise<Finding> {
  const isAllowed = async ({ group, resource, subresource, verb }: Right): Promise<boolean> => {
    const spec = { resourceAttributes: { namespace, group, resource, subresource, verb } };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    return (await api.request<AccessReview>('POST', path, { body })).status?.allowed === true;
  };
  const rights = rightsOf(neededRights);
  try {
    const allowed = await Promise.all(rights.map(isAllowed));
    const missing = rights.filter((_, index) => allowed[index] === false);
    if (missing.length === 0) return ok('permissions', `The account may ${rights.map(rightText).join(', ')}.`);
    const what = `The account may not ${missing.map(rightText).join(', ')} in ${namespace}.`;
    return wrong('permissions', what, 'Give it the role of docs/kubernetes-rbac.yaml in that namespace.');
  } catch (error) {
    return unanswered('permissions', 'What the account may do cannot be asked', error);
  }
}

async function findQuotas(api: Api, namespace: string): Promise<Finding> {
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/resourcequotas`;
    return quotaFinding((await api.request<{ items: readonly ResourceQuota[] }>('GET', path)).items);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403)
      return unknown(
        'quotas',
        'The account may not see the quotas of the namespace.',
        'It need not: a pod that is shown to the cluster is refused where nothing is left.',
      );
    return unanswered('quotas', 'The quotas of the namespace cannot be asked for', error);
  }
}

/** Nothing comes of it: the cluster says whether it would take such a pod. */
async function showPod(api: Api, path: string, kind: 'step' | 'helped', settings: PodSettings): Promise<Finding> {
  const name = kind === 'step' ? 'step pod' : 'container pod';
  const what = kind === 'step' ? 'the pod of a step' : 'the pod of a container with its helper';
  try {
    const body = trialPod(`contender-check-${randomUUID().slice(0, 8)}`, kind, settings);
    await api.request('POST', path, { query: { dryRun: 'All' }, body });
    return ok(name, `The cluster would take ${what}.`);
  } catch (error) {
    if (error instanceof AttemptRefusal)
      return wrong(name, `There can be no ${what.slice(4)}: ${error.message}`, 'See `pod` of `executor.kubernetes`.');
    if (!(error instanceof ApiError) || error.status === null || error.status === 401)
      return unanswered(name, `The cluster was shown ${what}, and did not answer`, error);
    const message = `The cluster refuses ${what}: ${error.message}`;
    if (/does not support dry run/.test(error.message))
      return unknown(name, message, 'A webhook of the cluster only speaks of real pods: check without --quick.');
    return wrong(name, message, helpForRefusal(error));
  }
}
