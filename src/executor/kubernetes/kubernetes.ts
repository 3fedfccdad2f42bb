/**
 * Attempts as pods of a cluster, one each. The pod of an attempt has a name that follows from the attempt, so asking for it
 * twice gives one; the agent in it asks the desk before anything runs, so nothing runs twice; what it says of the end is
 * written down before it is reported, so nothing is lost with a server. A server that goes leaves its pods alone, and the
 * next one finds them.
 */
import type { KubeConfig } from '@kubernetes/client-node';
import type { Usage } from '../../engine/event.ts';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { AgentResult, AgentTask } from '../agent/contract.ts';
import type { AttemptFiles, FinishedReport, KeptAttempt } from '../desk/attempt-files.ts';
import type { Desk } from '../desk/desk.ts';
import type { AttemptSpec, Executor, LookSpec, ReportSink } from '../executor.ts';
import { createStoredValues } from '../local/stored-values.ts';
import { createApi } from './api.ts';
import { openContainerLog } from './container-log.ts';
import { resolveContainer, resolveWords } from './container.ts';
import { keptTail } from './log-tail.ts';
import { openLooks } from './looks.ts';
import { failed, mainContainer, podPatience } from './pod-end.ts';
import { podName } from './pod-name.ts';
import { openPodTable, type PodTable } from './pod-table.ts';
import { graceSeconds, namespaceOf, podLabels, podOf, type PodSettings } from './pod.ts';
import { Placement, type PlacedPod, type PlacementEnd } from './placement.ts';
import { createReaper, type Reaper } from './reaper.ts';

export interface KubernetesExecutorOptions {
  readonly report: ReportSink;
  readonly findFile: Executor['findFile'];
  readonly desk: Desk;
  readonly files: AttemptFiles;
  readonly logs: LogStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly slots: number;
  readonly startMs?: number | undefined;
  readonly settings: PodSettings;
  /** Of the cluster, with the client that is loaded when it is first asked. */
  readonly loadConfig: (client: typeof import('@kubernetes/client-node')) => KubeConfig;
  readonly trouble: (error: unknown, what: string) => void;
}

const tickMs = 1000;

/** One namespace: what is seen in it, and whose pods are there. */
interface Seen {
  readonly table: PodTable;
  isListed: boolean;
  readonly ids: Set<string>;
  /** Of an earlier server: nobody knows yet whether they have pods. */
  readonly waiting: Set<string>;
}

/** What becomes of an end; `logged` resolves when nothing more comes for the log. */
export type Over = (end: PlacementEnd, logged: () => Promise<void>) => Promise<void>;

