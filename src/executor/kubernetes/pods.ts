/**
 * All that this server has placed with a cluster, attempts and looks alike, one pod each: the placement of each, and what is
 * seen of its pod. The name of a pod follows from what it carries out, so asking for it twice gives one. Pods of ours that belong to none of them are strays, of attempts that have ended or of a server that is gone.
 */
import type { KubeConfig } from '@kubernetes/client-node';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import { isJsonObject } from '../../std/json.ts';
import type { AgentTask } from '../agent/contract.ts';
import type { Desk } from '../desk/desk.ts';
import type { Began, PlacedListener, PlacementEnd, Placing } from '../desk/placing.ts';
import type { AttemptSpec } from '../executor.ts';
import { createStoredValues, type StoredValues } from '../local/stored-values.ts';
import { agentWroteAt } from './container-output.ts';
import { createApi, type Api } from './api.ts';
import { openContainerLog, type ContainerLog } from './container-log.ts';
import { resolveContainer, resolveWords } from './container.ts';
import { isEnding, isLeft, keptOf, ruleFor, type KeepRule } from './kept-pods.ts';
import { tellLastWords } from './last-words.ts';
import { Leaving, leaveSeconds } from './leaving.ts';
import { keptTail } from './log-place.ts';
import type { Namespaces } from './namespaces.ts';
import { Placement } from './placement.ts';
import { brokenBeside, mainContainer, podPatience } from './pod-end.ts';
import { podName } from './pod-name.ts';
import { helperContainer, namespaceOf, podOf, saidOf, type PodSettings } from './pod.ts';
import { createReaper, type PodPlace, type Reaper } from './reaper.ts';
import { isFresh, SeenNamespaces, type Seen } from './seen.ts';

export interface PodsOptions {
  readonly desk: Desk;
  readonly logs: LogStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly startMs?: number | undefined;
  /** For an image that cannot be pulled, and what else a pod lacks. */
  readonly imageMs?: number | undefined;
  /** Until an agent that says nothing is given up. */
  readonly lostMs?: number | undefined;
  /** Of a log that does not come. */
  readonly logPatienceMs?: number | undefined;
  readonly settings: PodSettings;
  readonly keep: KeepRule;
  /** At the end, for pods whose work has ended: null where whoever conducts next sees to them. */
  readonly lastPatienceMs?: number | null | undefined;
  readonly namespaces: Namespaces;
  /** Of the cluster, with the client that is loaded when it is first asked. */
  readonly loadConfig: (client: typeof import('@kubernetes/client-node')) => KubeConfig;
  /** Whether this server surely conducts at this moment. One that was frozen may not: then nothing follows from what it sees. */
  readonly trusted: () => boolean;
  readonly trouble: (error: unknown, what: string) => void;
  /** Calls again and again, until the function that it gives is called. The system's timer, unless given. */
  readonly every?: ((ms: number, tick: () => void) => () => void) | undefined;
}

const limits = {
  tickMs: 1000,
  /** A server that was held up for so long has seen and heard nobody in that time. */
  heldMs: 5000,
} as const;

export class Pods implements Placing {
  readonly runsImages = true;
  readonly #options: PodsOptions;
  readonly #api: Api;
  readonly #reaper: Reaper;
  /** Looks are no other server's. */
  readonly #reaperOfLooks: Reaper;
  readonly #stored: StoredValues;
  readonly #placements = new Map<string, Placement>();
  /** Until nothing of it is needed any more. */
  readonly #idByPod = new Map<string, string>();
  readonly #namespaces: SeenNamespaces;
  readonly #leaving: Leaving;
  readonly #endTicks: () => void;
  #tickedAt: number;
  /** Nothing is read of any log from then on. */
  readonly #closing = new AbortController();
  /** Nobody waits for the cluster from then on. */
  readonly #left = new AbortController();
  #knowsAll = false;

