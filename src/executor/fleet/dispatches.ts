/**
 * All that this server has given to the fleet, attempts and looks alike. A chart of each:
 *
 *   waiting ──► begun ──► over
 *      └──────────┴───────►     by its agent's word, by a stop, by an agent that is not heard any more
 *
 * What waits is sent to its queue, and again every few seconds: Redis may forget it, and a worker may die with it. A stop of
 * what has begun goes to its agent, and is over when that says so. An agent that is not heard for long is given up, with
 * all that it may still say.
 */
import {
  failed,
  type Began,
  type Placed,
  type PlacedListener,
  type PlacementEnd,
  type Placing,
  type StopCause,
} from '../desk/placing.ts';
import type { AgentResult, AgentTask } from '../agent/contract.ts';
import type { AttemptSpec } from '../executor.ts';
import type { Desk } from '../desk/desk.ts';
import type { LogStore } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import { formatDuration } from '../../std/duration.ts';
import type { Errand, ErrandQueues } from './jobs.ts';

export interface DispatchesOptions {
  readonly desk: Desk;
  readonly queues: ErrandQueues;
  readonly logs: LogStore;
  readonly clock: Clock;
  /** Of steps that name none. */
  readonly queue: string;
  /** Until a worker must have begun it. */
  readonly startMs: number;
  /** Until an agent that says nothing is given up. */
  readonly lostMs: number;
  /** Whether this server surely conducts at this moment. */
  readonly trusted: () => boolean;
  readonly trouble: (error: unknown, what: string) => void;
}

const limits = {
  tickMs: 1000,
  /** Between two times that what waits is sent. */
  resendMs: 5000,
  /** Until the log says what it waits for. */
  sayMs: 10_000,
  /** A server that was held up for so long has heard nobody in that time. */
  pausedMs: 5000,
} as const;

export class Dispatches implements Placing {
  readonly runsImages = false;
  readonly #options: DispatchesOptions;
  readonly #dispatches = new Map<string, Dispatch>();
  readonly #ticker: NodeJS.Timeout;
  #tickedAt: number;
  #sentAt = 0;
  #isSending = false;
  #sending: NodeJS.Immediate | null = null;
  readonly #unsent = new Set<Dispatch>();
  /** Why it could not be sent, since it was last sent. */
  #told = '';

  constructor(options: DispatchesOptions) {
    this.#options = options;
    this.#tickedAt = options.clock.now();
    this.#ticker = setInterval(() => this.#tick(), limits.tickMs);
  }

  get(id: string): Dispatch | undefined {
    return this.#dispatches.get(id);
  }

  settled(spec: AttemptSpec): AttemptSpec {
    return spec;
  }

  place(id: string, task: AgentTask, began: Began | null, listener: PlacedListener): Dispatch {
    const { desk, queue, clock } = this.#options;
    const dispatch: Dispatch = new Dispatch(
      { id, isLook: task.type === 'look' },
      task.spec.queue ?? queue,
      {
        options: this.#options,
        startMs: task.spec.startMs ?? this.#options.startMs,
        send: () => this.#sendSoon(dispatch),
        over: (end) => {
          this.#dispatches.delete(id);
          this.#unsent.delete(dispatch);
          return listener.over(end, () => Promise.resolve(true));
        },
      },
      task.spec.attemptId,
      began !== null,
    );
    this.#dispatches.set(id, dispatch);
    dispatch.token = desk.open({
      id,
      log: task.spec.attemptId,
      task,
      begun: began,
      listener: {
        begin: (agent, linesBefore, place) => {
          if (dispatch.isOver) return false;
          const now = { agent, linesBefore, place: place ?? `a worker of ${dispatch.queue}`, at: clock.now() };
          listener.keep(now);
          dispatch.begin();
          this.#unsent.delete(dispatch);
          listener.begun(now);
          return true;
        },
        result: (result) => dispatch.told(result),
        // Of helpers alone, which no worker is.
        ended: () => Promise.resolve(),
        collect: () => Promise.resolve({ lastLine: null, mayHaveMore: false, hasSucceeded: false }),
      },
    });
    return dispatch;
  }

