/**
 * The pod of an attempt or look, from what it is: pure, so that it can be read and compared. It keeps to the profile
 * `restricted` of Kubernetes' pod security: no root, no privileges, no token of the cluster, nothing of the node.
 */
import { createHash } from 'node:crypto';
import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import type { AgentTask } from '../agent/contract.ts';
import { linkLimits } from '../agent/link.ts';
import { agentFolder, placesIn, secretsFolder } from '../agent/places.ts';
import type { AttemptSpec } from '../executor.ts';
import { isJsonObject, type JsonObject } from '../../std/json.ts';
import { contextEnvironment } from '../local/environment.ts';
import { givingWay, withinMemory } from './giving-way.ts';
import { refuseImpossible } from './impossible-pod.ts';
import { mainContainer } from './pod-end.ts';
import { mergedWords, unprivileged, withWords } from './pod-words.ts';

export interface PodSettings {
  /** Of this installation, for the label by which its pods are found. */
  readonly instance: string;
  readonly namespace: string;
  /** With the agent as its entry point. */
  readonly image: string;
  readonly imagePullPolicy: string | null;
  /** Names of secrets. */
  readonly imagePullSecrets: readonly string[];
  /** Under which pods reach the server. */
  readonly agentUrl: string;
  readonly serviceAccountName: string | null;
  /** Of the agent beside somebody else's container; null: what the namespace says. */
  readonly helperResources: { readonly requests?: Quantities; readonly limits?: Quantities } | null;
  /** What the configuration says of all pods, in the words of `PodOptions`. */
  readonly pod: JsonObject;
  /** And of those of a repository. */
  readonly repositoryPods: ReadonlyMap<string, JsonObject>;
}

export const podLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  instance: 'contender.dev/instance',
  run: 'contender.dev/run',
  pipeline: 'contender.dev/pipeline',
  step: 'contender.dev/step',
  index: 'contender.dev/index',
  attempt: 'contender.dev/attempt',
  /** `attempt` or `look`. */
  type: 'contender.dev/type',
} as const;

export const podAnnotations = {
  id: 'contender.dev/id',
  run: 'contender.dev/run',
  repository: 'contender.dev/repository',
  sha: 'contender.dev/sha',
  /** Where it is said of this pod. */
  onFinishAction: 'contender.dev/on-finish-action',
  ttlAfterFinished: 'contender.dev/ttl-after-finished',
} as const;

/** The agent's own: what it takes beside the step, and what it needs to bring the end of a log after the step's grace. */
const agentShare = { memoryBytes: 192 * 1024 * 1024, graceSeconds: 10, deadlineSeconds: 3600 } as const;