  constructor(options: PodsOptions) {
    const { loadConfig, artifacts, trusted, settings } = options;
    this.#options = options;
    this.#api = createApi(loadConfig, { closing: this.#left.signal });
    this.#stored = createStoredValues(artifacts);
    this.#namespaces = new SeenNamespaces({
      api: this.#api,
      clock: options.clock,
      own: settings.namespace,
      names: options.namespaces,
      instance: settings.instance,
      changed: (name, view) => this.#placements.get(this.#idByPod.get(name) ?? '')?.changed(view),
      listed: (seen, begunAt) => this.#listed(seen, begunAt),
      trouble: options.trouble,
    });
    this.#reaper = this.#createReaper(trusted);
    this.#reaperOfLooks = this.#createReaper(() => true);
    this.#leaving = new Leaving({
      goesOn: (place) => this.#goesOn(place),
      isFresh: ({ namespace }) => isFresh(this.#namespaces.in(namespace), options.clock),
      remove: (place) => this.#reaper.take(place, 0),
    });
    this.#tickedAt = options.clock.now();
    this.#endTicks = (options.every ?? everyInterval)(limits.tickMs, () => this.#tick());
    // So that what an earlier server left there is found before the first attempt.
    for (const namespace of [settings.namespace, ...options.namespaces.known]) this.#namespaces.in(namespace);
  }

  get(id: string): Placement | undefined {
    return this.#placements.get(id);
  }

  /** In the namespace that is said for it now. Of what an older server has kept, the configuration says it. */
  settled(spec: AttemptSpec): AttemptSpec {
    const { pod } = spec;
    if (pod !== null && !isJsonObject(pod)) return spec;
    const namespace = namespaceOf({ type: 'attempt', spec }, this.#options.settings);
    return { ...spec, pod: { ...pod, namespace } };
  }

  /** Opens it at the desk. Its pod is not asked for yet. */
  place(id: string, task: AgentTask, began: Began | null, listener: PlacedListener): Placement {
    const { settings, desk, clock } = this.#options;
    const name = podName(settings.instance, id);
    const seen = this.#namespaces.in(namespaceOf(task, settings));
    const so = { began };
    const log = this.#logOf(id, task, { so, seen }, () => placement);
    const placement = this.#placementOf(id, name, task, { so, seen, log, listener, token: () => token });
    this.#placements.set(id, placement);
    this.#idByPod.set(name, id);
    seen.ids.add(id);
    const token = desk.open({
      id,
      log: task.spec.attemptId,
      task,
      begun: began,
      listener: {
        begin(agent, linesBefore) {
          if (!placement.mayBegin) return false;
          const now = { agent, linesBefore, place: placement.place, at: clock.now() };
          listener.keep(now);
          placement.begin();
          so.began = now;
          listener.begun(now);
          return true;
        },
        result: (result) => placement.told(result),
        ended: () => placement.ended,
        async collect() {
          placement.collect();
          const { lastLine, mayHaveMore } = await log.collect();
          // Of one that failed nothing hangs on what it printed.
          return {
            lastLine,
            mayHaveMore: mayHaveMore && !placement.hasFailed,
            hasSucceeded: placement.hasSucceeded,
          };
        },
      },
    });
    return placement;
  }

  /** An earlier server placed it: what is seen says how it stands. */
  recover(id: string, task: AgentTask, end: PlacementEnd | null, uid: string | null): void {
    this.#placements.get(id)?.identify(uid);
    const seen = this.#namespaces.in(namespaceOf(task, this.#options.settings));
    if (seen.isListed) this.#placements.get(id)?.recover(end);
    else seen.waiting.set(id, end);
  }

  /** What an earlier server left has been placed: before that, its pods look like strays. */
  knowsAll(): void {
    this.#knowsAll = true;
    for (const seen of this.#namespaces.values()) if (seen.isListed) this.#removeStrays(seen);
  }

  /** Nothing of its pod is needed any more. */
  forget(id: string): void {
    this.#idByPod.delete(podName(this.#options.settings.instance, id));
  }

  retire(): void {
    this.#knowsAll = false;
    for (const placement of this.#placements.values()) if (!placement.isLook) placement.leave();
    this.#closing.abort();
  }

  /** This server goes, and another comes after it. */
  get #isFollowed(): boolean {
    return this.#closing.signal.aborted && (this.#options.lastPatienceMs ?? null) === null;
  }

  /** What runs stays as it is in the cluster. */
  async leave(): Promise<void> {
    this.#endTicks();
    this.#leaving.close();
    const { lastPatienceMs = null } = this.#options;
    if (lastPatienceMs !== null) await this.#seeOff(lastPatienceMs);
    for (const placement of this.#placements.values()) placement.leave();
    this.#namespaces.close();
    this.#reaper.close();
    this.#reaperOfLooks.close();
    this.#left.abort();
  }

  async #seeOff(patienceMs: number): Promise<void> {
    await this.#leaving.seeOff(patienceMs);
    await Promise.all([this.#reaper, this.#reaperOfLooks].map((reaper) => reaper.finish(patienceMs)));
  }

  #goesOn({ namespace, name }: PodPlace): boolean {
    const view = this.#namespaces.get(namespace)?.table.get(name);
    return view !== undefined && !isEnding(view);
  }

  #tick(): void {
    const now = this.#options.clock.now();
    // Whoever speaks to a server that does not conduct is not heard.
    if (this.#options.trusted()) {
      const isHeld = now - this.#tickedAt > limits.heldMs + limits.tickMs;
      for (const seen of this.#namespaces.values()) {
        const { sight, table } = seen;
        if (isHeld) {
          sight.held(this.#tickedAt, now);
          seen.refused = null;
        }
        if (isHeld || sight.isQuiet(now)) table.lookAgain();
        this.#tellKnownEnds(seen, now);
      }
      this.#tickedAt = now;
    }
    for (const placement of this.#placements.values()) placement.look();
  }

  /** Of those that ended under an earlier server: the rest of their logs is not waited for where nobody may see it. */
  #tellKnownEnds({ isListed, refused, waiting }: Seen, now: number): void {
    const { lostMs = podPatience.lostMs } = this.#options;
    if (isListed || refused === null || now < refused.since + lostMs) return;
    for (const [id, end] of waiting) if (end !== null) this.#placements.get(id)?.recover(end);
  }

  #createReaper(mayAct: () => boolean): Reaper {
    const { clock, trouble } = this.#options;
    return createReaper({
      api: this.#api,
      clock,
      hasStayed: (place, since, ms) => this.#namespaces.hasStayed(place, since, ms),
      trouble: (error) => trouble(error, 'a pod could not be removed; it is tried again'),
      mayAct,
    });
  }

  #placementOf(
    id: string,
    name: string,
    task: AgentTask,
    given: {
      readonly so: { readonly began: Began | null };
      readonly seen: Seen;
      readonly log: ContainerLog;
      readonly listener: PlacedListener;
      readonly token: () => string;
    },
  ): Placement {
    const { so, seen, log, listener, token } = given;
    const { desk, logs, clock, settings, keep, trusted, startMs = podPatience.startMs } = this.#options;
    const { lostMs = podPatience.lostMs, imageMs = podPatience.imageMs } = this.#options;
    const { work, timeoutMs, graceMs, attemptId } = task.spec;
    const reaper = task.type === 'look' ? this.#reaperOfLooks : this.#reaper;
    const leaving = this.#leaving;
    /** As its log says. */
    let isKept = false;
    /** With the rest of its log. */
    let isHandedOn = false;
    const stays = (end: PlacementEnd): boolean =>
      task.type === 'attempt' && isLeft(end, seen.table.get(name), ruleFor(saidOf(task, settings), keep));
    const pod = {
      namespace: namespaceOf(task, settings),
      name,
      make: async () => {
        const container = work.kind === 'container' ? await resolveContainer(work, this.#stored) : null;
        const words = await resolveWords(task.spec.pod, this.#stored);
        return podOf({ name, id, task, token: token(), container, words }, settings);
      },
    };
    const started = (): void => {
      log.started();
      seen.metrics.watch(name);
    };
    const ports = {
      placed: (uid: string) => listener.placed(uid),
      isLook: task.type === 'look',
      trusted,
      api: this.#api,
      reaper,
      clock,
      patience: { startMs: task.spec.startMs ?? startMs, imageMs },
      lostMs,
      agentUrl: settings.agentUrl,
      seen: () => seen.table.get(name),
      room: (ms: number, signal: AbortSignal) => seen.room.wait(ms, signal),
      lasted: (since: number) => seen.sight.lasted(since, clock.now()),
      isFresh: () => isFresh(seen, clock),
      refused: () => (seen.isListed ? null : seen.refused),
      heardAt: () => desk.heardAt(id) ?? 0,
      wroteAt: () => agentWroteAt(this.#api, { namespace: pod.namespace, pod: name, container: mainContainer }),
      revoke: () => desk.stop(id, 0),
      say: (text: string) => {
        // From then on its agent writes the log, whose lines are counted.
        if (so.began === null) logs.writer(attemptId).write('contender', `${text}\n`);
      },
      over: async (end: PlacementEnd) => {
        this.#placements.delete(id);
        seen.ids.delete(id);
        seen.waiting.delete(id);
        seen.metrics.forget(name);
        await listener.over(end, async () => {
          const isWhole = await log.end();
          isHandedOn = !trusted() || (!isWhole && this.#isFollowed);
          if (isHandedOn) return false;
          const write = (text: string): void => logs.writer(attemptId).write('contender', `${text}\n`);
          if (!isWhole) write('The end of this log is missing: the cluster did not give it in time.');
          if (end.kind === 'seen') {
            const agent = ports.container === null ? mainContainer : helperContainer;
            const broken = brokenBeside(seen.table.get(name));
            const wrong = { namespace: pod.namespace, name, id, attemptId, agent, broken };
            await tellLastWords({ api: this.#api, desk, logs, clock }, wrong);
          }
          isKept = stays(end);
          if (isKept) write(`Its pod is kept: kubectl --namespace ${pod.namespace} describe pod ${name}`);
          return true;
        });
      },
      letGo(place: PodPlace) {
        seen.isUsed = true;
        if (isHandedOn) return;
        if (isKept) leaving.take(place);
        else reaper.take(place, leaveSeconds);
      },
      unmade: () => this.#namespaces.leaveUnused(pod.namespace, seen),
      container:
        work.kind === 'container'
          ? { timeoutMs, graceMs, started, memoryBytesMax: () => seen.metrics.most(name) }
          : null,
    };
    return new Placement(pod, ports, so.began !== null);
  }

  #logOf(
    id: string,
    task: AgentTask,
    { so, seen }: { readonly so: { readonly began: Began | null }; readonly seen: Seen },
    placement: () => Placement,
  ): ContainerLog {
    const { logs, desk, clock, settings, trusted, trouble, logPatienceMs } = this.#options;
    return openContainerLog({
      patienceMs: logPatienceMs,
      api: this.#api,
      clock,
      namespace: namespaceOf(task, settings),
      pod: podName(settings.instance, id),
      container: mainContainer,
      kept: () => keptTail(logs, task.spec.attemptId, so.began?.linesBefore ?? 0),
      // Whoever conducts now reads on from what was kept, and writes it too.
      write: (line) => trusted() && desk.line(id, { ...line, stream: 'out' }),
      say: (text) => desk.line(id, { at: clock.now(), stream: 'contender', text }),
      hasEnded: () => placement().hasEnded,
      ended: () => placement().ended,
      isGone: () => seen.isListed && placement().isGone,
      trouble: (error) => trouble(error, 'a log cannot be read; it is tried again'),
      closing: this.#closing.signal,
    });
  }

  #listed(seen: Seen, begunAt: number): void {
    seen.isListed = true;
    const waiting = [...seen.waiting];
    seen.waiting.clear();
    for (const [id, end] of waiting) this.#placements.get(id)?.recover(end);
    for (const id of seen.ids) this.#placements.get(id)?.notListed(begunAt);
    if (this.#knowsAll) this.#removeStrays(seen);
  }

  #removeStrays({ table }: Seen): void {
    const { keep, clock, trusted } = this.#options;
    if (!trusted()) return;
    const strays = [...table.values()].filter(
      ({ name, deletion }) => !this.#idByPod.has(name) && !this.#leaving.has(name) && deletion === null,
    );
    const kept = keptOf(strays, keep, clock.now());
    for (const view of strays) if (!kept.has(view)) this.#reaper.take(view, 0);
  }
}

function everyInterval(ms: number, tick: () => void): () => void {
  const timer = setInterval(tick, ms);
  return () => clearInterval(timer);
}
