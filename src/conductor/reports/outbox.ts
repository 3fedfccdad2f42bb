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
import { Trouble } from '../trouble.ts';

const refusedText =
  'not delivered, like all others that are refused so; mended, they are tried again by themselves, ever more rarely, and at the next start';

export class Outbox {
  readonly #ports: ConductorPorts;
  /** By key: whom it is for. */
  readonly #underWay = new Map<string, string>();
  readonly #beside = new Set<Promise<void>>();
  /** Behind this row the next look begins: all before it wait for room in these lanes. */
  #passed: { readonly after: OutboxRow; readonly lanes: ReadonlySet<string> } | null = null;
  /** By key: of which run the last report told, and when. Forgotten when another run may tell. */
  readonly #told = new Map<string, { readonly runId: string; readonly at: number; readonly lane: string }>();
  readonly #refusals = new Trouble();
  #stopped = false;

  constructor(ports: ConductorPorts) {
    this.#ports = ports;
  }

  /** Begins nothing more; what is due stays so for the next server. */
  stop(): void {
    this.#stopped = true;
  }

  /** What was refused may have been mended since: a new token needs a new start. */
  async begin(): Promise<void> {
    const { journal, clock } = this.#ports;
    const now = clock.now();
    const late = (await journal.troubledOutbox(conductorLimits.troubledAtStartMax)).filter(
      ({ dueAt }) => dueAt !== null && dueAt > now,
    );
    const writes = late.map(({ key, sequence, error }): Write => ({
      write: 'outbox-failed',
      key,
      sequence,
      at: now,
      error: error ?? '',
      dueAt: now,
    }));
    if (writes.length > 0) await journal.commit(writes.map((write) => [write]));
  }

  /** Begins what is due, different keys together, and asks to be woken for the rest. */
  async work(): Promise<void> {
    const { journal, clock, jobQueue } = this.#ports;
    let now = clock.now();
    this.#forgetTold(now);
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

  /** Whether there was any to begin, however much waits before it for someone who hangs. */
  async #beginDue(now: number): Promise<boolean> {
    for (;;) {
      const passed = this.#passed;
      const due = await this.#ports.journal.dueOutbox(now, conductorLimits.outboxPageMax, passed?.after);
      if (due.filter((row) => this.#begin(row)).length > 0) return true;
      const last = due.at(-1);
      if (last === undefined || due.length < conductorLimits.outboxPageMax) return false;
      // Unless one of them has found room meanwhile.
      if (this.#passed === passed)
        this.#passed = { after: last, lanes: new Set([...(passed?.lanes ?? []), ...due.map(laneOf)]) };
    }
  }

  /** False where it is under way, or has to wait for others of its lane, or for the next run to replace it. */
  #begin(row: OutboxRow): boolean {
    const lane = laneOf(row);
    const underWay = [...this.#underWay.values()].filter((each) => each === lane).length;
    if (this.#underWay.has(row.key) || underWay >= atOnceMax(row) || this.#rests(row)) return false;
    const carried = this.#carryTold(row, lane).finally(() => this.#beside.delete(carried));
    this.#beside.add(carried);
    return true;
  }

  /** Of a burst of runs that end one after the other and report in the same place, the last is told and not each. */
  #rests({ key, body }: OutboxRow): boolean {
    const told = this.#told.get(key);
    if (told === undefined || typeof body['runId'] !== 'string' || body['runId'] === told.runId) return false;
    this.#ports.jobQueue.wake('outbox', told.at + conductorLimits.reportDebounceMs);
    return true;
  }

  #forgetTold(now: number): void {
    for (const [key, { at, lane }] of this.#told) {
      // A clock that was set back makes nobody wait.
      if (at <= now && now < at + conductorLimits.reportDebounceMs) continue;
      this.#told.delete(key);
      if (this.#passed?.lanes.has(lane) === true) this.#passed = null;
    }
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
      const performed = await this.#perform(row).catch((error: unknown): Carried => ({
        retry: messageOfError(error),
        retryAt: null,
      }));
      const carried = 'early' in performed ? whileEarly(performed.early, row) : performed;
      const results = await this.#ports.journal.commit([this.#resultWrites(row, carried)]);
      this.#tell(row, carried, results[0]);
      const { runId } = row.body;
      if ('done' in carried && typeof runId === 'string')
        this.#told.set(row.key, { runId, at: this.#ports.clock.now(), lane });
    } finally {
      this.#underWay.delete(row.key);
      if (this.#passed?.lanes.has(lane) === true) this.#passed = null;
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

  #resultWrites(row: OutboxRow, carried: Settled): readonly Write[] {
    const at = this.#ports.clock.now();
    const { key, sequence } = row;
    if ('done' in carried) return [{ write: 'outbox-done', key, sequence, at }, ...carried.done];
    if ('givenUp' in carried)
      return [{ write: 'outbox-failed', key, sequence, at, error: carried.givenUp, dueAt: null }];
    if ('refused' in carried) {
      // As long again as it has waited: what nobody ever mends is asked for a dozen times in a week, and takes no room from others.
      const dueAt = at + Math.max(conductorLimits.outboxBackoffMaxMs, at - row.at);
      return [{ write: 'outbox-failed', key, sequence, at, error: carried.refused, dueAt }];
    }
    const wait = Math.min(
      conductorLimits.outboxBackoffMaxMs,
      conductorLimits.outboxBackoffFirstMs * 2 ** Math.min(row.attempts, 20),
    );
    const dueAt = carried.retryAt ?? at + wait;
    return [{ write: 'outbox-failed', key, sequence, at, error: carried.retry, dueAt }, ...(carried.writes ?? [])];
  }

  /** A row that was replaced meanwhile (`changed`) is due again by itself. */
  #tell(row: OutboxRow, carried: Settled, result: CommitResult | undefined): void {
    if (result?.ok !== true) return;
    const { log } = this.#ports;
    const { key } = row;
    const refusals = JSON.stringify([row.kind, row.body['repository']]);
    if ('done' in carried) this.#refusals.end(refusals);
    else if ('givenUp' in carried) log.error({ key, error: carried.givenUp }, 'not delivered, and not tried again');
    else if ('refused' in carried) {
      const isSaid = !this.#refusals.meet(refusals, carried.refused, 0).isNews || row.error === carried.refused;
      if (!isSaid) log.error({ key, error: carried.refused }, refusedText);
    } else if (row.attempts === 0) log.warn({ key, error: carried.retry }, 'not delivered; it is tried again');
  }
}

type Settled = Exclude<Carried, { readonly early: string }>;

/** By then some minutes have passed. */
function whileEarly(early: string, { attempts }: OutboxRow): Settled {
  return attempts < conductorLimits.earlyTriesMax ? { retry: early, retryAt: null } : { givenUp: early };
}

/** Whom it is for. What strangers ask for keeps nothing else waiting. */
function laneOf({ kind, body }: OutboxRow): string {
  if (kind === 'notify') return JSON.stringify({ channel: body['channel'] });
  const { repository } = body;
  return JSON.stringify(isOfFork(body) ? { repository, fork: true } : { repository });
}

function atOnceMax({ body }: OutboxRow): number {
  return isOfFork(body) ? conductorLimits.forksAtOnceMax : conductorLimits.outboxAtOnceMax;
}

function isOfFork(body: OutboxRow['body']): boolean {
  return body['fork'] === true;
}
