/**
 * Whose turn it is, in this process. Keys that are woken together are handed out together, so that their commits share
 * one transaction; a key whose turn is under way gets another one after it. Nothing waits in one long timer: Node fires
 * those above 24.8 days at once, and a clock that is set would be missed, so the time is looked at again each minute.
 *
 *   wake ─► later ──(due)──► ready ──► busy ──► gone
 *                              ▲         │
 *                              └─ again ◄┘ woken meanwhile
 */
import type { Clock } from '../std/clock.ts';
import type { TakeTurn, Timer, WakeQueue } from './queue.ts';

export const systemTimer: Timer = {
  after(delayMs, call) {
    if (delayMs <= 0) {
      const immediate = setImmediate(call);
      return () => clearImmediate(immediate);
    }
    const timeout = setTimeout(call, delayMs);
    return () => clearTimeout(timeout);
  },
};

export interface MemoryQueueOptions {
  readonly clock: Clock;
  readonly timer?: Timer;
  /** Hears of a turn that threw. Its keys are not woken by themselves: whoever wants that wakes them here. */
  readonly onError: (error: unknown, keys: readonly string[]) => void;
}

export const memoryQueueLimits = { pollMs: 60_000, keysPerTurnMax: 256, turnsTogetherMax: 16 } as const;

type State<Key extends string> =
  | { readonly kind: 'new' }
  | { readonly kind: 'started'; readonly turn: TakeTurn<Key> }
  | { readonly kind: 'stopped' };

export class MemoryQueue<Key extends string = string> implements WakeQueue<Key> {
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #onError: MemoryQueueOptions['onError'];
  #state: State<Key> = { kind: 'new' };
  /** When each is due; the earliest of the asked times. */
  readonly #later = new Map<Key, number>();
  #earliest = Number.POSITIVE_INFINITY;
  /** To be handed out; never a busy one. */
  readonly #ready = new Set<Key>();
  readonly #busy = new Set<Key>();
  /** Busy ones that were woken. */
  readonly #again = new Set<Key>();
  readonly #turns = new Set<Promise<void>>();
  #armed: { readonly at: number; readonly cancel: () => void } | null = null;

  constructor({ clock, timer, onError }: MemoryQueueOptions) {
    this.#clock = clock;
    this.#timer = timer ?? systemTimer;
    this.#onError = onError;
  }

  /** The earliest of several times counts: a turn finds out itself when it wants the next. */
  wake(key: Key, at?: number): void {
    if (this.#state.kind === 'stopped') return;
    if (at === undefined || at <= this.#clock.now()) this.#wakeNow(key);
    else if (!this.#ready.has(key) && at < (this.#later.get(key) ?? Number.POSITIVE_INFINITY)) {
      this.#later.set(key, at);
      this.#earliest = Math.min(this.#earliest, at);
    }
    this.#arm();
  }

  start(turn: TakeTurn<Key>): void {
    if (this.#state.kind !== 'new') throw new Error('a queue starts once');
    this.#state = { kind: 'started', turn };
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#state = { kind: 'stopped' };
    this.#disarm();
    await Promise.all(this.#turns);
  }

  #wakeNow(key: Key): void {
    this.#later.delete(key);
    if (this.#busy.has(key)) this.#again.add(key);
    else this.#ready.add(key);
  }

  /** One timer at a time, for the next thing there is to do. */
  #arm(): void {
    if (this.#state.kind !== 'started') return;
    const now = this.#clock.now();
    const full = this.#turns.size >= memoryQueueLimits.turnsTogetherMax;
    const handOut = this.#ready.size > 0 && !full;
    if (!handOut && this.#later.size === 0) return;
    const delayMs = handOut ? 0 : Math.min(Math.max(this.#earliest - now, 1), memoryQueueLimits.pollMs);
    // A clock that was set forward makes a sleeping timer look due: what is ready does not wait for it.
    const at = handOut ? Number.NEGATIVE_INFINITY : now + delayMs;
    if (this.#armed !== null && this.#armed.at <= at) return;
    this.#disarm();
    this.#armed = { at, cancel: this.#timer.after(delayMs, () => this.#look()) };
  }

  #disarm(): void {
    this.#armed?.cancel();
    this.#armed = null;
  }

  #look(): void {
    this.#armed = null;
    if (this.#state.kind !== 'started') return;
    this.#collectDue();
    while (this.#ready.size > 0 && this.#turns.size < memoryQueueLimits.turnsTogetherMax) {
      this.#handOut(this.#state.turn, [...this.#ready].slice(0, memoryQueueLimits.keysPerTurnMax));
    }
    this.#arm();
  }

  #collectDue(): void {
    const now = this.#clock.now();
    if (now < this.#earliest) return;
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#later) {
      if (at <= now) this.#wakeNow(key);
      else this.#earliest = Math.min(this.#earliest, at);
    }
  }

  #handOut(turn: TakeTurn<Key>, first: readonly Key[]): void {
    const keys = new Set<Key>();
    const join = (key: Key): boolean => {
      if (this.#busy.has(key)) {
        this.#again.add(key);
        return false;
      }
      this.#later.delete(key);
      this.#ready.delete(key);
      this.#busy.add(key);
      keys.add(key);
      return true;
    };
    for (const key of first) join(key);
    const ended = this.#take(turn, first, join).finally(() => {
      this.#turns.delete(ended);
      for (const key of keys) {
        this.#busy.delete(key);
        if (this.#again.delete(key)) this.#ready.add(key);
      }
      this.#arm();
    });
    this.#turns.add(ended);
  }

  async #take(turn: TakeTurn<Key>, keys: readonly Key[], join: (key: Key) => boolean): Promise<void> {
    try {
      await turn(keys, join);
    } catch (error) {
      this.#onError(error, keys);
    }
  }
}
