/**
 * Carries out what commits asked for: statuses, check runs, comments, promotions, notifications. Each row is carried out at
 * least once and is harmless the second time; what fails comes again later, with growing distance, and is shown until it is
 * done. Whoever is told or asked may be slow to answer, so each row is carried out beside the others, and so many of one
 * repository or channel at once that a flood of them is none.
 */
import type { CommitResult, OutboxRow, Write } from '../../journal/journal.ts';
import type { Carried } from './carried.ts';
import { promote, settle } from '../promotion.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { isSilence } from '../silence.ts';
import { sendNotice } from './send-notice.ts';
import { sendCheckRun, sendComment, sendStatus } from './send-report.ts';
import { messageOfError } from '../../std/error-message.ts';

export class Outbox {
  readonly #ports: ConductorPorts;
  /** By key: whom it is for. */
  readonly #underWay = new Map<string, string>();
  readonly #beside = new Set<Promise<void>>();
  #stopped = false;

  constructor(ports: ConductorPorts) {
    this.#ports = ports;
  }

  /** Begins nothing more; what is due stays so for the next server. */
  stop(): void {
    this.#stopped = true;
  }

  /** Begins what is due, different keys together, and asks to be woken for the rest. */
  async work(): Promise<void> {
    const { journal, clock, jobQueue } = this.#ports;
    let now = clock.now();
    while (!this.#stopped && (await this.#beginDue(now))) now = clock.now();
    // What is due already is under way or has no place: the end of what is under way asks for it.
    const next = await journal.nextOutboxAt(now);
    const lookAt = now + conductorLimits.lookAgainMs;
    jobQueue.wake('outbox', next === null ? lookAt : Math.min(next, lookAt));
  }

  /** Resolves when what nothing waits for has ended too; says whether there was any, after which more may be due. */
  async settled(): Promise<boolean> {
    const wasBusy = this.#beside.size > 0;
    while (this.#beside.size > 0) await Promise.all(this.#beside);
    return wasBusy;
  }

  /** Whether there was any to begin. */
  async #beginDue(now: number): Promise<boolean> {
    const limit = conductorLimits.outboxPageMax + this.#underWay.size;
    const due = await this.#ports.journal.dueOutbox(now, limit);
    return due.filter((row) => this.#begin(row)).length > 0;
  }

  /** False where it is under way, or has to wait for others of its lane. */
  #begin(row: OutboxRow): boolean {
    const lane = laneOf(row);
    const underWay = [...this.#underWay.values()].filter((each) => each === lane).length;
    if (this.#underWay.has(row.key) || underWay >= conductorLimits.outboxAtOnceMax) return false;
    const carried = this.#carryTold(row, lane).finally(() => this.#beside.delete(carried));
    this.#beside.add(carried);
    return true;
  }

  async #carryTold(row: OutboxRow, lane: string): Promise<void> {
    const { log, jobQueue, clock } = this.#ports;
    try {
      await this.#carry(row, lane);
      jobQueue.wake('outbox');
    } catch (error) {
      if (this.#stopped) return;
      if (!isSilence(error))
        log.error({ key: row.key, error: String(error) }, 'what became of a report could not be kept');
      jobQueue.wake('outbox', clock.now() + conductorLimits.turnAgainMs);
    }
  }

  async #carry(row: OutboxRow, lane: string): Promise<void> {
    this.#underWay.set(row.key, lane);
    try {
      const carried = await this.#perform(row).catch((error: unknown): Carried => ({
        retry: messageOfError(error),
        retryAt: null,
      }));
      const results = await this.#ports.journal.commit([this.#resultWrites(row, carried)]);
      this.#tell(row, carried, results[0]);
    } finally {
      this.#underWay.delete(row.key);
    }
  }

  #perform(row: OutboxRow): Promise<Carried> {
    switch (row.kind) {
      case 'status':
        return sendStatus(this.#ports, row);
      case 'check':
        return sendCheckRun(this.#ports, row);
      case 'comment':
        return sendComment(this.#ports, row);
      case 'notify':
        return sendNotice(this.#ports, row);
      case 'settle':
        return settle(this.#ports, row);
      case 'promote':
        return promote(this.#ports, row);
      default:
        return Promise.resolve({ done: [] });
    }
  }

  #resultWrites(row: OutboxRow, carried: Carried): readonly Write[] {
    const at = this.#ports.clock.now();
    const { key, sequence } = row;
    if ('done' in carried) return [{ write: 'outbox-done', key, sequence, at }, ...carried.done];
    if ('givenUp' in carried)
      return [{ write: 'outbox-failed', key, sequence, at, error: carried.givenUp, dueAt: null }];
    const wait = Math.min(
      conductorLimits.outboxBackoffMaxMs,
      conductorLimits.outboxBackoffFirstMs * 2 ** Math.min(row.attempts, 20),
    );
    return [{ write: 'outbox-failed', key, sequence, at, error: carried.retry, dueAt: carried.retryAt ?? at + wait }];
  }

  /** A row that was replaced meanwhile (`changed`) is due again by itself. */
  #tell(row: OutboxRow, carried: Carried, result: CommitResult | undefined): void {
    if (result?.ok !== true || 'done' in carried) return;
    if ('givenUp' in carried)
      this.#ports.log.error({ key: row.key, error: carried.givenUp }, 'not delivered, and not tried again');
    else if (row.attempts === 0)
      this.#ports.log.warn({ key: row.key, error: carried.retry }, 'not delivered; it is tried again');
  }
}

/** Whom it is for. */
function laneOf({ kind, body }: OutboxRow): string {
  return JSON.stringify(kind === 'notify' ? { channel: body['channel'] } : { repository: body['repository'] });
}
