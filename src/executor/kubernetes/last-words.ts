/** What the log of an attempt ends with whose pod went wrong: the cluster's events about it, and what its containers printed last. */
import type { LogStore } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import type { Desk } from '../desk/desk.ts';
import type { Api } from './api.ts';
import { lastLines } from './container-output.ts';
import { podEvents } from './pod-events.ts';

export interface LastWordsPorts {
  readonly api: Api;
  readonly desk: Desk;
  readonly logs: LogStore;
  readonly clock: Clock;
}

export interface WrongPod {
  readonly namespace: string;
  readonly name: string;
  /** At the desk. */
  readonly id: string;
  readonly attemptId: string;
  /** The container of its agent. */
  readonly agent: string;
  /** The one beside it that took the pod with it. */
  readonly broken: string | null;
}

export async function tellLastWords(ports: LastWordsPorts, pod: WrongPod): Promise<void> {
  await tellEvents(ports, pod);
  if (pod.broken !== null && pod.broken !== pod.agent)
    await tellLast(ports, pod, `Its container ${pod.broken}`, pod.broken);
  await tellLast(ports, pod, 'Its agent', pod.agent);
}

async function tellEvents({ api, logs }: LastWordsPorts, { namespace, name, attemptId }: WrongPod): Promise<void> {
  const lines = await podEvents(api, namespace, name);
  if (lines.length === 0) return;
  const text = ['The cluster told of its pod:', ...lines.map((line) => `  ${line}`), ''].join('\n');
  logs.writer(attemptId).write('contender', text);
}

/** What a container has printed itself, masked as all that comes for a log. */
async function tellLast(
  { api, desk, clock }: LastWordsPorts,
  { namespace, name, id }: WrongPod,
  who: string,
  container: string,
): Promise<void> {
  const lines = await lastLines(api, { namespace, pod: name, container });
  if (lines.length === 0) return;
  for (const text of [`${who} said last:`, ...lines.map((line) => `  ${line}`)])
    desk.line(id, { at: clock.now(), stream: 'contender', text });
}
