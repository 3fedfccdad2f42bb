/**
 * The pod of an attempt or look, from what it is: pure, so that it can be read and compared. It keeps to the profile
 * `restricted` of Kubernetes' pod security: no root, no privileges, no token of the cluster, nothing of the node.
 */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import type { AgentTask } from '../agent/contract.ts';
import { mainContainer } from './pod-end.ts';

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
}

export const podLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  instance: 'contender.dev/instance',
  pipeline: 'contender.dev/pipeline',
  step: 'contender.dev/step',
  /** `attempt` or `look`. */
  type: 'contender.dev/type',
} as const;

const podAnnotations = {
  id: 'contender.dev/id',
  run: 'contender.dev/run',
  repository: 'contender.dev/repository',
  sha: 'contender.dev/sha',
} as const;

/** The agent's own: what it takes beside the step, and what it needs to bring the end of a log after the step's grace. */
const agentShare = { memoryBytes: 192 * 1024 * 1024, graceSeconds: 10, deadlineSeconds: 3600 } as const;

const agentFolder = '/contender';

export function podOf(name: string, id: string, task: AgentTask, token: string, settings: PodSettings): V1Pod {
  const { context, timeoutMs, graceMs, repository, sha } = task.spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: settings.namespace,
      labels: {
        [podLabels.managedBy]: 'contender',
        [podLabels.instance]: settings.instance,
        [podLabels.pipeline]: labelValue(context.pipeline),
        [podLabels.step]: labelValue(context.step),
        [podLabels.type]: task.type,
      },
      annotations: {
        [podAnnotations.id]: id,
        [podAnnotations.run]: context.runId,
        [podAnnotations.repository]: repository,
        [podAnnotations.sha]: sha,
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
      terminationGracePeriodSeconds: graceSeconds(graceMs),
      // The agent keeps the time of the step itself; this ends what cannot be reached any more.
      activeDeadlineSeconds: Math.ceil((timeoutMs + graceMs) / 1000) + agentShare.deadlineSeconds,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [agentContainer(task, token, settings)],
      volumes: [
        { name: 'contender', emptyDir: {} },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  };
}

function agentContainer(task: AgentTask, token: string, settings: PodSettings): V1Container {
  const { memoryBytes } = task.spec.context;
  const memory = memoryBytes === null ? null : String(memoryBytes + agentShare.memoryBytes);
  return {
    name: mainContainer,
    image: settings.image,
    ...(settings.imagePullPolicy === null ? {} : { imagePullPolicy: settings.imagePullPolicy }),
    env: [
      { name: 'CONTENDER_AGENT_URL', value: settings.agentUrl },
      { name: 'CONTENDER_AGENT_TOKEN', value: token },
      { name: 'CONTENDER_AGENT_DIRECTORY', value: agentFolder },
    ],
    ...(memory === null ? {} : { resources: { requests: { memory }, limits: { memory } } }),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [
      { name: 'contender', mountPath: agentFolder },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

/** From the warning to the kill, with what the agent needs after the step. */
export function graceSeconds(graceMs: number): number {
  return Math.ceil(graceMs / 1000) + agentShare.graceSeconds;
}

/** At most 63 characters that a label may have, beginning and ending with a letter or digit. */
export function labelValue(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}