export function createKubernetesExecutor(options: KubernetesExecutorOptions): Executor {
  const { report, desk, files, settings, clock, logs } = options;
  const placements = new Map<string, Placement>();
  const byPod = new Map<string, string>();
  let isClosed = false;
  const api = createApi(options.loadConfig);
  const stored = createStoredValues(options.artifacts);
  const reaper = createReaper(
    api,
    ({ namespace, name, uid }) => {
      const view = namespaces.get(namespace)?.table.get(name);
      return view !== undefined && (uid === null || view.uid === uid);
    },
    (error) => options.trouble(error, 'a pod could not be removed; it is tried again'),
  );
  const open = (namespace: string): Seen => {
    const table = openPodTable({
      api,
      namespace,
      selector: `${podLabels.instance}=${settings.instance}`,
      clock,
      changed: (name, view) => placements.get(byPod.get(name) ?? '')?.changed(view),
      listed(begunAt) {
        seen.isListed = true;
        for (const id of seen.waiting) placements.get(id)?.recover();
        seen.waiting.clear();
        for (const [id, placement] of placements) if (seen.ids.has(id)) placement.notListed(begunAt);
        removeStrays(table, byPod, reaper);
      },
      trouble: (error) => options.trouble(error, `the pods of ${namespace} cannot be seen`),
    });
    const seen: Seen = { table, isListed: false, ids: new Set(), waiting: new Set() };
    return seen;
  };
  const namespaces = new Map<string, Seen>();
  const seenIn = (namespace: string): Seen => {
    const seen = namespaces.get(namespace) ?? open(namespace);
    namespaces.set(namespace, seen);
    return seen;
  };
  // So that what an earlier server left there is found before the first attempt.
  seenIn(settings.namespace);
  const ticker = setInterval(() => {
    for (const placement of placements.values()) placement.look();
  }, tickMs);

  /** Opens it at the desk, and gives its placement. */
  const place = (id: string, task: AgentTask, kept: KeptAttempt | null, over: Over): Placement => {
    const name = podName(settings.instance, id);
    const namespace = namespaceOf(task, settings);
    const seen = seenIn(namespace);
    seen.ids.add(id);
    const { work, timeoutMs, graceMs } = task.spec;
    let agentBegan = kept?.begun ?? null;
    const pod: PlacedPod = {
      namespace,
      name,
      async make() {
        const container = work.kind === 'container' ? await resolveContainer(work, stored) : null;
        const words = await resolveWords(task.type === 'attempt' ? task.spec.pod : null, stored);
        return podOf({ name, id, task, token, container, words }, settings);
      },
    };
    const log = openContainerLog({
      api,
      namespace,
      pod: name,
      container: mainContainer,
      kept: () => keptTail(logs, logOf(task), agentBegan?.linesBefore ?? 0),
      write: (line) => desk.line(id, line),
      hasEnded: () => placement.hasEnded,
      trouble: (error) => options.trouble(error, 'a log cannot be read; it is tried again'),
    });
    const container = { timeoutMs, graceSeconds: graceSeconds(graceMs), started: () => log.started() };
    const placement = new Placement(
      pod,
      {
        api,
        reaper,
        clock,
        startMs: options.startMs ?? podPatience.startMs,
        seen: () => seen.table.get(name),
        heardAt: () => desk.heardAt(id),
        say(text) {
          if (agentBegan === null) logs.writer(logOf(task)).write('contender', `${text}\n`);
        },
        async over(end) {
          placements.delete(id);
          seen.ids.delete(id);
          seen.waiting.delete(id);
          await over(end, () => log.end());
        },
        container: work.kind === 'container' ? container : null,
      },
      agentBegan !== null,
    );
    placements.set(id, placement);
    byPod.set(name, id);
    const token = desk.open({
      id,
      log: logOf(task),
      task,
      begun: agentBegan,
      listener: {
        begin(agent, linesBefore) {
          const began = { agent, linesBefore };
          // Written first: what has begun has begun for the next server too.
          if (task.type === 'attempt') files.write(id, { spec: task.spec, begun: began, finished: null });
          if (!placement.begin()) return false;
          agentBegan = began;
          if (task.type === 'attempt')
            report({ type: 'running', attemptId: id, at: clock.now(), place: placement.place });
          return true;
        },
        result: (result) => placement.told(result),
        ended: () => placement.ended,
        collect() {
          placement.collect();
          return log.collect();
        },
      },
    });
    return placement;
  };

  const finish = async (
    id: string,
    spec: AttemptSpec,
    end: PlacementEnd,
    logged: () => Promise<void>,
  ): Promise<void> => {
    const finished = finishedReport(id, clock.now(), end);
    const { outcome } = finished;
    try {
      files.write(id, { spec, begun: null, finished });
    } catch (error) {
      // It is reported all the same; only a server that dies before the journal has it will not know it.
      options.trouble(error, 'the end of an attempt could not be kept');
    }
    await logged();
    await desk.shut(id);
    const log = logs.writer(id);
    if (end.kind !== 'told' && outcome.kind === 'failed')
      log.write('contender', `Failed (${outcome.cause}): ${outcome.message}\n`);
    await log.close();
    byPod.delete(podName(settings.instance, id));
    if (!isClosed) report(finished);
  };

  const begin = (id: string, spec: AttemptSpec, kept: KeptAttempt | null): Placement =>
    place(id, { type: 'attempt', spec }, kept, (end, logged) => finish(id, spec, end, logged));

  /** What an earlier server began, or this one no longer knows. */
  const takeUp = (id: string): void => {
    if (placements.has(id)) return;
    const kept = files.read(id);
    if (kept?.finished != null) return report(kept.finished);
    if (kept === null)
      return report(finishedReport(id, clock.now(), { kind: 'seen', failed: unknownAttempt, usage: null }));
    const placement = begin(id, kept.spec, kept);
    const seen = seenIn(namespaceOf({ type: 'attempt', spec: kept.spec }, settings));
    if (seen.isListed) placement.recover();
    else seen.waiting.add(id);
  };

  const looks = openLooks({
    place,
    shut: (id) => desk.shut(id),
    forget: (id) => byPod.delete(podName(settings.instance, id)),
  });

  return {
    slots: options.slots,
    async start(spec) {
      const { attemptId } = spec;
      if (isClosed) throw new Error('the executor is closed');
      if (placements.has(attemptId)) return;
      if (files.read(attemptId) !== null) return takeUp(attemptId);
      files.write(attemptId, { spec, begun: null, finished: null });
      void begin(attemptId, spec, null).ask();
    },
    async stop(attemptId, cause, graceMs) {
      placements.get(attemptId)?.stop(cause, graceSeconds(graceMs));
    },
    async recover(attemptIds) {
      for (const attemptId of attemptIds) takeUp(attemptId);
      desk.knowsAll();
    },
    retain: (runIds) => files.retain(runIds),
    release: (runId) => files.release(runId),
    findFile: options.findFile,
    looksAtOnce: looks.atOnceMax,
    look(spec: LookSpec, signal) {
      if (isClosed) return Promise.reject(new Error('the executor is closed'));
      return looks.look(spec, signal);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await looks.close();
      for (const placement of placements.values()) placement.leave();
      clearInterval(ticker);
      for (const { table } of namespaces.values()) table.close();
      reaper.close();
      await desk.close();
    },
  };
}

const unknownAttempt = failed('lost', 'nothing is known of it any more: the files of its server are gone');

function logOf({ spec }: AgentTask): string {
  return spec.attemptId;
}

/** Pods of ours that belong to nothing that is carried out: of attempts that have ended, or of a server that is gone. */
function removeStrays(table: PodTable, byPod: ReadonlyMap<string, string>, reaper: Reaper): void {
  for (const { namespace, name, uid, deletion } of table.values())
    if (!byPod.has(name) && deletion === null) reaper.take({ namespace, name, uid }, 0);
}

function finishedReport(attemptId: string, at: number, end: PlacementEnd): FinishedReport {
  const base = { type: 'finished', attemptId, at } as const;
  switch (end.kind) {
    case 'told':
      return { ...base, ...attemptResult(end.result, end.usage) };
    case 'seen':
      return { ...base, outcome: end.failed, usage: end.usage };
    case 'stopped': {
      const why = end.cause === 'timeout' ? 'it was longer than its time limit' : 'it was cancelled';
      return { ...base, outcome: failed(end.cause, `${why}; its pod is gone`), usage: end.usage };
    }
    default:
      return unreachable(end);
  }
}

function attemptResult(result: AgentResult, seen: Usage | null): Pick<FinishedReport, 'outcome' | 'usage'> {
  if (result.type === 'attempt') return { outcome: result.outcome, usage: result.usage ?? seen };
  return { outcome: failed('output', 'the agent of an attempt answered as one of a look'), usage: null };
}
