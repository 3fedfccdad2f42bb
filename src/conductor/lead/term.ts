/**
 * One term of office of the server that conducts: the loop of the system, from the moment that the lease was taken until it
 * is let go or lost. All that it remembers (runs, lanes, slots) ends with it, and the next one takes up what the journal says.
 *
 *   webhook ─► intake ─┐                            ┌─► executor ─► reports ─┐
 *   polling ───────────┼─► triggers ─► turns of runs ┤                        ├─► the next turn
 *   clock ─► schedules ┤        (engine, journal)    └─► outbox ─► forge, registry
 *   people ─► orders, backfills ┤
 *   ends, data ─► events ┘
 *
 * What other servers and commands have kept is looked for every few seconds (`news`); a hint only makes it sooner.
 */
import type { SlotsInUse } from '../../admission/admission.ts';
import type { AttemptReport } from '../../executor/executor.ts';
import type { OrderRow, RequestRow } from '../../journal/journal.ts';
import { Backfills } from '../backfills/backfills.ts';
import type { Desk } from '../desk.ts';
import { Events } from '../triggers/events.ts';
import type { HeldUp } from '../triggers/held-up.ts';
import { Intake } from '../triggers/intake.ts';
import { Jobs, partsOf, type Job, type JobOfRepository } from '../jobs.ts';
import { Orders } from '../orders/orders.ts';
import { Outbox } from '../reports/outbox.ts';
import { Polling } from '../triggers/polling.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { Room } from '../room.ts';
import { Schedules } from '../triggers/schedules.ts';
import { isSilence } from '../silence.ts';
import { unreachable } from '../../std/unreachable.ts';
import { Turns, type RunChanged } from '../runs/turns.ts';
import type { Waiting } from '../waits/waits.ts';

export interface TermListener {
  /** Told after every commit of a run. */
  readonly changed: RunChanged;
  /** Told when an order may have its answer. */
  readonly answered: (orderId: string) => void;
}

export class Term {
  readonly #ports: ConductorPorts;
  readonly #room: Room;
  readonly #turns: Turns;
  readonly #orders: Orders;
  readonly #intake: Intake;
  readonly #schedules: Schedules;
  readonly #backfills: Backfills;
  readonly #events: Events;
  readonly #polling: Polling;
  readonly #outbox: Outbox;
  readonly #jobs = new Jobs((job) => this.#perform(job));
  #watches = false;
  #started = false;
  #ended = false;

  /** `heldUp` outlives the term. */
  constructor(ports: ConductorPorts, listener: TermListener, heldUp: HeldUp) {
    this.#ports = ports;
    this.#room = new Room(ports);
    this.#turns = new Turns(ports, this.#room, listener.changed);
    const desk: Desk = {
      ports,
      turns: this.#turns,
      headMoved: (repository) => ports.jobQueue.wake(`schedules:${repository}`),
      hookArrived: (repository) => this.#polling.hookArrived(repository),
    };
    this.#orders = new Orders(desk, listener.answered);
    this.#intake = new Intake(desk);
    this.#schedules = new Schedules(ports, this.#turns, heldUp);
    this.#backfills = new Backfills(ports, this.#turns);
    this.#events = new Events(desk);
    this.#polling = new Polling(desk, this.#intake);
    this.#outbox = new Outbox(ports);
  }

