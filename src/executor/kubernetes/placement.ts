/**
 * One attempt or look, and its pod: from the wish for a pod to the end that is told once. A chart:
 *
 *   asking ──► waiting ──► begun ──► over
 *      └──────────┴───────────┴───────►     by its agent's word, by what is seen of the pod, by a stop
 *
 * An end that the agent tells counts at once. An end that was asked for counts when the pod is seen to be gone: until then
 * something of it may run; so does that of an agent which has fallen silent. What is seen can only bring a placement forward; what
 * cannot be seen changes nothing, and time alone decides nothing before the cluster has been asked how it is now.
 */
import type { Usage } from '../../engine/event.ts';
import type { AgentResult } from '../agent/contract.ts';
import type { Failed, Placed, PlacementEnd, StopCause } from '../desk/placing.ts';
import { askForPod } from './asking.ts';
import { hasOutlasted, isHelperBringing, usageOf } from './container-end.ts';
import type { ContainerSide, PlacedPod, PlacementPorts } from './placement-ports.ts';
import {
  endedWithoutWord,
  failureOf,
  goneOutcome,
  hasEndedItself,
  hungAgent,
  lossOf,
  mainContainer,
  mainOf,
  skipOf,
  type AgentSide,
} from './pod-end.ts';
import { failureToStart } from './pod-start.ts';
import { graceSeconds, helperContainer } from './pod.ts';
import type { ContainerView, PodView } from './pod-view.ts';
import type { PodPlace } from './reaper.ts';
import { unseenPod } from './refused-pod.ts';
import { StartWaits } from './start-waits.ts';

/** Between two questions whether a silent agent has written anything. */
const askAgainMs = 60_000;
/** Of a pod whose agent hangs, and can make nothing of a grace. Without any, the cluster would not wait for its end. */
const hungGraceSeconds = 1;

export class Placement implements Placed {
  readonly #pod: PlacedPod;
  readonly #ports: PlacementPorts;
  readonly #closing = new AbortController();
  #uid: string | null = null;
  /** Since when a list would show its pod. */
  #placedAt: number | null = null;
  /** For its pod, which may not be there yet. */
  #isAsking = false;
  /** A pod of it may have been made. */
  #mayBeThere = true;
  #begun: boolean;
  #isOver = false;
  /** Why it is being ended: what was asked for, or what its agent's silence means. */
  #stop: { readonly why: StopCause | Failed; graceSeconds: number } | null = null;
  /** Of its agent, to the log of its own container. */
  #wroteAt = 0;
  #askedAt = 0;
  #result: AgentResult | null = null;
  #isCollected = false;
  readonly #waits = new StartWaits();
  readonly #ended = Promise.withResolvers<void>();
  #last: PodView | null = null;
  #said = '';

  constructor(pod: PlacedPod, ports: PlacementPorts, begun: boolean) {
    this.#pod = pod;
    this.#ports = ports;
    this.#begun = begun;
  }

  get place(): string {
    const node = this.#ports.seen()?.node ?? null;
    return node === null ? `pod ${this.#pod.name}` : `pod ${this.#pod.name} on ${node}`;
  }

  get isLook(): boolean {
    return this.#ports.isLook;
  }

