/** What befalls pods without their owner asking for it. */
import type { ContainerLife } from './container-life.ts';
import type { Recorder } from './events.ts';
import type { Gate } from './gates.ts';
import type { Kubelet } from './kubelet.ts';
import { graceOf, type PodLife } from './pod-life.ts';
import type { PodsApi } from './pods-api.ts';
import { conditionsAfter } from './pod-status.ts';
import type { Store } from './store.ts';
import type { Pod } from './wire.ts';

export interface Disturbances {
  /** By the kubelet, which is short of something: the pod stays, and has failed. */
  evict(pod: Pod, message?: string): void;
  /** By the API of evictions, as a drain of a node does: a deletion that says why. */
  evictByApi(pod: Pod, graceSeconds: number | null): void;
  /** For a pod of a higher priority. */
  preempt(pod: Pod): void;
  endAsOutOfMemory(pod: Pod, container: string): void;
  /** The node begins the file of its log anew, as it does with a long one. */
  rotateLog(pod: Pod, container: string): void;
  /** As `kubectl delete pod` does. */
  deleteByHand(pod: Pod): void;
  /** Nothing is heard of the node: after a while its pods are not ready. What they do goes on, unseen. */
  loseNode(): void;
  /** After some minutes more they are to be deleted, which nobody can. */
  evictFromLostNode(): void;
  findNode(): void;
}

const lowOnMemory =
  'The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. Container main was using 300Mi, request is 0, has larger consumption of memory. ';

interface Parts {
  readonly pods: Store<Pod>;
  readonly record: Recorder;
  readonly podsApi: PodsApi;
  readonly kubelet: Kubelet;
  readonly node: Gate;
}

export function createDisturbances({ pods, record, podsApi, kubelet, node }: Parts): Disturbances {
  const lifeOf = (pod: Pod): PodLife => {
    const life = kubelet.lifeOf(pod);
    if (life === null) throw new Error(`${pod.metadata.name} is no pod of this server`);
    return life;
  };
  const containerOf = (pod: Pod, name: string): ContainerLife => {
    const container = lifeOf(pod).containers.find((one) => one.container.name === name);
    if (container === undefined) throw new Error(`${pod.metadata.name} has no container ${name}`);
    return container;
  };
  const now = ({ metadata }: Pod): Pod => podsApi.get(metadata.namespace, metadata.name);
  const isHere = ({ spec, status }: Pod): boolean =>
    spec.nodeName !== undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed';
  const evictByApi = (pod: Pod, graceSeconds: number | null): void => {
    lifeOf(pod).disturb({ reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' });
    podsApi.deleteOne(now(pod), graceSeconds);
  };
  return {
    evictByApi,
    evict(pod, message = lowOnMemory) {
      record(pod, { type: 'Warning', reason: 'Evicted', message, from: 'kubelet' });
      lifeOf(pod).disturb({ reason: 'TerminationByKubelet', message });
      lifeOf(pod).stop({ graceSeconds: 0, reason: 'Evicted', message });
    },
    preempt(pod) {
      const message = 'default-scheduler: preempting to accommodate a higher priority pod';
      lifeOf(pod).disturb({ reason: 'PreemptionByScheduler', message });
      const told = `Preempted by pod 00000000-0000-4000-8000-000000000000 on node ${pod.spec.nodeName}`;
      record(pod, { type: 'Normal', reason: 'Preempted', message: told, from: 'default-scheduler' });
      podsApi.deleteOne(now(pod), null);
    },
    endAsOutOfMemory: (pod, name) => containerOf(pod, name).endAsOutOfMemory(),
    rotateLog: (pod, name) => containerOf(pod, name).log?.rotate(),
    deleteByHand: (pod) => void podsApi.deleteOne(now(pod), graceOf(pod.spec)),
    loseNode() {
      node.hold();
      for (const pod of pods.all().filter(isHere)) {
        pods.put(withCondition(pod, 'Ready', false, {}));
        const message = 'Node is not ready';
        record(pod, { type: 'Warning', reason: 'NodeNotReady', message, from: 'node-controller' });
      }
    },
    evictFromLostNode() {
      for (const pod of pods.all().filter(isHere)) {
        const { namespace, name } = pod.metadata;
        const why = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };
        podsApi.deleteOne(pods.put(withCondition(pod, 'DisruptionTarget', true, why)), null);
        const message = `Marking for deletion Pod ${namespace}/${name}`;
        const from = 'taint-eviction-controller';
        record(pod, { type: 'Normal', reason: 'TaintManagerEviction', message, from });
      }
    },
    findNode() {
      node.release();
      kubelet.publishAll();
    },
  };
}

function withCondition(pod: Pod, type: string, holds: boolean, why: { reason?: string; message?: string }): Pod {
  const others = pod.status.conditions?.filter((condition) => condition.type !== type) ?? [];
  const conditions = [conditionsAfter(pod)(type, holds, why), ...others];
  return { ...pod, status: { ...pod.status, conditions } };
}