/** A container of the user's, with everything in it known. */
export interface ResolvedContainer {
  readonly image: string;
  /** Empty: what the image says. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly resources: { readonly requests: Quantities; readonly limits: Quantities };
}

type Quantities = { readonly [resource: string]: string };

/** What stands in a pod beside what all pods have. */
type Parts = Pick<V1PodSpec, 'containers' | 'initContainers' | 'volumes'>;

export interface PodContent {
  readonly name: string;
  readonly id: string;
  readonly task: AgentTask;
  readonly token: string;
  /** Null: the agent carries the step out itself. */
  readonly container: ResolvedContainer | null;
  /** What the step says of its pod, in the words of `PodOptions`. */
  readonly words: JsonObject;
}

/** Throws a refusal where what is said of it cannot be one pod. */
export function podOf(content: PodContent, settings: PodSettings): V1Pod {
  const { task, container, words } = content;
  const said = mergedWords(givingWay(defaultsOf(task, settings), container, words), words);
  const limitBytes = memoryLimit(task, container);
  const pod = withWords(ownPod(content, settings), limitBytes === null ? said : withinMemory(said, limitBytes));
  refuseImpossible(pod);
  return pod;
}

/** Of the step's container, in bytes; null: nobody limits it. */
function memoryLimit({ spec }: AgentTask, container: ResolvedContainer | null): number | null {
  const { memoryBytes } = spec.context;
  if (memoryBytes === null) return null;
  return container === null ? memoryBytes + agentShare.memoryBytes : memoryBytes;
}

function defaultsOf({ spec }: AgentTask, { pod, repositoryPods }: Defaults): JsonObject {
  return mergedWords(pod, repositoryPods.get(spec.repository) ?? {});
}

type Defaults = Pick<PodSettings, 'pod' | 'repositoryPods'>;

/** Where the pod of a step stands: it is known before all else of the pod. */
export function namespaceOf(task: AgentTask, settings: Defaults & Pick<PodSettings, 'namespace'>): string {
  const { namespace } = saidOf(task, settings);
  return typeof namespace === 'string' ? namespace : settings.namespace;
}

/** The words of all layers, of which some may be looked up yet: not those that a definition has to write out. */
export function saidOf(task: AgentTask, settings: Defaults): JsonObject {
  return mergedWords(defaultsOf(task, settings), isJsonObject(task.spec.pod) ? task.spec.pod : {});
}

function keepAnnotations(task: AgentTask, settings: Defaults): { readonly [name: string]: string } {
  const words = saidOf(task, settings);
  const said = (['onFinishAction', 'ttlAfterFinished'] as const).flatMap((word) => {
    const value = words[word];
    return typeof value === 'string' ? [[podAnnotations[word], value]] : [];
  });
  return Object.fromEntries(said);
}

function ownPod({ name, id, task, token, container }: PodContent, settings: PodSettings): V1Pod {
  const parts =
    container === null ? agentParts(task, token, settings) : containerParts(container, task, token, settings);
  const { context, graceMs, repository, sha } = task.spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: namespaceOf(task, settings),
      labels: {
        [podLabels.managedBy]: 'contender',
        [podLabels.instance]: settings.instance,
        [podLabels.run]: labelValue(context.runId),
        [podLabels.pipeline]: labelValue(context.pipeline),
        [podLabels.step]: labelValue(context.step),
        [podLabels.index]: String(context.index),
        [podLabels.attempt]: String(context.attempt),
        [podLabels.type]: task.type,
      },
      annotations: {
        [podAnnotations.id]: id,
        [podAnnotations.run]: context.runId,
        [podAnnotations.repository]: repository,
        [podAnnotations.sha]: sha,
        ...keepAnnotations(task, settings),
      },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(settings.serviceAccountName === null ? {} : { serviceAccountName: settings.serviceAccountName }),
      ...(settings.imagePullSecrets.length === 0
        ? {}
        : { imagePullSecrets: settings.imagePullSecrets.map((secret) => ({ name: secret })) }),
      // A helper may bring large artifacts after the end of its container.
      terminationGracePeriodSeconds: container === null ? graceSeconds(graceMs) : graceSeconds(graceMs) + 600,
      activeDeadlineSeconds: deadlineSeconds(task, container !== null),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      ...parts,
    },
  };
}

/**
 * From the moment its node has it. This ends what cannot be reached any more. An agent keeps the time of its step itself, and its
 * result for as long as it waits for a server; a container has nobody else to end it.
 */
function deadlineSeconds({ spec: { timeoutMs, graceMs } }: AgentTask, isHelped: boolean): number {
  const ms = timeoutMs + graceMs + (isHelped ? 0 : linkLimits.patienceMs);
  return Math.ceil(ms / 1000) + agentShare.deadlineSeconds;
}

const sharedVolume = { name: 'contender', emptyDir: {} };
const sharedMount = { name: 'contender', mountPath: agentFolder };
const agentTmp = { volume: { name: 'tmp', emptyDir: {} }, mount: { name: 'tmp', mountPath: '/tmp' } };
const secrets = {
  volume: { name: 'contender-secrets', emptyDir: { medium: 'Memory' } },
  mount: { name: 'contender-secrets', mountPath: secretsFolder },
};

function agentParts(task: AgentTask, token: string, settings: PodSettings): Parts {
  const limitBytes = memoryLimit(task, null);
  const memory = String(limitBytes);
  const resources = limitBytes === null ? {} : { resources: { requests: { memory }, limits: { memory } } };
  return {
    containers: [{ name: mainContainer, ...agentContainer(token, settings), ...resources }],
    volumes: [sharedVolume, agentTmp.volume],
  };
}

