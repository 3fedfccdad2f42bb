/** The objects of Kubernetes as they go over the wire: the client's own types, with times as text. */
import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1ObjectMeta,
  V1PodCondition,
  V1PodSpec,
  V1PodStatus,
} from '@kubernetes/client-node';

export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T]: Wire<T[Key]> }
      : T;

export type Metadata = Wire<V1ObjectMeta> & {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
};

export type Container = Wire<V1Container>;
export type ContainerState = Wire<V1ContainerState>;
export type ContainerStatus = Wire<V1ContainerStatus>;
export type PodSpec = Wire<V1PodSpec>;
/** As the server writes it: when it last looked is never told. */
export type PodCondition = Omit<Wire<V1PodCondition>, 'lastProbeTime'> & { readonly lastProbeTime: null };
export type PodStatus = Omit<Wire<V1PodStatus>, 'conditions'> & { conditions?: PodCondition[] };

/** What the store keeps: anything that has a name, a namespace and a version. */
export interface Resource {
  readonly metadata: Metadata;
}

export interface Pod extends Resource {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly spec: PodSpec;
  readonly status: PodStatus;
}

/** Of now, or of then, to the second, as Kubernetes writes it. */
export function timeOf(milliseconds = Date.now()): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
