/**
 * Which of several servers conducts: the one that has the lease. Its row expires by the database's clock; its holder
 * trusts it for a shorter time, on a clock of its own that only runs, counted from before it asked. So a holder that
 * hears nothing of the database has ended its attempts before anybody else may begin one. One that was frozen meanwhile
 * is refused by the epoch, in the same transaction as whatever it would keep.
 *
 *   stands by ──(free or expired)──► takes it ──► conducts, renews it ──┬─ is stopped ──► lets it go
 *       ▲                                                               └─ loses it, or hears nothing in time
 *       └────────────── its attempts ended, its memory dropped ◄────────────────────────────┘
 */
import type { Journal, LeasePlace, LeaseRow } from '../../journal/journal.ts';
import type { Timer } from '../../queue/queue.ts';
import type { Clock } from '../../std/clock.ts';
import type { JsonObject } from '../../std/json.ts';
import type { ConductorLog } from '../ports.ts';

const leaseLimits = {
  lastsMs: 15_000,
  /** What is left until it expires is for ending the attempts. */
  trustMs: 12_000,
  renewMs: 5000,
  /** After a renewal without an answer. */
  renewAgainMs: 1000,
  /** Who stands by looks this often. */
  lookMs: 2000,
} as const;

export interface LeasePorts {
  readonly journal: Pick<Journal, 'alone' | 'lease' | 'takeLease' | 'renewLease' | 'releaseLease' | 'hint'>;
  /** Never set, forwards or backwards: it only runs. */
  readonly stopwatch: Clock;
  readonly timer: Timer;
  readonly log: ConductorLog;
  readonly place: () => LeasePlace;
}

/** What is done with the lease. `end` is called once for each `begin`, also for one that has not resolved or has rejected. */
export interface Office {
  begin(term: TermOfOffice): Promise<void>;
  /** Resolves when nothing of the term runs any more. */
  end(why: 'stopped' | 'lost'): Promise<void>;
  /** What others can read of it. */
  say(): JsonObject;
}

export interface TermOfOffice {
  readonly epoch: number;
  /** How long, until it was taken, this server was there and nobody could be seen to have it; null: it was not so. */
  readonly cutOffMs: number | null;
  /**
   * Whether the lease is surely held at this moment, also while the term is being stopped; asked before each thing that is
   * done to the world. Once it is not, the term is over.
   */
  readonly trusted: () => boolean;
  /** It turned out to be another's. */
  readonly lost: () => void;
}

interface Held extends TermOfOffice {
  begun: boolean;
  trustedUntil: number;
  ended: 'stopped' | 'lost' | null;
  /** Takes back what waits to be done for it, by name. */
  readonly waiting: Map<'trust' | 'renewal' | 'retry', () => void>;
  readonly over: PromiseWithResolvers<void>;
}

export class Lease {
  readonly #ports: LeasePorts;
  readonly #office: Office;
  readonly #known = Promise.withResolvers<void>();
  #loop: Promise<void> | null = null;
  #held: Held | null = null;
  #seen: LeaseRow | null = null;
  /** Said once, until it changes. */
  #trouble: string | null = null;
  /** By the stopwatch: since when this server does not conduct, or see who does, for want of the database. */
  #cutOffSince: number | null = null;
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(ports: LeasePorts, office: Office) {
    this.#ports = ports;
    this.#office = office;
  }

  /** Resolves when it is known who conducts; where it is this server, when its term has begun. Rejects where that fails. */
  start(): Promise<void> {
    this.#loop ??= this.#run();
    return this.#known.promise;
  }

  /** Ends the term, and lets the lease go. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    if (this.#held !== null) this.#end(this.#held, 'stopped');
    await this.#loop;
  }

  /** As it was seen last; null: by nobody, or not yet. */
  get seen(): LeaseRow | null {
    return this.#seen;
  }

  /** The lease may be free: to be looked at now. */
  look(): void {
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const held = await this.#take();
        if (held !== null) await this.#hold(held);
        this.#known.resolve();
        this.#trouble = null;
      } catch (error) {
        this.#known.reject(error);
        this.#cutOffSince ??= this.#ports.stopwatch.now();
        if (this.#trouble !== String(error))
          this.#ports.log.error({ error: String(error) }, 'the lease could not be looked after; it is tried again');
        this.#trouble = String(error);
      }
      if (!this.#stopped) await this.#pause(leaseLimits.lookMs);
    }
    this.#known.resolve();
  }

