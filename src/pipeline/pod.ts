/**
 * What a definition may say of the pod of a step, in Kubernetes' own names, and what it keeps of that. Whether Kubernetes
 * has the fields is checked when the definition compiles (src/compile/pod-fields.ts), against the types of its API.
 */
import type { Handle, Input } from './handle.ts';

/** Text, in which handles may stand; or one by itself. */
type PodText = string | Handle<unknown>;

/** A part of the API as Kubernetes has it: handles may stand for values in it. */
export type PodFields = { readonly [field: string]: Input };

/** `null` takes away what the pipeline, or the configuration of the server, says. */
type Said<T> = T | null;

/** The fields of the step's own container. */
interface MainContainerOptions {
  /** With the runner in it; a `container` has its image beside. */
  readonly image?: Said<PodText>;
  readonly imagePullPolicy?: Said<'Always' | 'IfNotPresent' | 'Never'>;
  /** Beside the `env` of commands and containers. */
  readonly env?: Said<readonly PodVariable[]>;
  readonly envFrom?: Said<readonly PodFields[]>;
  readonly resources?: Said<PodResources>;
  readonly volumeMounts?: Said<readonly PodVolumeMount[]>;
  readonly volumeDevices?: Said<readonly PodFields[]>;
  /** Of a `container` step alone: others begin in the repository at the commit. */
  readonly workingDir?: Said<PodText>;
  /** What else Kubernetes has of a container: `securityContext`, `lifecycle`, `ports`, … */
  readonly container?: Said<PodFields>;
}

/** Each field is Kubernetes' own, of the pod or of the step's container in it; but what becomes of the pod afterwards. */
export interface PodOptions extends MainContainerOptions {
  readonly namespace?: Said<PodText>;
  readonly labels?: Said<{ readonly [label: string]: Said<PodText> }>;
  readonly annotations?: Said<{ readonly [annotation: string]: Said<PodText> }>;
  readonly imagePullSecrets?: Said<readonly { readonly name: PodText }[]>;
  readonly nodeSelector?: Said<{ readonly [label: string]: Said<PodText> }>;
  readonly tolerations?: Said<readonly PodToleration[]>;
  readonly affinity?: Said<PodFields>;
  readonly topologySpreadConstraints?: Said<readonly PodFields[]>;
  readonly volumes?: Said<readonly PodVolume[]>;
  readonly serviceAccountName?: Said<PodText>;
  /** Of the pod; that of the step's container is `container: { securityContext }`. */
  readonly securityContext?: Said<PodFields>;
  readonly priorityClassName?: Said<PodText>;
  readonly runtimeClassName?: Said<PodText>;
  readonly hostAliases?: Said<readonly PodFields[]>;
  readonly dnsPolicy?: Said<'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None'>;
  readonly dnsConfig?: Said<PodFields>;
  readonly schedulerName?: Said<PodText>;
  /** They end before the step begins. */
  readonly initContainers?: Said<readonly PodContainer[]>;
  /** They run beside the step, begin before it and are ended after it. */
  readonly sidecars?: Said<readonly PodContainer[]>;
  /** What becomes of the pod of an attempt that has ended, as in Airflow. */
  readonly onFinishAction?: Said<(typeof onFinishActions)[number]>;
  /** Of one that stays: how long, from its end on. */
  readonly ttlAfterFinished?: Said<string>;
  /** Of the whole pod, for the rest: a strategic merge patch, as `kubectl patch` takes it. */
  readonly patch?: Said<PodFields>;
}

export const onFinishActions = ['delete_pod', 'delete_succeeded_pod', 'keep_pod'] as const;

/** A `V1EnvVar`. */
export type PodVariable = { readonly name: string } & (
  | { readonly value: PodText; readonly valueFrom?: never }
  | { readonly valueFrom: PodFields; readonly value?: never }
);

export interface PodResources {
  readonly requests?: Said<{ readonly [resource: string]: Said<string | number | Handle<unknown>> }>;
  readonly limits?: Said<{ readonly [resource: string]: Said<string | number | Handle<unknown>> }>;
  readonly claims?: Said<readonly PodFields[]>;
}

/** A `V1VolumeMount`. */
export interface PodVolumeMount {
  readonly name: PodText;
  readonly mountPath: PodText;
  readonly subPath?: PodText;
  readonly subPathExpr?: PodText;
  readonly readOnly?: boolean;
  readonly mountPropagation?: string;
  readonly recursiveReadOnly?: string;
}

/** A `V1Volume`: its name, and one of its sources. */
export type PodVolume = { readonly name: string } & PodFields;

/** A `V1Toleration`. */
export interface PodToleration {
  readonly key?: PodText;
  readonly operator?: 'Exists' | 'Equal' | 'Lt' | 'Gt';
  readonly value?: PodText;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number | Handle<unknown>;
}

/** A `V1Container` beside the step's own. */
export type PodContainer = { readonly name: string; readonly image: PodText } & PodFields;

/** The words of `PodOptions`, by what of Kubernetes they are a field of. */
export const podWords = {
  V1Container: [
    'image',
    'imagePullPolicy',
    'env',
    'envFrom',
    'resources',
    'volumeMounts',
    'volumeDevices',
    'workingDir',
  ],
  V1ObjectMeta: ['namespace', 'labels', 'annotations'],
  V1PodSpec: [
    'imagePullSecrets',
    'nodeSelector',
    'tolerations',
    'affinity',
    'topologySpreadConstraints',
    'volumes',
    'serviceAccountName',
    'securityContext',
    'priorityClassName',
    'runtimeClassName',
    'hostAliases',
    'dnsPolicy',
    'dnsConfig',
    'schedulerName',
    'initContainers',
  ],
} as const;

/** They say where a pod runs, with how much, and what becomes of it afterwards; all others may change what comes of it. */
export const podPlaceWords: ReadonlySet<string> = new Set([
  'imagePullPolicy',
  'resources',
  'labels',
  'annotations',
  'imagePullSecrets',
  'nodeSelector',
  'tolerations',
  'affinity',
  'topologySpreadConstraints',
  'priorityClassName',
  'runtimeClassName',
  'schedulerName',
  'onFinishAction',
  'ttlAfterFinished',
]);
