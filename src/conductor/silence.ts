/**
 * A journal that does not answer. Whoever asks it meanwhile fails and tries again: fifty runs, each of them every second.
 * That is one state of affairs, so it is said when it begins, when its reason changes and when it is over, and whoever
 * failed for nothing else says no more (`isSilence`).
 */
import { JournalMistake, LeaseLost, type Journal } from '../journal/journal.ts';
import type { Clock } from '../std/clock.ts';
import { messageOfError } from '../std/error-message.ts';
import type { ConductorLog } from './ports.ts';

const silenceLimits = {
  /** It is over when nothing has failed for so long: a database that fails now and then is one trouble, not many. */
  quietMs: 5000,
  reasonAgainMs: 1000,
  reasonsMax: 10,
} as const;

class JournalSilent extends Error {
  constructor(cause: unknown) {
    super(messageOfError(cause), { cause });
    this.name = cause instanceof Error ? cause.name : 'Error';
  }
}

/** Whether somebody failed for want of the journal, or of the lease, and of nothing else: that has been said. */
export function isSilence(error: unknown): boolean {
  return error instanceof JournalSilent || error instanceof LeaseLost;
}

interface Silent {
  readonly since: number;
  readonly reasons: Set<string>;
  saidAt: number;
  failedAt: number;
  failures: number;
}

export class Silence {
  readonly #log: ConductorLog;
  readonly #clock: Clock;
  #silent: Silent | null = null;

  constructor(log: ConductorLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The same journal, whose silence is noticed. */
  heard(journal: Journal): Journal {
    return new Proxy(journal, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...asked: readonly unknown[]): unknown => {
          const answer: unknown = Reflect.apply(method, target, asked);
          return answer instanceof Promise ? this.#hear(answer) : answer;
        };
      },
    });
  }

  async #hear(answer: Promise<unknown>): Promise<unknown> {
    try {
      const heard = await answer;
      this.#answered();
      return heard;
    } catch (error) {
      if (error instanceof LeaseLost || error instanceof JournalMistake) throw error;
      this.#failed(messageOfError(error));
      throw new JournalSilent(error);
    }
  }

  #failed(reason: string): void {
    const now = this.#clock.now();
    this.#silent ??= { since: now, reasons: new Set(), saidAt: Number.NEGATIVE_INFINITY, failedAt: now, failures: 0 };
    const silent = this.#silent;
    silent.failedAt = now;
    silent.failures += 1;
    // Numbers of transactions, ports and processes make no other reason.
    const alike = reason.replaceAll(/\d+/g, '#');
    if (silent.reasons.has(alike) || silent.reasons.size >= silenceLimits.reasonsMax) return;
    if (Math.abs(now - silent.saidAt) < silenceLimits.reasonAgainMs) return;
    silent.reasons.add(alike);
    silent.saidAt = now;
    const message =
      'the journal does not answer; all is tried again until it does. See that its database runs and its disk has room';
    this.#log.error({ error: reason }, message);
  }

  #answered(): void {
    const silent = this.#silent;
    if (silent === null) return;
    const now = this.#clock.now();
    // The clock was set back: it counts from now.
    silent.failedAt = Math.min(silent.failedAt, now);
    if (now - silent.failedAt < silenceLimits.quietMs) return;
    this.#silent = null;
    const { since, failures } = silent;
    const message = 'the journal answers again; there is nothing to do';
    this.#log.info({ since: new Date(since).toISOString(), failures }, message);
  }
}