/** With the agent as its helper: an init container that goes on beside it, and is ended when it has ended. */
function containerParts(container: ResolvedContainer, task: AgentTask, token: string, settings: PodSettings): Parts {
  const { image, command, args, environment, resources } = container;
  const { imagePullPolicy } = settings;
  const agent = agentContainer(token, settings);
  const helper: V1Container = {
    name: helperContainer,
    ...agent,
    restartPolicy: 'Always',
    startupProbe: {
      exec: { command: ['test', '-f', placesIn(agentFolder).ready] },
      periodSeconds: 1,
      // The deadline of its pod comes first: nothing else limits the time that its inputs take.
      failureThreshold: deadlineSeconds(task, true),
    },
    volumeMounts: [...(agent.volumeMounts ?? []), secrets.mount],
    ...(settings.helperResources === null ? {} : { resources: settings.helperResources }),
  };
  const main: V1Container = {
    name: mainContainer,
    image,
    ...(imagePullPolicy === null ? {} : { imagePullPolicy }),
    ...(command.length === 0 ? {} : { command: [...command].map(literal) }),
    ...(args.length === 0 ? {} : { args: [...args].map(literal) }),
    env: variables({ ...toldEnvironment(task.spec), ...environment }),
    resources: withMemory(resources, task.spec.context.memoryBytes),
    securityContext: unprivileged,
    volumeMounts: [
      sharedMount,
      { name: 'contender', mountPath: '/airflow/xcom', subPath: 'xcom' },
      { ...secrets.mount, readOnly: true },
    ],
  };
  return {
    initContainers: [helper],
    containers: [main],
    volumes: [sharedVolume, agentTmp.volume, secrets.volume],
  };
}

/** The agent beside a container of the user's. */
export const helperContainer = 'contender';

function agentContainer(token: string, settings: PodSettings): Omit<V1Container, 'name'> {
  return {
    image: settings.image,
    ...(settings.imagePullPolicy === null ? {} : { imagePullPolicy: settings.imagePullPolicy }),
    env: variables({
      CONTENDER_AGENT_URL: settings.agentUrl,
      CONTENDER_AGENT_TOKEN: token,
      CONTENDER_AGENT_DIRECTORY: agentFolder,
    }),
    securityContext: { ...unprivileged, readOnlyRootFilesystem: true },
    volumeMounts: [sharedMount, agentTmp.mount],
  };
}

function toldEnvironment({ attemptId, context }: Pick<AttemptSpec, 'attemptId' | 'context'>): {
  readonly [name: string]: string;
} {
  const { source, scratch, checkpoint, outputs } = placesIn(agentFolder);
  const places = { sourceTree: source, scratch, checkpoint, outputs };
  // Where the user's home is, the image says.
  const { HOME: _home, TMPDIR: _temporary, ...told } = contextEnvironment(attemptId, context, places);
  return { ...told, CONTENDER_SECRETS: secretsFolder };
}

function variables(values: { readonly [name: string]: string }): { name: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value: literal(value) }));
}

/** Kubernetes would put the value of a variable in the place of `$(NAME)`. */
function literal(text: string): string {
  return text.replaceAll('$(', '$$$$(');
}

/** What the step may take now, where it grows from try to try. */
function withMemory(
  { requests, limits }: ResolvedContainer['resources'],
  memoryBytes: number | null,
): { requests: Record<string, string>; limits: Record<string, string> } {
  if (memoryBytes === null) return { requests: { ...requests }, limits: { ...limits } };
  const memory = String(memoryBytes);
  return { requests: { memory, ...requests }, limits: { ...limits, memory } };
}

/** From the warning to the kill, with what the agent needs after the step. */
export function graceSeconds(graceMs: number): number {
  return Math.ceil(graceMs / 1000) + agentShare.graceSeconds;
}

const [labelLengthMax, labelHashLength] = [63, 8];

/** In characters that a label may have, beginning and ending with a letter or digit; what is too long ends in its hash. */
export function labelValue(text: string): string {
  const value = trimmed(text.replaceAll(/[^A-Za-z0-9._-]+/g, '-'));
  if (value.length <= labelLengthMax) return value;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, labelHashLength);
  return `${trimmed(value.slice(0, labelLengthMax - labelHashLength - 1))}-${hash}`;
}

function trimmed(text: string): string {
  return text.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}