  /** Nothing is done any more: it has ended, or another server may carry it further. A look is nobody else's. */
  get #isLeft(): boolean {
    return this.#isOver || !(this.#ports.isLook || this.#ports.trusted());
  }

  /** Asks for the pod until it is there, or it is known that it will not be. */
  async ask(): Promise<void> {
    this.#isAsking = true;
    this.#mayBeThere = false;
    const askedAt = this.#ports.clock.now();
    this.#waits.asked(askedAt);
    const asked = await askForPod(this.#pod, this.#ports, {
      askedAt,
      isLeft: () => this.#isLeft,
      isStopped: () => this.#stop !== null,
      hasBegun: () => this.#begun,
      sent: () => void (this.#mayBeThere = true),
      tell: (text) => this.#tell(text),
      signal: this.#closing.signal,
    });
    if (asked?.kind === 'made') return this.#placed(asked.uid);
    if (asked?.kind === 'refused') return this.#see(asked.failed);
    if (asked?.kind === 'going')
      return this.#ports.seen() === undefined ? this.#see(goneOutcome(this.#last)) : this.#placed(null);
    if (this.#stop === null || this.#isLeft) return;
    // A pod that was asked for without an answer may come yet: it may not begin, and goes when it is seen.
    this.#placed(null);
    if (!this.#begun) this.#stopped();
  }

  /** As an earlier server has kept it. */
  identify(uid: string | null): void {
    this.#uid = uid;
  }

  /** The first list after an earlier server shows its pod, or shows that there is none. */
  recover(end: PlacementEnd | null): void {
    const found = this.#ports.seen();
    const isReplaced = found !== undefined && this.#isOther(found);
    const view = isReplaced ? undefined : found;
    if (end !== null) return this.#conclude(end, view);
    if (view !== undefined) return this.#placed(view.uid);
    if (this.#stop !== null) return this.#stopped();
    if (this.#begun || isReplaced) return this.#see(goneOutcome(null, isReplaced));
    // Nothing of it has run: a pod that was asked for may have been lost with the server, and is asked for again.
    void this.ask();
  }

  /** What its container printed is read on first. */
  #conclude(end: PlacementEnd, view: PodView | undefined): void {
    this.#last = view ?? null;
    this.#uid = view?.uid ?? this.#uid;
    if (mainOf(this.#last)?.startedAt != null) this.#ports.container?.started();
    this.#end(end);
  }

  /** False: it is being ended, and what has not begun does not begin any more. */
  get mayBegin(): boolean {
    return this.#stop === null && !this.#isOver;
  }

  begin(): void {
    this.#begun = true;
  }

  told(result: AgentResult): void {
    this.#result = result;
    if (this.#stop !== null) return;
    if (this.#ports.container !== null) return this.look();
    // Nobody here asked it to end: it was deleted, drained or preempted, and had time to say so.
    const { outcome } = result;
    if (outcome.kind === 'failed' && outcome.cause === 'cancelled') return this.#see(goneOutcome(this.#last));
    this.#end({ kind: 'told', result, usage: null });
  }

  /** Its helper says that the container has ended. */
  collect(): void {
    this.#isCollected = true;
    this.#ended.resolve();
  }

  /** Resolves when its container has ended, or nothing more comes of it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.#isOver || this.#isCollected || mainOf(this.#last)?.state === 'terminated';
  }

  /** No pod of its name is seen, or another one. */
  get isGone(): boolean {
    const view = this.#ports.seen();
    return view === undefined || this.#isOther(view);
  }

  /** Its container is seen to have ended well, and nobody had told it to end. */
  get hasSucceeded(): boolean {
    return this.#stop === null && this.#last !== null && hasEndedItself(this.#last, 0);
  }

  /** Its container is seen to have ended otherwise. */
  get hasFailed(): boolean {
    return mainOf(this.#last)?.state === 'terminated' && !this.hasSucceeded;
  }

  /** Warns, and kills after the grace. The first cause stays; a shorter grace counts. */
  stop(cause: StopCause, graceMs: number): void {
    if (this.#isLeft) return;
    // Before its agent has begun there is nothing to be warned.
    this.#endPod(cause, this.#begun ? graceSeconds(graceMs) : 1);
  }

  /** What it ends by is told when its pod is gone. */
  #endPod(why: StopCause | Failed, graceSeconds: number): void {
    this.#stop ??= { why, graceSeconds };
    this.#stop.graceSeconds = Math.min(this.#stop.graceSeconds, graceSeconds);
    this.#closing.abort();
    // Whether there is one that an earlier server has made is not known before the first list, which may not come.
    if (!this.#isAsking) this.#remove(this.#stop.graceSeconds);
  }

  /** Null: its pod is gone. */
  changed(view: PodView | null): void {
    if (this.#isLeft) return;
    if (view === null) return this.#gone(false);
    if (this.#isOther(view)) {
      // One from before it may be told late; what comes after it has been seen is after it.
      if (this.#last?.uid === this.#uid) this.#gone(true);
      return;
    }
    this.#last = view;
    this.look();
  }

  /** A list that was begun then has not shown its pod. */
  notListed(begunAt: number): void {
    if (this.#placedAt === null || this.#placedAt >= begunAt) return;
    const view = this.#ports.seen();
    if (view === undefined) this.#gone(false);
    else if (this.#isOther(view)) this.#gone(true);
  }

  /** What follows from what is seen, and from how long it has been so. */
  look(): void {
    const view = this.#last;
    if (this.#isLeft) return;
    if (view === null) return this.#lookAtRefusal();
    if (this.#placedAt === null) return;
    const { container, clock, lasted, lostMs } = this.#ports;
    this.#waits.see(view, clock.now(), this.#agent, lasted(this.#heardAt) < lostMs);
    // What has ended, and was told, is not lost any more.
    if (container !== null) this.#lookAtContainer(view, container);
    if (!this.#isOver) this.#lookAtLoss(view);
    if (this.#isOver) return;
    if (container !== null) this.#lookAtTime(view, container);
    // It goes when it is stopped, whatever it comes to.
    if (this.#stop !== null || this.#isOver) return;
    const failure = this.#failureOf(view);
    if (failure !== null) return this.#isHelperBringing(view) ? undefined : this.#see(failure);
    const waiting = view.containers.find(({ state, reason }) => state === 'waiting' && reason !== null);
    const why = view.unschedulable?.message ?? waiting?.message ?? null;
    if (!this.#begun && why !== null) this.#tell(`Its pod waits: ${why}`);
  }

  /** Nobody lets this server see whether it has a pod: only an agent could tell. */
  #lookAtRefusal(): void {
    const { refused, clock, lostMs, revoke } = this.#ports;
    const refusal = refused();
    if (refusal === null) return;
    const { namespace } = this.#pod;
    this.#tell(`Its namespace ${namespace} cannot be seen: ${refusal.why}`);
    if (clock.now() < Math.max(refusal.since, this.#heardAt) + lostMs) return;
    revoke();
    if (this.#stop !== null) return this.#stopped();
    this.#see(unseenPod(this.#begun, { namespace, why: refusal.why, lostMs }));
  }

  #lookAtLoss(view: PodView): void {
    const { lasted, isFresh, lostMs, container } = this.#ports;
    const loss = lossOf(view, lasted, this.#heardAt);
    if (loss !== null) {
      if (!isFresh()) return;
      this.#remove(0);
      return this.#stop === null ? this.#see(loss) : this.#stopped();
    }
    // What runs beside a helper ends as the cluster sees it, whether the helper answers or not.
    const isSilent = this.#begun && container === null && lasted(this.#heardAt) >= lostMs;
    if (isSilent && view.phase === 'Running' && this.#stop === null && isFresh()) void this.#lookForWord();
  }

  /** An agent that cannot reach the server says so in the log of its container: only one that does not is lost. */
  async #lookForWord(): Promise<void> {
    const { clock, lasted, lostMs, wroteAt, revoke } = this.#ports;
    const now = clock.now();
    if (now < this.#askedAt + askAgainMs) return;
    this.#askedAt = now;
    const at = await wroteAt();
    if (at === null) return;
    this.#wroteAt = at;
    if (this.#isLeft || this.#stop !== null || lasted(this.#heardAt) < lostMs) return;
    revoke();
    this.#endPod(hungAgent(this.#last, lostMs), hungGraceSeconds);
  }

  get #heardAt(): number {
    return Math.max(this.#ports.heardAt(), this.#wroteAt);
  }

  #failureOf(view: PodView): Failed | null {
    const over = failureOf(view, this.#agent);
    if (over !== null) return over;
    if (view.phase === 'Succeeded') return endedWithoutWord(this.#begun);
    const { container, lasted, patience, isFresh } = this.#ports;
    const hasStarted = container === null ? this.#begun : mainOf(view)?.startedAt != null;
    const failure = hasStarted ? null : failureToStart(view, this.#waits.lasted(lasted), patience, this.#agent);
    return failure !== null && isFresh() ? failure : null;
  }

  get #agent(): AgentSide {
    const { container, agentUrl: url } = this.#ports;
    return { container: container === null ? mainContainer : helperContainer, url, hasBegun: this.#begun };
  }

  #lookAtContainer(view: PodView, container: ContainerSide): void {
    const main = mainOf(view);
    if (main?.startedAt != null) container.started();
    if (main?.state === 'terminated') this.#ended.resolve();
    if (this.#stop !== null) return;
    const skip = main?.startedAt == null || this.#isHelperBringing(view) ? null : skipOf(view);
    if (skip !== null)
      this.#end({ kind: 'told', result: { type: 'attempt', outcome: skip, usage: null }, usage: this.#usage });
    else if (this.#result !== null && this.#isWhole(this.#result, main))
      this.#end({ kind: 'told', result: this.#result, usage: this.#usage });
  }

  /** What a helper brings counts beside a container that ended well, or that could not begin: the exit code goes first. */
  #isWhole({ outcome }: AgentResult, main: ContainerView | undefined): boolean {
    if (main?.startedAt == null) return outcome.kind === 'failed' && !this.#isCollected;
    return this.hasSucceeded;
  }

  /** While nobody can see it, it may have ended in time. */
  #lookAtTime(view: PodView, { timeoutMs, graceMs }: ContainerSide): void {
    const { clock, isFresh } = this.#ports;
    if (hasOutlasted(view, timeoutMs, clock.now()) && isFresh()) this.stop('timeout', graceMs);
  }

  /** Of what was not told: what the cluster says of the container. */
  get #usage(): Usage | null {
    return usageOf(this.#last, this.#ports.container?.memoryBytesMax() ?? null);
  }

  #isHelperBringing(view: PodView): boolean {
    return this.#result === null && isHelperBringing(view, this.#ports.lasted);
  }

  /** This server carries it no further: the next one may. */
  leave(): void {
    this.#isOver = true;
    this.#closing.abort();
  }

  #placed(uid: string | null): void {
    this.#isAsking = false;
    this.#uid = uid;
    if (uid !== null) this.#ports.placed(uid);
    this.#placedAt = this.#ports.clock.now();
    if (this.#stop !== null) return this.#remove(this.#stop.graceSeconds);
    const view = this.#ports.seen();
    if (view !== undefined) this.changed(view);
  }

  /** Of its name, and not the one that was made for it. */
  #isOther({ uid }: PodView): boolean {
    return this.#uid !== null && uid !== this.#uid;
  }

  #gone(isReplaced: boolean): void {
    if (this.#placedAt === null || this.#isLeft) return;
    if (this.#stop !== null) return this.#stopped();
    this.#see(goneOutcome(this.#last, isReplaced));
  }

  #stopped(): void {
    if (this.#stop === null) return;
    const { why } = this.#stop;
    if (typeof why !== 'string') return this.#see(why);
    const told = this.#result?.type === 'attempt' ? this.#result.usage : null;
    this.#end({ kind: 'stopped', cause: why, usage: told ?? this.#usage });
  }

  #see(failure: Failed): void {
    this.#end({ kind: 'seen', failed: failure, usage: this.#usage });
  }

  #end(end: PlacementEnd): void {
    if (this.#isLeft) return;
    this.#isOver = true;
    this.#ended.resolve();
    this.#closing.abort();
    const { over, letGo, unmade } = this.#ports;
    void over(end).finally(() => (this.#mayBeThere ? letGo(this.#where) : unmade()));
  }

  get #where(): PodPlace {
    const { namespace, name } = this.#pod;
    return { namespace, name, uid: this.#uid };
  }

  #remove(graceSeconds: number): void {
    this.#ports.reaper.take(this.#where, graceSeconds);
  }

  #tell(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#ports.say(text);
  }
}