  recover(id: string, _task: AgentTask, end: PlacementEnd | null): void {
    this.#dispatches.get(id)?.recover(end);
  }

  /** Nothing is looked for in the fleet: what an agent of something else says is refused at the desk. */
  knowsAll(): void {
    this.#sentAt = 0;
  }

  forget(): void {
    // Nothing of a dispatch is left when it is over.
  }

  retire(): void {
    for (const dispatch of this.#dispatches.values()) if (!dispatch.isLook) dispatch.leave();
  }

  async leave(): Promise<void> {
    clearInterval(this.#ticker);
    if (this.#sending !== null) clearImmediate(this.#sending);
    for (const dispatch of this.#dispatches.values()) dispatch.leave();
    await this.#options.queues.close();
  }

  #tick(): void {
    if (!this.#options.trusted()) return;
    const now = this.#options.clock.now();
    const heldMs = now - this.#tickedAt - limits.tickMs;
    this.#tickedAt = now;
    for (const dispatch of this.#dispatches.values()) {
      if (heldMs > limits.pausedMs) dispatch.forgive(now);
      dispatch.look(now);
    }
    if (now - this.#sentAt < limits.resendMs) return;
    const waiting = [...this.#dispatches.values()].filter((dispatch) => dispatch.isWaiting);
    for (const dispatch of waiting) this.#unsent.add(dispatch);
    if (waiting.length > 0) void this.#send();
  }

  /** Those of one moment go together. */
  #sendSoon(dispatch: Dispatch): void {
    this.#unsent.add(dispatch);
    this.#sending ??= setImmediate(() => {
      this.#sending = null;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sentAt = this.#options.clock.now();
    try {
      while (this.#unsent.size > 0) {
        const dispatches = [...this.#unsent];
        this.#unsent.clear();
        const byQueue = Map.groupBy(dispatches, ({ queue }) => queue);
        await Promise.all([...byQueue].map(([queue, those]) => this.#sendTo(queue, those)));
      }
      this.#told = '';
    } catch (error) {
      // What waits is sent at the next tick.
      this.#sentAt = 0;
      if (String(error) === this.#told) return;
      this.#told = String(error);
      this.#options.trouble(error, 'steps could not be sent to workers; it is tried again');
    } finally {
      this.#isSending = false;
    }
  }

  async #sendTo(queue: string, dispatches: readonly Dispatch[]): Promise<void> {
    const { queues } = this.#options;
    const errands = dispatches
      .filter(({ isWaiting }) => isWaiting)
      .map((dispatch): Errand => ({ id: dispatch.id, token: dispatch.token }));
    if (errands.length > 0) await queues.send(queue, errands);
  }
}

interface DispatchPorts {
  readonly options: DispatchesOptions;
  /** Until a worker must have begun it. */
  readonly startMs: number;
  readonly send: () => void;
  readonly over: (end: PlacementEnd) => Promise<void>;
}

/** One attempt or look. */
class Dispatch implements Placed {
  readonly id: string;
  readonly isLook: boolean;
  readonly queue: string;
  token = '';
  readonly #ports: DispatchPorts;
  readonly #log: string;
  readonly #placedAt: number;
  /** Since when its agent may be heard. */
  #since: number;
  #isAsked = false;
  #begun: boolean;
  #isOver = false;
  #stop: StopCause | null = null;
  /** What is told of its wait, or was. */
  #telling: 'nothing' | 'wait' | 'end' = 'nothing';

  constructor(
    { id, isLook }: Pick<Dispatch, 'id' | 'isLook'>,
    queue: string,
    ports: DispatchPorts,
    log: string,
    begun: boolean,
  ) {
    this.id = id;
    this.isLook = isLook;
    this.queue = queue;
    this.#ports = ports;
    this.#log = log;
    this.#begun = begun;
    this.#placedAt = ports.options.clock.now();
    this.#since = this.#placedAt;
  }

  /** A worker is wanted for it. */
  get isWaiting(): boolean {
    return this.#isAsked && !this.#begun && !this.#isOver;
  }

  async ask(): Promise<void> {
    this.#isAsked = true;
    if (this.isWaiting) this.#ports.send();
  }

  /** What has begun goes on until its agent is heard, or not heard for long; what has not is sent again. */
  recover(end: PlacementEnd | null): void {
    if (end !== null) this.#end(end);
    else if (!this.#begun) void this.ask();
  }

  /** What has not begun does not begin any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  begin(): void {
    this.#begun = true;
    this.#since = this.#ports.options.clock.now();
  }

  told(result: AgentResult): void {
    if (this.#stop !== null) {
      const usage = result.type === 'attempt' ? result.usage : null;
      return this.#end({ kind: 'stopped', cause: this.#stop, usage });
    }
    const { outcome } = result;
    // Nobody here asked it to end: its worker was told to.
    if (outcome.kind === 'failed' && outcome.cause === 'cancelled')
      return this.#end({ kind: 'seen', failed: failed('evicted', 'its worker was stopped'), usage: null });
    this.#end({ kind: 'told', result, usage: null });
  }

  stop(cause: StopCause, graceMs: number): void {
    if (this.#isOver) return;
    this.#stop ??= cause;
    const { desk, queues, trouble } = this.#ports.options;
    if (this.#begun) return desk.stop(this.id, graceMs);
    this.#end({ kind: 'stopped', cause: this.#stop, usage: null });
    queues
      .withdraw(this.queue, this.id)
      .catch((error: unknown) => trouble(error, 'a job could not be taken back; its worker is refused'));
  }

  /** Nobody was heard until now, whoever spoke. */
  forgive(now: number): void {
    this.#since = now;
  }

  look(now: number): void {
    if (this.#isOver) return;
    const { startMs, options } = this.#ports;
    const { desk, lostMs } = options;
    if (!this.#begun) return this.#lookForWorker(now - this.#placedAt, startMs);
    const heardAt = Math.max(this.#since, desk.heardAt(this.id) ?? 0);
    if (now - heardAt <= lostMs) return;
    if (this.#stop !== null) return this.#end({ kind: 'stopped', cause: this.#stop, usage: null });
    const message = `nothing was heard of its worker for ${formatDuration(lostMs)}: it died, or cannot reach the server`;
    this.#end({ kind: 'seen', failed: failed('lost', message), usage: null });
  }

  /** This server carries it no further: the next one may. */
  leave(): void {
    this.#isOver = true;
  }

  #lookForWorker(waitedMs: number, startMs: number): void {
    if (!this.#isAsked) return;
    if (waitedMs > startMs) void this.#giveUpWaiting(startMs);
    else if (waitedMs >= limits.sayMs) void this.#tellWait();
  }

  async #tellWait(): Promise<void> {
    if (this.#telling !== 'nothing') return;
    this.#telling = 'wait';
    const line = `It waits for a worker of the queue "${this.queue}" (${await this.#workersKnown()}).\n`;
    if (this.isWaiting) this.#ports.options.logs.writer(this.#log).write('contender', line);
  }

  async #giveUpWaiting(startMs: number): Promise<void> {
    if (this.#telling === 'end') return;
    this.#telling = 'end';
    const message = `no worker of the queue "${this.queue}" has begun it in ${formatDuration(startMs)} (${await this.#workersKnown()}). Start one: contender worker --queue ${this.queue}`;
    if (this.isWaiting) this.#end({ kind: 'seen', failed: failed('start', message), usage: null });
  }

  /** Asked when somebody is told of it: Redis goes through all its connections for the answer. */
  #workersKnown(): Promise<string> {
    return this.#ports.options.queues.workers(this.queue).then(
      (count) => `workers that serve it: ${count}`,
      () => 'Redis does not answer',
    );
  }

  #end(end: PlacementEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#ports.over(end);
  }
}
