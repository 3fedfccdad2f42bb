/**
 * A Kubernetes for the tests, on loopback: the part of the API that launching pods takes, with the containers as processes of
 * this host. It answers as the real one does, which `test/contract/kubernetes-api.ts` holds it to, with these differences:
 *
 * - It is at once what the real one is after a second or two.
 * - Nothing is mounted, nothing limited: no paths, no users, no memory. See `images.ts`. What needs them is tested on the real
 *   one.
 * - `restartPolicy: Never` alone; a sidecar that ends is not begun again; there are no probes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPermissions, user, type Permissions } from './access-api.ts';
import { createConfiguration } from './configuration.ts';
import { createDisturbances, type Disturbances } from './disturbances.ts';
import { createRecorder, type PodEvent } from './events.ts';
import type { Faults } from './faults.ts';
import { openFront, type Cut, type Front, type OpenStream } from './front.ts';
import { createGate, type Gate } from './gates.ts';
import type { Images } from './images.ts';
import { createKubelet } from './kubelet.ts';
import { createPodsApi } from './pods-api.ts';
import { createQuota, type Quota } from './quota.ts';
import type { ApiRequest, Verb } from './requests.ts';
import { answerOf } from './routes.ts';
import type { Status } from './status.ts';
import { countVersions, createStore } from './store.ts';
import type { Pod } from './wire.ts';

export interface FakeKubernetesOptions {
  readonly images: Images;
  /** Those that there are. */
  readonly namespaces?: readonly string[];
}

export interface FakeKubernetes {
  readonly url: string;
  /** A file for KUBECONFIG, whose context has the first namespace. */
  readonly kubeconfig: string;
  /** Of all namespaces, as they stand. */
  pods(): readonly Pod[];
  /** Throws where there is none. */
  pod(name: string, namespace?: string): Pod;

  /** What came, in order. */
  readonly requests: readonly ApiRequest[];
  count(verb: Verb, resource?: string): number;
  readonly faults: Faults;
  /** Watches and logs that are being read. */
  readonly streams: ReadonlySet<OpenStream>;
  cutStreams(how: Cut, which?: (request: ApiRequest) => boolean): void;
  /** Tells all watches that allow it how far they are. */
  sendBookmarks(): void;
  /** A watch from any version until now is told 410. */
  forgetVersions(): void;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  /** The token that is accepted from now on; the one of `kubeconfig` is the first. */
  acceptToken(token: string): void;

  readonly scheduling: Gate;
  readonly creation: Gate;
  readonly quota: Quota;
  readonly permissions: Permissions;
  /** Why pods are not admitted from now on; null: they are. */
  refusePods(refusalOf: ((pod: Pod) => Status | null) | null): void;
  readonly disturbances: Disturbances;

  /** Ends all processes, and breaks all connections. */
  close(): Promise<void>;
}

const firstToken = 'token-of-the-tests';

export async function startFakeKubernetes(options: FakeKubernetesOptions): Promise<FakeKubernetes> {
  const { images, namespaces = ['default'] } = options;
  const folder = mkdtempSync(join(tmpdir(), 'fake-kubernetes-'));
  const versions = countVersions();
  const pods = createStore<Pod>(versions);
  const events = createStore<PodEvent>(versions);
  const record = createRecorder(events);
  const configuration = createConfiguration(versions, pods);
  const [scheduling, creation, node] = [createGate(), createGate(), createGate()];
  const quota = createQuota();
  const permissions = createPermissions();
  const kubelet = createKubelet({ pods, record, images, configuration, folder, scheduling, creation, node });
  let token = firstToken;
  let admission: ((pod: Pod) => Status | null) | null = null;
  const refusalOf = (pod: Pod): Status | null => admission?.(pod) ?? quota.refusalOf(pod, pods);
  const podsApi = createPodsApi({ pods, kubelet, refusalOf });
  const disturbances = createDisturbances({ pods, record, podsApi, kubelet, node });
  const front = await openFront((request) =>
    answerOf(request, {
      versions,
      pods,
      events,
      configuration,
      podsApi,
      kubelet,
      node,
      quota,
      permissions,
      namespaces: new Set(namespaces),
      isKnown: (given) => given === token,
      evict: (pod, graceSeconds) => disturbances.evictByApi(pod, graceSeconds),
    }),
  );
  const url = `http://127.0.0.1:${front.port}`;
  const [firstNamespace = 'default'] = namespaces;
  return {
    url,
    kubeconfig: kubeconfigOf(url, firstNamespace),
    pods: () => pods.all(),
    pod: (name, namespace = firstNamespace) => podsApi.get(namespace, name),
    ...requestsOf(front),
    forgetVersions() {
      pods.forget();
      events.forget();
    },
    acceptToken: (next) => void (token = next),
    scheduling,
    creation,
    quota,
    permissions,
    refusePods: (next) => void (admission = next),
    disturbances,
    async close() {
      await front.leave();
      await kubelet.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type OfRequests = 'requests' | 'count' | 'faults' | 'streams' | 'cutStreams' | 'sendBookmarks' | 'leave' | 'comeBack';

function requestsOf(front: Front): Pick<FakeKubernetes, OfRequests> {
  const { requests, faults, streams } = front;
  return {
    requests,
    faults,
    streams,
    leave: () => front.leave(),
    comeBack: () => front.comeBack(),
    count: (verb, resource = 'pods') =>
      requests.filter((request) => request.verb === verb && request.resource === resource).length,
    cutStreams(how, which = () => true) {
      for (const stream of streams) if (which(stream.request)) stream.cut(how);
    },
    sendBookmarks: () => streams.forEach((stream) => stream.bookmark()),
  };
}

function kubeconfigOf(server: string, namespace: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    // The client speaks plain HTTP only to a server whose certificate it need not see.
    clusters: [{ name: 'fake', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: user, user: { token: firstToken } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user, namespace } }],
    'current-context': 'fake',
  });
}
