/**
 * Orders, as whoever conducts carries them out. What an order opens and its answer are one commit, so an order that has
 * been given up opens nothing any more, and one that was carried out is never carried out again.
 */
import type { OrderRow, Write } from '../../journal/journal.ts';
import { failure } from '../../std/result.ts';
import { unreachable } from '../../std/unreachable.ts';
import { approveModel } from '../approve-model.ts';
import type { Desk } from '../desk.ts';
import { runManually } from '../triggers/manual-runs.ts';
import { decideCovered } from '../triggers/covered-pushes.ts';
import { readOrder, storedAnswer, type Answer, type Order } from './order.ts';
import { conductorLimits } from '../ports.ts';
import { rerun } from '../triggers/reruns.ts';
import { isSilence } from '../silence.ts';

export class Orders {
  readonly #desk: Desk;
  readonly #answered: (id: string) => void;
  readonly #underWay = new Set<string>();

  /** `answered` is told when an answer may be there. */
  constructor(desk: Desk, answered: (id: string) => void) {
    this.#desk = desk;
    this.#answered = answered;
  }

  async look(): Promise<void> {
    this.take(await this.#desk.ports.journal.openOrders(conductorLimits.requestsPerLookMax));
  }

  isUnderWay(id: string): boolean {
    return this.#underWay.has(id);
  }

  /** They do not wait for each other, but where what they open does. */
  take(rows: readonly OrderRow[]): void {
    for (const row of rows) {
      if (this.#underWay.has(row.id)) continue;
      this.#underWay.add(row.id);
      void this.#carryOut(row).finally(() => {
        this.#underWay.delete(row.id);
        this.#answered(row.id);
      });
    }
  }

  /** Where it fails or waits it stays open, and is seen at the next look. */
  async #carryOut({ id, body }: OrderRow): Promise<void> {
    const { journal, clock, log } = this.#desk.ports;
    const answerWrite = (answer: Answer): Write => {
      return { write: 'order-answered', id, answer: storedAnswer(answer), at: clock.now() };
    };
    const opened = new Set<string>();
    const alongside = (runId: string): Write => {
      opened.add(runId);
      return answerWrite({ ok: true, value: runId });
    };
    try {
      const order = readOrder(body);
      const answer =
        order === null ? failure('the order was written by another version') : await this.#perform(order, alongside);
      if (answer === null) return;
      // What opened something was kept with its answer.
      if (answer.ok && opened.has(answer.value)) return;
      await journal.commit([[answerWrite(answer)]]);
    } catch (error) {
      if (!isSilence(error))
        log.error({ order: id, error: String(error) }, 'an order could not be carried out; it is tried again');
    }
  }

  /** Null: it waits. */
  #perform(order: Order, alongside: (runId: string) => Write): Promise<Answer | null> {
    switch (order.kind) {
      case 'run':
        return runManually(this.#desk, order.run, alongside);
      case 'rerun':
        return rerun(this.#desk, order.rerun, alongside);
      case 'promote':
        return approveModel(this.#desk.ports, order.approval, alongside);
      case 'covered':
        return decideCovered(this.#desk, order.push, alongside);
      default:
        return unreachable(order);
    }
  }
}
