/** Pods as those of steps are, which belong to no step: to be looked at by the cluster, and one to be run. */
import type { V1Pod } from '@kubernetes/client-node';
import { agentPath, type AgentTask } from '../agent/contract.ts';
import { mainContainer } from './pod-end.ts';
import { podOf, type PodSettings, type ResolvedContainer } from './pod.ts';

/** Another instance than any server's, which removes what it does not know of its own. */
const instance = 'cluster-check';
const deadlineSeconds = 600;
const moment = '1970-01-01T00:00:00.000Z';
const nobody = 'cluster-check';

/** An attempt of nothing. */
export const trialTask: AgentTask = {
  type: 'attempt',
  spec: {
    attemptId: `${nobody}/${nobody}/0/1`,
    repository: nobody,
    sha: '0'.repeat(40),
    work: { kind: 'command', command: ['true'], environment: {} },
    queue: null,
    startMs: null,
    pod: null,
    context: {
      runId: nobody,
      repository: nobody,
      pipeline: nobody,
      step: nobody,
      index: 0,
      attempt: 1,
      sha: '0'.repeat(40),
      branch: '',
      trigger: { kind: 'manual', upstream: null, events: [] },
      date: '1970-01-01',
      dateNoDash: '19700101',
      timestamp: moment,
      dataIntervalStart: moment,
      dataIntervalEnd: moment,
      memoryBytes: null,
      parameters: {},
    },
    outputs: {},
    secrets: [],
    timeoutMs: 1000,
    graceMs: 1000,
  },
};

/** `helped`: the pod of a container with the agent as its helper. */
export function trialPod(name: string, kind: 'step' | 'helped', settings: PodSettings): V1Pod {
  const { image } = settings;
  const container: ResolvedContainer = {
    image,
    command: ['true'],
    args: [],
    environment: {},
    resources: { requests: {}, limits: {} },
  };
  const content = { name, id: trialTask.spec.attemptId, task: trialTask, token: '', words: {} };
  return podOf({ ...content, container: kind === 'step' ? null : container }, { ...settings, instance });
}

/** One that says how it reaches the server for agents, and ends. */
export function speakingPod(name: string, settings: PodSettings): V1Pod {
  const pod = trialPod(name, 'step', settings);
  const main = pod.spec?.containers.find((container) => container.name === mainContainer);
  if (pod.spec === undefined || main === undefined) throw new Error('the pod of a step has no container of its own');
  main.command = ['node', '--eval', script];
  // Should nobody be left to remove it, it ends.
  pod.spec.activeDeadlineSeconds = deadlineSeconds;
  return pod;
}

/** The network of a pod may come a moment after the pod. What it prints is read by `trial.ts`. */
const script = `
const url = process.env.CONTENDER_AGENT_URL + '${agentPath}/alive';
const ask = async (left) => {
  try {
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(5000) });
    const body = await answer.json().catch(() => null);
    const isAgents = (answer.status === 401 || answer.status === 503) && typeof body?.error === 'string';
    return { kind: 'answered', status: answer.status, isAgents };
  } catch (error) {
    if (left === 0) return { kind: 'unreachable', why: String(error.cause?.message || error.cause?.code || error.message) };
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return ask(left - 1);
  }
};
ask(2).then((word) => console.log(JSON.stringify(word)));
`;
