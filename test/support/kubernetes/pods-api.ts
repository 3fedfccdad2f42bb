/** What may be asked of pods: create, change, delete. */
import { randomUUID } from 'node:crypto';
import type { Kubelet } from './kubelet.ts';
import { graceOf } from './pod-life.ts';
import { bodyOf, optionsOf, type ApiRequest } from './requests.ts';
import { alreadyExists, badRequest, invalid, notFound, otherUid, Refusal, type Status } from './status.ts';
import type { Store } from './store.ts';
import { validateLabels, validatePod, type Written } from './validation.ts';
import { timeOf, type Container, type Metadata, type Pod, type PodSpec } from './wire.ts';

export interface PodsApi {
  create(request: ApiRequest): Pod;
  get(namespace: string, name: string): Pod;
  patch(request: ApiRequest): Pod;
  delete(request: ApiRequest): Pod;
  /** As it stands after; it may be gone already. */
  deleteOne(pod: Pod, graceSeconds: number | null): Pod;
}

interface Surroundings {
  readonly pods: Store<Pod>;
  readonly kubelet: Kubelet;
  /** Why this pod is not to be; null: it may. */
  readonly refusalOf: (pod: Pod) => Status | null;
}

export function createPodsApi({ pods, kubelet, refusalOf }: Surroundings): PodsApi {
  const get = (namespace: string, name: string): Pod => {
    const pod = pods.get(namespace, name);
    if (pod === null) throw new Refusal(notFound('pods', name));
    return pod;
  };

  const deleteOne = (pod: Pod, asked: number | null): Pod => {
    const { namespace, name, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
    const isHere = pod.spec.nodeName !== undefined && !isOver;
    const grace = isHere ? Math.max(asked ?? deletionGracePeriodSeconds ?? graceOf(pod.spec), asked === 0 ? 0 : 1) : 0;
    // A grace is never made longer.
    if (deletionTimestamp !== undefined && grace >= (deletionGracePeriodSeconds ?? 0)) return pod;
    const generation = (pod.metadata.generation ?? 1) + (deletionTimestamp === undefined ? 1 : 0);
    const until = timeOf(Date.now() + grace * 1000);
    const metadata = { ...pod.metadata, generation, deletionTimestamp: until, deletionGracePeriodSeconds: grace };
    const marked = pods.put({ ...pod, metadata });
    if (grace === 0) pods.remove(namespace, name);
    kubelet.lifeOf(pod)?.stop({ graceSeconds: grace, reason: null, message: null });
    return marked;
  };

  return {
    get,
    deleteOne,
    create(request) {
      const pod = bornPod(request);
      if (pods.get(request.namespace, pod.metadata.name) !== null)
        throw new Refusal(alreadyExists('pods', pod.metadata.name));
      const refusal = refusalOf(pod);
      if (refusal !== null) throw new Refusal(refusal);
      // All the same has been asked of it, and nothing comes of it.
      if (request.query.get('dryRun') === 'All') return pod;
      const kept = pods.put(pod);
      kubelet.begin(kept);
      return kept;
    },
    patch(request) {
      const pod = get(request.namespace, request.name);
      const changed = patched(pod, request);
      const isSame = JSON.stringify(changed) === JSON.stringify(pod);
      return isSame ? pod : pods.put(changed);
    },
    delete(request) {
      const pod = get(request.namespace, request.name);
      const { graceSeconds, uid } = deletionOf(request);
      if (uid !== null && uid !== pod.metadata.uid) throw new Refusal(otherUid(request.name, uid, pod.metadata.uid));
      return deleteOne(pod, graceSeconds);
    },
  };
}

/** In the body, or in the query. A grace below nought is one second. */
export function deletionOf(request: ApiRequest): { readonly graceSeconds: number | null; readonly uid: string | null } {
  const { gracePeriodSeconds = request.query.get('gracePeriodSeconds'), preconditions } = optionsOf(request);
  const uid =
    typeof preconditions === 'object' && preconditions !== null && 'uid' in preconditions
      ? String(preconditions.uid)
      : null;
  if (gracePeriodSeconds === null) return { graceSeconds: null, uid };
  const seconds = Number(gracePeriodSeconds);
  return { graceSeconds: seconds < 0 ? 1 : seconds, uid };
}

/** The body, with what the server adds to it. */
function bornPod(request: ApiRequest): Pod {
  const written = writtenPod(bodyOf(request, 'Pod'));
  const { namespace = request.namespace } = written.metadata;
  if (namespace !== request.namespace)
    throw new Refusal(
      badRequest('the namespace of the provided object does not match the namespace sent on the request'),
    );
  validatePod(written);
  const spec = withDefaults(written.spec);
  const metadata = {
    ...written.metadata,
    namespace,
    uid: randomUUID(),
    resourceVersion: '',
    generation: 1,
    creationTimestamp: timeOf(),
  } as Metadata;
  const requested = spec.containers.some(({ resources }) => Object.keys({ ...resources }).length > 0);
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata,
    spec,
    status: { phase: 'Pending', qosClass: requested ? 'Burstable' : 'BestEffort' },
  };
}

function writtenPod(body: object): Written & { readonly metadata: { readonly namespace?: string } } {
  const { metadata = {}, spec = {} } = body as { metadata?: Written['metadata']; spec?: Partial<PodSpec> };
  const { containers = [] } = spec;
  if (!Array.isArray(containers))
    throw new Refusal(
      badRequest(
        `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ${typeof containers} into Go struct field PodSpec.spec.containers of type []v1.Container`,
      ),
    );
  return { metadata, spec: { ...spec, containers } };
}

function withDefaults(spec: PodSpec): PodSpec {
  const filled = (container: Container): Container => ({
    ...container,
    resources: container.resources ?? {},
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    imagePullPolicy:
      container.imagePullPolicy ?? (/:(?!latest$)[^/]+$/.test(container.image ?? '') ? 'IfNotPresent' : 'Always'),
  });
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    serviceAccount: 'default',
    securityContext: {},
    schedulerName: 'default-scheduler',
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    ...spec,
    containers: spec.containers.map(filled),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(filled) }),
  };
}

const immutable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** Of labels and annotations alone, as a merge patch or a strategic one; null takes away. */
function patched(pod: Pod, request: ApiRequest): Pod {
  const { metadata = {}, spec } = bodyOf(request, 'Pod') as {
    metadata?: { labels?: Changes; annotations?: Changes };
    spec?: object;
  };
  if (spec !== undefined) {
    const message = `Forbidden: ${immutable}`;
    throw new Refusal(invalid('Pod', request.name, [{ reason: 'FieldValueForbidden', message, field: 'spec' }]));
  }
  const labels = merged(pod.metadata.labels, metadata.labels ?? {});
  const annotations = merged(pod.metadata.annotations, metadata.annotations ?? {});
  validateLabels(request.name, labels ?? {});
  const { labels: _, annotations: __, ...rest } = pod.metadata;
  const marks = { ...(labels === null ? {} : { labels }), ...(annotations === null ? {} : { annotations }) };
  return { ...pod, metadata: { ...rest, ...marks } };
}

type Changes = Readonly<Record<string, string | null>>;

/** null where none is left. */
function merged(before: Readonly<Record<string, string>> | undefined, changes: Changes): Record<string, string> | null {
  const after = Object.entries({ ...before, ...changes }).flatMap(([key, value]) =>
    value === null ? [] : [[key, value]],
  );
  return after.length === 0 ? null : (Object.fromEntries(after) as Record<string, string>);
}