  /** Null: somebody else has it. */
  async #take(): Promise<Held | null> {
    const { journal, stopwatch, place, log } = this.#ports;
    const before = this.#seen;
    this.#seen = await journal.lease();
    if (this.#seen !== null && this.#seen.expiresInMs > 0 && !journal.alone) {
      const { epoch, place: holder } = this.#seen;
      this.#cutOffSince = null;
      if (before?.epoch !== epoch) log.info({ ...holder }, 'another server conducts; this one stands by');
      return null;
    }
    const askedAt = stopwatch.now();
    const epoch = await journal.takeLease(place(), leaseLimits.lastsMs);
    if (epoch === null) return null;
    const over = Promise.withResolvers<void>();
    const held: Held = {
      epoch,
      cutOffMs: this.#cutOffSince === null ? null : askedAt - this.#cutOffSince,
      waiting: new Map(),
      begun: false,
      trustedUntil: journal.alone ? Number.POSITIVE_INFINITY : askedAt + leaseLimits.trustMs,
      ended: null,
      over,
      trusted: () => {
        const isInTime = stopwatch.now() < held.trustedUntil;
        // Whoever hears it leaves something undone, for the next term to take up.
        if (!isInTime) this.#end(held, 'lost');
        return isInTime && held.ended !== 'lost';
      },
      lost: () => this.#end(held, 'lost'),
    };
    return held;
  }

  async #hold(held: Held): Promise<void> {
    const { journal, log } = this.#ports;
    this.#held = held;
    this.#mindTrust(held);
    if (!journal.alone) this.#renewLater(held, leaseLimits.renewMs);
    if (this.#stopped) this.#end(held, 'stopped');
    try {
      const begun = this.#office.begin(held).then(() => this.#began(held));
      await Promise.race([begun, held.over.promise]);
      // What goes wrong with a beginning that is over already is nobody's.
      begun.catch(() => undefined);
      await held.over.promise;
    } finally {
      this.#end(held, 'lost');
      if (held.ended === 'lost') this.#cutOffSince ??= this.#ports.stopwatch.now();
      await this.#office.end(held.ended ?? 'lost');
      this.#held = null;
      if (held.begun && held.ended === 'lost')
        log.warn({ epoch: held.epoch }, 'this server conducts no more; it has let go of its attempts');
      await this.#release(held);
    }
  }

  #began(held: Held): void {
    if (held.ended !== null) return;
    held.begun = true;
    this.#cutOffSince = null;
    this.#known.resolve();
    this.#ports.log.info({ epoch: held.epoch }, 'this server conducts');
  }

  #end(held: Held, why: 'stopped' | 'lost'): void {
    held.ended ??= why;
    for (const takeBack of held.waiting.values()) takeBack();
    held.waiting.clear();
    held.over.resolve();
  }

  async #release({ epoch }: Held): Promise<void> {
    const { journal } = this.#ports;
    const released = journal.releaseLease(epoch).then(
      () => journal.hint('lease'),
      () => undefined,
    );
    // Without an answer it expires by itself.
    await Promise.race([released, this.#pause(leaseLimits.lookMs)]);
    this.#wake();
  }

  #mindTrust(held: Held): void {
    const leftMs = held.trustedUntil - this.#ports.stopwatch.now();
    if (held.ended !== null || leftMs === Number.POSITIVE_INFINITY) return;
    if (leftMs <= 0) return this.#end(held, 'lost');
    this.#later(held, 'trust', leftMs, () => this.#mindTrust(held));
  }

  #renewLater(held: Held, ms: number): void {
    this.#later(held, 'renewal', ms, () => {
      // The next one does not wait for the answer to this one, which may never come.
      this.#renewLater(held, leaseLimits.renewMs);
      void this.#renew(held);
    });
  }

  async #renew(held: Held): Promise<void> {
    const { journal, stopwatch } = this.#ports;
    const askedAt = stopwatch.now();
    try {
      const renewed = await journal.renewLease(held.epoch, leaseLimits.lastsMs, this.#office.say());
      if (!renewed) return this.#end(held, 'lost');
      held.trustedUntil = Math.max(held.trustedUntil, askedAt + leaseLimits.trustMs);
    } catch {
      this.#later(held, 'retry', leaseLimits.renewAgainMs, () => {
        if (held.trustedUntil <= askedAt + leaseLimits.trustMs) void this.#renew(held);
      });
    }
  }

  #later(held: Held, name: 'trust' | 'renewal' | 'retry', ms: number, call: () => void): void {
    held.waiting.get(name)?.();
    if (held.ended === null) held.waiting.set(name, this.#ports.timer.after(ms, call));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const takeBack = this.#ports.timer.after(ms, resolve);
      this.#wake = (): void => {
        takeBack();
        resolve();
      };
    });
  }
}
