/** Which part of the fake answers which request. */
import { randomUUID } from 'node:crypto';
import type { Permissions } from './access-api.ts';
import type { Configuration } from './configuration.ts';
import type { PodEvent } from './events.ts';
import type { Answer } from './front.ts';
import type { Gate } from './gates.ts';
import type { Kubelet } from './kubelet.ts';
import { logOf } from './logs-api.ts';
import { deletionOf, type PodsApi } from './pods-api.ts';
import type { Quota } from './quota.ts';
import { bodyOf, type ApiRequest } from './requests.ts';
import { fieldSelectorOf, labelSelectorOf } from './selectors.ts';
import { failure, noSuchResource, notFound, Refusal } from './status.ts';
import type { Store, Versions } from './store.ts';
import { listOf, watchOf, type Kind } from './watch.ts';
import { timeOf, type Pod } from './wire.ts';

export interface Parts {
  readonly versions: Versions;
  readonly pods: Store<Pod>;
  readonly events: Store<PodEvent>;
  readonly configuration: Configuration;
  readonly podsApi: PodsApi;
  readonly kubelet: Kubelet;
  readonly node: Gate;
  readonly quota: Quota;
  readonly permissions: Permissions;
  readonly namespaces: ReadonlySet<string>;
  readonly isKnown: (token: string) => boolean;
  readonly evict: (pod: Pod, graceSeconds: number | null) => void;
}

const object = (body: object, code = 200): Answer => ({ kind: 'object', code, body });

export function answerOf(request: ApiRequest, parts: Parts): Answer {
  const { permissions, namespaces, isKnown } = parts;
  if (!isKnown(request.token)) throw new Refusal(failure(401, 'Unauthorized', 'Unauthorized'));
  permissions.assertAllowed(request);
  const { resource, namespace } = request;
  if (resource === 'version') return object(version);
  if (resource === 'selfsubjectaccessreviews') return object(permissions.reviewAccess(request), 201);
  if (resource === 'selfsubjectrulesreviews') return object(permissions.reviewRules(request), 201);
  if (resource === 'namespaces') return object(namespaceOf(request.name, namespaces));
  if (request.verb === 'create' && !namespaces.has(namespace)) throw new Refusal(notFound('namespaces', namespace));
  return answerIn(request, parts);
}

function answerIn(request: ApiRequest, parts: Parts): Answer {
  const { versions, pods, events, quota } = parts;
  const isRead = request.verb === 'list' || request.verb === 'watch';
  if (request.resource === 'pods' || request.resource.startsWith('pods/')) return answerPods(request, parts);
  if (request.resource === 'events' && isRead) return read(request, eventsKind(events), versions);
  if (request.resource === 'resourcequotas') return answerQuotas(request, quota, pods, versions);
  const answer = parts.configuration.answer(request);
  return 'write' in answer ? { kind: 'stream', stream: answer } : object(answer.body, answer.code);
}

function answerQuotas(request: ApiRequest, quota: Quota, pods: Store<Pod>, versions: Versions): Answer {
  const { verb, namespace } = request;
  if (verb === 'list') return object(quota.list(namespace, pods, versions.current()));
  if (verb === 'create') return object(quota.create(bodyOf(request, 'ResourceQuota')), 201);
  if (verb !== 'delete') throw new Refusal(noSuchResource());
  quota.set(null);
  return object({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
}

function answerPods(request: ApiRequest, parts: Parts): Answer {
  const { versions, pods, podsApi, kubelet, node } = parts;
  const { verb, resource, namespace, name } = request;
  if (resource === 'pods/log') {
    const stream = logOf(podsApi.get(namespace, name), request, kubelet, node);
    return stream === null ? { kind: 'nothing' } : { kind: 'stream', stream };
  }
  if (resource === 'pods/eviction') {
    parts.evict(podsApi.get(namespace, name), deletionOf(request).graceSeconds);
    const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
    return object(success, 201);
  }
  if (resource !== 'pods') throw new Refusal(noSuchResource());
  if (verb === 'create') return object(podsApi.create(request), 201);
  if (verb === 'get') return object(podsApi.get(namespace, name));
  if (verb === 'patch') return object(podsApi.patch(request));
  if (verb === 'delete') return object(podsApi.delete(request));
  if (verb !== 'deletecollection') return read(request, podsKind(pods), versions);
  const list = listOf(podsKind(pods), request, versions.current());
  const { graceSeconds } = deletionOf(request);
  for (const pod of pods.list(namespace).filter(podsKind(pods).selects(request))) podsApi.deleteOne(pod, graceSeconds);
  return object(list);
}

function read<T extends Pod | PodEvent>(request: ApiRequest, kind: Kind<T>, versions: Versions): Answer {
  if (request.verb === 'list') return object(listOf(kind, request, versions.current()));
  return { kind: 'stream', stream: watchOf(kind, request, () => versions.current()) };
}

const podsKind = (store: Store<Pod>): Kind<Pod> => ({
  name: 'Pod',
  store,
  selects({ query }) {
    const byLabel = labelSelectorOf(query.get('labelSelector') ?? '');
    const byField = fieldSelectorOf<Pod>(query.get('fieldSelector') ?? '', {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.namespace': ({ metadata }) => metadata.namespace,
      'spec.nodeName': ({ spec }) => spec.nodeName,
      'status.phase': ({ status }) => status.phase,
    });
    return (pod) => byLabel(pod.metadata.labels) && byField(pod);
  },
});

const eventsKind = (store: Store<PodEvent>): Kind<PodEvent> => ({
  name: 'Event',
  store,
  selects: ({ query }) =>
    fieldSelectorOf<PodEvent>(query.get('fieldSelector') ?? '', {
      'involvedObject.kind': ({ involvedObject }) => involvedObject.kind,
      'involvedObject.name': ({ involvedObject }) => involvedObject.name,
      'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace,
      'involvedObject.uid': ({ involvedObject }) => involvedObject.uid,
      reason: ({ reason }) => reason,
      type: ({ type }) => type,
    }),
});

const version = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.9',
  goVersion: 'go1.26.8',
  compiler: 'gc',
  platform: 'linux/amd64',
};

function namespaceOf(name: string, namespaces: ReadonlySet<string>): object {
  if (!namespaces.has(name)) throw new Refusal(notFound('namespaces', name));
  const labels = { 'kubernetes.io/metadata.name': name };
  const metadata = { name, uid: randomUUID(), resourceVersion: '1', creationTimestamp: timeOf(), labels };
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata,
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}
