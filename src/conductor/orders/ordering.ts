/**
 * Orders, as whoever asks sees them: kept as a row, carried out by whichever server conducts, and waited for. One that has
 * no answer in time is given up by an answer of its own, so that nothing of it begins after somebody was told that it did not.
 */
import type { Journal, OrderRow } from '../../journal/journal.ts';
import type { Timer } from '../../queue/queue.ts';
import type { Clock } from '../../std/clock.ts';
import { failure } from '../../std/result.ts';
import { readAnswer, storedAnswer, storedOrder, type Answer, type Order } from './order.ts';

const orderingLimits = {
  /** Longer than it takes another server to notice that nobody conducts, and to take that over. */
  patienceMs: 30_000,
  lookMs: 1000,
} as const;

export interface OrderingPorts {
  readonly journal: Pick<Journal, 'commit' | 'order'>;
  readonly clock: Clock;
  readonly stopwatch: Clock;
  readonly timer: Timer;
  readonly newId: () => string;
  /** Whoever conducts is told. */
  readonly told: (row: OrderRow) => void;
  /** This server carries it out at this moment, in its own time. */
  readonly isUnderWay: (id: string) => boolean;
}

export class Ordering {
  readonly #ports: OrderingPorts;
  readonly #waiting = new Map<string, () => void>();
  #stopped = false;

  constructor(ports: OrderingPorts) {
    this.#ports = ports;
  }

  /** Where it rejects, the order may have been kept all the same. */
  async place(order: Order): Promise<Answer> {
    const { journal, clock, newId, told } = this.#ports;
    const row: OrderRow = { id: newId(), body: storedOrder(order), at: clock.now(), answer: null };
    await journal.commit([[{ write: 'order', id: row.id, body: row.body, at: row.at }]]);
    told(row);
    return this.#answerTo(row.id);
  }

  /** An answer may be there. */
  answered(id: string): void {
    this.#waiting.get(id)?.();
  }

  /** Nobody waits any more; what is kept is carried out all the same. */
  stop(): void {
    this.#stopped = true;
    for (const done of this.#waiting.values()) done();
  }

  async #answerTo(id: string): Promise<Answer> {
    const { stopwatch, isUnderWay } = this.#ports;
    let until = stopwatch.now() + orderingLimits.patienceMs;
    for (;;) {
      await this.#change(id);
      if (this.#stopped)
        throw new Error('this server stops before there is an answer; what was asked may be done all the same');
      const answer = await this.#look(id);
      if (answer !== null) return answer;
      if (isUnderWay(id)) until = stopwatch.now() + orderingLimits.patienceMs;
      if (stopwatch.now() >= until) await this.#giveUp(id);
    }
  }

  async #look(id: string): Promise<Answer | null> {
    // A database that does not answer now is asked again.
    const row = await this.#ports.journal.order(id).catch(() => null);
    return row === null || row.answer === null ? null : readAnswer(row.answer);
  }

  async #giveUp(id: string): Promise<void> {
    const { journal, clock } = this.#ports;
    const answer = storedAnswer(failure('no server has taken it up in time; nothing was started, so ask again'));
    // Where there is an answer meanwhile, that one stands.
    await journal.commit([[{ write: 'order-answered', id, answer, at: clock.now() }]]);
  }

  #change(id: string): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        takeBack();
        this.#waiting.delete(id);
        resolve();
      };
      const takeBack = this.#ports.timer.after(orderingLimits.lookMs, done);
      this.#waiting.set(id, done);
    });
  }
}
