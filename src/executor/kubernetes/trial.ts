/**
 * One real pod: does its image come, does it begin, can what it prints be read, does it reach the server for agents. It is
 * removed whatever becomes of it, also when the signal ends the trial.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Api } from './api.ts';
import { ok, unanswered, unknown, wrong, type Finding } from './finding.ts';
import { failureOf, mainContainer, mainOf } from './pod-end.ts';
import type { ContainerView } from './pod-view.ts';
import type { PodSettings } from './pod.ts';
import { removePod, untilView, whyNotStarted } from './single-pod.ts';
import { speakingPod } from './trial-pod.ts';
import { lastWriteMs } from './log-tail.ts';

export interface TrialPorts {
  readonly api: Api;
  readonly settings: PodSettings;
  /** Of the namespace of its pods. */
  readonly podsPath: string;
  readonly startMs: number;
  /** Rejects with its reason when it is aborted. */
  readonly signal: AbortSignal;
  readonly found: (finding: Finding) => void;
}

/** For what it prints, when it has begun. */
const wordMs = 60_000;

const imageHelp = 'See `image`, `imagePullPolicy`, `imagePullSecrets` and `pod` of `executor.kubernetes`.';

export async function tryPod(ports: TrialPorts): Promise<void> {
  const { api, podsPath, settings, found } = ports;
  const name = `contender-check-${randomUUID().slice(0, 8)}`;
  const path = `${podsPath}/${name}`;
  try {
    ports.signal.throwIfAborted();
    await api.request('POST', podsPath, { body: speakingPod(name, settings) });
    await follow(path, ports);
  } catch (error) {
    ports.signal.throwIfAborted();
    found(unanswered('start', 'A pod could not be tried', error));
  } finally {
    await remove(name, path, ports);
  }
}

async function follow(path: string, ports: TrialPorts): Promise<void> {
  const { found, startMs, settings } = ports;
  const sight = { ...ports, path };
  const begun = await untilView(sight, startMs, (view, waitedMs) => {
    if (hasStarted(mainOf(view))) return view;
    const failure = whyNotStarted(view, waitedMs, startMs);
    return failure === null ? null : wrong('start', `A pod does not start here: ${failure.message}`, imageHelp);
  });
  if ('state' in begun) return found(begun);
  const where = begun.node === null ? '' : ` on ${begun.node}`;
  found(ok('start', `A pod of ${settings.image} starts${where}.`));
  const over = await untilView(sight, wordMs, (view, waitedMs) => {
    if (mainOf(view)?.state === 'terminated') return view;
    return waitedMs < wordMs ? null : wrong('agents', 'The pod that was tried does not end.', imageHelp);
  });
  if ('state' in over) return found(over);
  const failure = failureOf(over);
  if (failure !== null) return found(wrong('agents', `The pod that was tried failed: ${failure.message}.`, imageHelp));
  found(await wordOf(path, ports));
}

const wordSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answered'), status: z.number(), isAgents: z.boolean() }),
  z.object({ kind: z.literal('unreachable'), why: z.string() }),
]);

/** What it has printed of the server for agents. */
async function wordOf(path: string, { api, settings: { agentUrl }, signal }: TrialPorts): Promise<Finding> {
  let text = '';
  try {
    const read = async (): Promise<string> =>
      new Response(await api.stream(`${path}/log`, { container: mainContainer }, signal)).text();
    text = await read();
    if (text === '') {
      // Its runtime may still be writing the line.
      await pause(lastWriteMs, undefined, { signal });
      text = await read();
    }
  } catch (error) {
    signal.throwIfAborted();
    return unanswered('agents', 'What a pod prints cannot be read', error);
  }
  const word = wordSchema.safeParse(parsed(text)).data;
  const help =
    '`agents` of `executor.kubernetes` is the address under which pods reach `listen`: see names, firewalls, network policies.';
  if (word === undefined)
    return unknown('agents', `A pod printed what nobody expects: ${text.slice(0, 200)}`, imageHelp);
  if (word.kind === 'unreachable') return wrong('agents', `A pod does not reach ${agentUrl}: ${word.why}.`, help);
  if (word.isAgents) return ok('agents', `A pod reaches the server for agents at ${agentUrl}.`);
  return unknown('agents', `A pod is answered ${word.status} at ${agentUrl}, and not by a server for agents.`, help);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function hasStarted(main: ContainerView | undefined): boolean {
  return main !== undefined && main.startedAt !== null && main.reason !== 'StartError';
}

async function remove(name: string, path: string, { api, found }: TrialPorts): Promise<void> {
  const why = await removePod(path, api);
  if (why === null) return;
  found(wrong('removal', `The pod ${name} could not be removed: ${why}`, `Remove it: kubectl delete pod ${name}`));
}