  /** Takes up what was left. `watch` false: runs are carried out, but no trigger starts one. */
  async start({ watch }: { readonly watch: boolean }): Promise<void> {
    await this.#room.look();
    // Nothing is admitted, opened or decided before it is known what runs.
    await this.#turns.recover();
    // What was asked while nobody was up comes before what time alone decides.
    this.#turns.take(await this.#ports.journal.openRequests(conductorLimits.requestsPerLookMax));
    if (this.#ended) return;
    await this.#outbox.begin();
    if (this.#ended) return;
    this.#watches = watch;
    this.#started = true;
    this.#turns.start();
    const { jobQueue, clock, projects } = this.#ports;
    jobQueue.start((jobs) => {
      for (const job of jobs) this.#jobs.ask(job);
      return Promise.resolve();
    });
    jobQueue.wake('news');
    jobQueue.wake('room', clock.now() + conductorLimits.lookForRoomMs);
    jobQueue.wake('outbox');
    jobQueue.wake('runs', clock.now() + conductorLimits.lookAgainMs);
    if (!watch) return;
    this.#backfills.begin();
    this.#events.begin();
    jobQueue.wake('intake');
    jobQueue.wake('retention');
    for (const repository of projects.keys()) {
      jobQueue.wake(`poll:${repository}`);
      jobQueue.wake(`schedules:${repository}`);
    }
  }

  /** Ends the attempts and the loops; resolves when nothing of it runs any more. */
  async end(graceMs?: number): Promise<void> {
    this.#ended = true;
    this.#outbox.stop();
    const { jobQueue, runQueue, executor } = this.#ports;
    const closed = Promise.all([jobQueue.stop(), runQueue.stop(), executor.close(graceMs)]);
    // Nobody hears of looks that end with the executor.
    this.#turns.waits.stop();
    await closed;
    await this.#jobs.settled();
    await this.#outbox.settled();
  }

  async #perform(job: Job): Promise<void> {
    try {
      await this.#job(job);
    } catch (error) {
      if (this.#ended) return;
      if (!isSilence(error)) this.#ports.log.error({ job, error: String(error) }, 'a job failed; it is tried again');
      this.#ports.jobQueue.wake(job, this.#ports.clock.now() + 5000);
    }
  }

  #job(job: Job): Promise<void> {
    switch (job) {
      case 'news':
        return this.#lookForNews();
      case 'room':
        return this.#lookForRoom();
      case 'intake':
        return this.#intake.look();
      case 'outbox':
        return this.#outbox.work();
      case 'ticks':
        return this.#schedules.work();
      case 'backfills':
        return this.#backfills.work();
      case 'events':
        return this.#events.look();
      case 'runs':
        return this.#turns.look();
      case 'waits':
        return this.#turns.waits.work();
      case 'retention':
        return this.#removeOld();
      default:
        return this.#jobOfRepository(job);
    }
  }

  #jobOfRepository(job: JobOfRepository): Promise<void> {
    const [kind, repository] = partsOf(job);
    switch (kind) {
      case 'intake':
        return this.#intake.work(repository);
      case 'events':
        return this.#events.work(repository);
      case 'poll':
        return this.#polling.work(repository);
      case 'schedules':
        return this.#schedules.refresh(repository);
      default:
        return unreachable(kind);
    }
  }

  async #lookForNews(): Promise<void> {
    const { journal, jobQueue, clock } = this.#ports;
    const { deliveries, requests, orders, backfills } = await journal.news();
    if (requests) this.#turns.take(await journal.openRequests(conductorLimits.requestsPerLookMax));
    if (orders) await this.#orders.look();
    if (deliveries && this.#watches) jobQueue.wake('intake');
    if (backfills) jobQueue.wake('backfills');
    jobQueue.wake('news', clock.now() + conductorLimits.lookForNewsMs);
  }

  async #lookForRoom(): Promise<void> {
    const { jobQueue, clock } = this.#ports;
    if (await this.#room.look()) this.#turns.wakeAll();
    jobQueue.wake('room', clock.now() + conductorLimits.lookForRoomMs);
  }

  async #removeOld(): Promise<void> {
    const { retention, jobQueue, clock } = this.#ports;
    if (retention !== null) jobQueue.wake('retention', clock.now() + (await retention.work()));
  }

  /** Why no step is started, in words; null: they are. */
  get lackOfRoom(): string | null {
    return this.#room.lack;
  }

  wake(job: Job): void {
    this.#ports.jobQueue.wake(job);
  }

  /** Backfills are carried on from now on, where nothing else is watched. */
  beginBackfills(): void {
    this.#backfills.begin();
  }

  /** From the executor: what became of an attempt. */
  report(report: AttemptReport): void {
    this.#turns.report(report);
  }

  takeRequest(row: RequestRow): void {
    this.#turns.take([row]);
  }

  /** Before it is known what runs, nothing is opened: the first look for news finds it. */
  takeOrder(row: OrderRow): void {
    if (this.#started) this.#orders.take([row]);
  }

  isUnderWay(orderId: string): boolean {
    return this.#orders.isUnderWay(orderId);
  }

  /** Who holds slots and who waits for them, the executor's first. */
  slotsInUse(): readonly SlotsInUse[] {
    return this.#turns.slotsInUse();
  }

  /** How it stands with the instances of a step that wait for something. */
  waiting(runId: string, step: string): readonly Waiting[] {
    return this.#turns.waits.of(runId, step);
  }

  /** Resolves when what is due in the outbox was carried out, or tried. */
  async outboxSettled(): Promise<void> {
    do {
      this.#jobs.ask('outbox');
      await this.#jobs.settled();
    } while (await this.#outbox.settled());
  }
}
