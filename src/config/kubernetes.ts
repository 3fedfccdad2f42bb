/** The cluster in which steps run as pods, and how those reach the server. */
import type { JsonObject } from '../std/json.ts';
import { pathIn } from './file.ts';
import type { ConfigFile } from './schema.ts';

export interface KubernetesConfig {
  readonly namespace: string;
  /** With the agent as its entry point: that of the runner, or one that is built on it. */
  readonly image: string;
  /** The address of `listen` as pods see it, without a slash at its end. */
  readonly agentUrl: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Null: that of KUBECONFIG or of the user, or the one that the cluster gives to a pod. */
  readonly kubeconfig: string | null;
  /** Null: the current one. */
  readonly context: string | null;
  readonly imagePullPolicy: string | null;
  readonly imagePullSecrets: readonly string[];
  readonly serviceAccountName: string | null;
  readonly startMs: number | null;
  /** For an image that cannot be pulled, and what else a pod lacks. */
  readonly imageMs: number;
  /** Until an agent that says nothing is given up. */
  readonly lostMs: number;
  readonly keep: {
    readonly onFinishAction: Settings['onFinishAction'];
    readonly ttlAfterFinishedMs: number;
  };
  readonly helperResources: NonNullable<Settings['helperResources']> | null;
  /** What all pods are like, in the words of the option `pod`. */
  readonly pod: JsonObject;
}

type Settings = NonNullable<ConfigFile['executor']['kubernetes']>;

export function readKubernetes(settings: Settings, directory: string): KubernetesConfig {
  const { namespace, image, agents, listen, kubeconfig, imagePullSecrets } = settings;
  return {
    namespace,
    image,
    agentUrl: agents.replace(/\/$/, ''),
    listen,
    kubeconfig: kubeconfig === undefined ? null : pathIn(directory, kubeconfig),
    context: settings.context ?? null,
    imagePullPolicy: settings.imagePullPolicy ?? null,
    imagePullSecrets,
    serviceAccountName: settings.serviceAccountName ?? null,
    startMs: settings.startTimeout ?? null,
    imageMs: settings.imagePullTimeout,
    lostMs: settings.lostAfter,
    keep: { onFinishAction: settings.onFinishAction, ttlAfterFinishedMs: settings.ttlAfterFinished },
    helperResources: settings.helperResources ?? null,
    pod: settings.pod,
  };
}
