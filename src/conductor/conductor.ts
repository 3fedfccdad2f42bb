/**
 * What the rest of the system knows of the loop. Of several servers on one database one conducts, for a term of office
 * (term.ts), under a lease (lease.ts); the others stand by. To whoever asks they are all the same: what is asked is a row
 * of the journal before it is answered, and whoever conducts takes it up.
 *
 *   asked here ─► a row of the journal ─┬─ this server conducts ─► its term, at once
 *                                       └─ another one does ─────► a hint, and its next look for news
 *
 * Every server may be ended at any moment: what is true stands in the journal.
 */
import { whyWaiting, type SlotsInUse } from '../admission/admission.ts';
import type { RunRequest } from '../engine/request.ts';
import type { AttemptReport } from '../executor/executor.ts';
import type { Delivery } from '../forge/forge.ts';
import type { BackfillProgress, DataEventRow, LeasePlace, RequestRow } from '../journal/journal.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { success, type Result } from '../std/result.ts';
import type { ModelApproval } from './approve-model.ts';
import type { PlannedInterval } from './backfills/backfill-plan.ts';
import { cancelBackfill } from './backfills/backfills.ts';
import type { Refusal } from './decisions.ts';
import { Lease, type TermOfOffice } from './lead/lease.ts';
import { makeBackfill, planBackfill, type BackfillRequest } from './backfills/make-backfill.ts';
import { HeldUp } from './triggers/held-up.ts';
import type { ManualRun } from './triggers/manual-runs.ts';
import { Ordering } from './orders/ordering.ts';
import type { ServerPorts } from './ports.ts';
import { askIn } from './requests.ts';
import type { Rerun } from './triggers/reruns.ts';
import { isJob, type Job } from './jobs.ts';
import { readSaid, saidOf } from './said.ts';
import { Silence } from './silence.ts';
import { storedEvent } from './stored.ts';
import { Term } from './lead/term.ts';
import { tellData, type Telling } from './runs/told.ts';
import type { RunChanged } from './runs/turns.ts';
import { underLease } from './lead/under-lease.ts';
import type { Waiting } from './waits/waits.ts';

/** After a lost lease little time is left for a warning. */
const graceWhenLostMs = 1000;

/** Who conducts, as this server knows it. */
export interface Standing {
  /** This server does, and has taken up what was left. */
  readonly conducts: boolean;
  /** Null: nobody that this server knows of. */
  readonly conductor: (LeasePlace & { readonly since: number; readonly epoch: number }) | null;
}

export class Conductor {
  readonly #ports: ServerPorts;
  readonly #lease: Lease;
  readonly #ordering: Ordering;
  readonly #listeners = new Set<RunChanged>();
  #term: { readonly term: Term; readonly epoch: number; readonly since: number; begun: boolean } | null = null;
  #heldUp = new HeldUp();
  #watches = false;
  #carriesBackfills = false;
  #unlisten: () => void = () => undefined;

  constructor(given: ServerPorts) {
    const journal = new Silence(given.log, given.clock).heard(given.journal);
    const ports = { ...given, journal };
    this.#ports = ports;
    this.#lease = new Lease(ports, {
      begin: (office) => this.#begin(office),
      end: (why) => this.#end(why),
      say: () => saidOf(this.slotsInUse(), this.lackOfRoom()),
    });
    this.#ordering = new Ordering({
      ...ports,
      told: (row) => (this.#term === null ? ports.journal.hint('news') : this.#term.term.takeOrder(row)),
      isUnderWay: (id) => this.#term?.term.isUnderWay(id) === true,
    });
  }

  /**
   * Takes part: conducts as soon as nobody else does. Resolves when it is known who conducts and, where it is this server,
   * when it has taken up what was left. `watch` false: runs are carried out, but no trigger starts one.
   */
  async start({ watch }: { readonly watch: boolean }): Promise<void> {
    this.#watches = watch;
    this.#unlisten = this.#ports.journal.listen((word) => this.#hear(word));
    await this.#lease.start();
  }

  /** Ends what runs here, and lets another server conduct. */
  async stop(): Promise<void> {
    this.#unlisten();
    await this.#lease.stop();
    this.#ordering.stop();
  }

  async #begin(office: TermOfOffice): Promise<void> {
    const { openExecutor, openQueue, clock } = this.#ports;
    this.#holdUp(office);
    const executor = openExecutor((report) => term.report(report), office.trusted);
    const ports = { ...this.#ports, executor, runQueue: openQueue(), jobQueue: openQueue<Job>() };
    const listener = {
      changed: (runId: string, ended: boolean): void => this.#changed(runId, ended),
      answered: (orderId: string): void => {
        this.#ordering.answered(orderId);
        this.#ports.journal.hint(`order:${orderId}`);
      },
    };
    const term: Term = new Term(underLease(ports, office), listener, this.#heldUp);
    const own = { term, epoch: office.epoch, since: clock.now(), begun: false };
    this.#term = own;
    if (this.#carriesBackfills) term.beginBackfills();
    await term.start({ watch: this.#watches });
    own.begun = true;
  }

  /** Where nobody conducted for want of the database, ticks were held up; where another server did, they were its own. */
  #holdUp({ cutOffMs }: TermOfOffice): void {
    if (cutOffMs === null) this.#heldUp = new HeldUp();
    else {
      const since = this.#ports.clock.now() - cutOffMs;
      for (const repository of this.#ports.projects.keys()) this.#heldUp.beginAll(repository, since);
    }
  }

  async #end(why: 'stopped' | 'lost'): Promise<void> {
    const ended = this.#term;
    this.#term = null;
    await (why === 'lost' ? ended?.term.end(graceWhenLostMs) : ended?.term.end());
  }

  #hear(word: string): void {
    const [kind, id] = splitOnce(word);
    if (kind === 'lease') this.#lease.look();
    else if (kind === 'run') this.#tell(id, false);
    else if (kind === 'order') this.#ordering.answered(id);
    else if (isJob(word)) this.#term?.term.wake(word);
  }

  /** For the one who conducts: at once where that is this server, else by a hint. */
  #wake(job: Job): void {
    if (this.#term === null) this.#ports.journal.hint(job);
    else this.#term.term.wake(job);
  }

  standing(): Standing {
    if (this.#term !== null) {
      const { epoch, since, begun } = this.#term;
      return { conducts: begun, conductor: { ...this.#ports.place(), since, epoch } };
    }
    const { seen } = this.#lease;
    if (seen === null) return { conducts: false, conductor: null };
    return { conducts: false, conductor: { ...seen.place, since: seen.takenAt, epoch: seen.epoch } };
  }

  /** From the executor: what became of an attempt. */
  report(report: AttemptReport): void {
    this.#term?.term.report(report);
  }

  /** Keeps a webhook; resolves when it is durable, and its work comes later. */
  async receive(repository: string, delivery: Delivery): Promise<'accepted' | 'duplicate'> {
    this.#ports.compiler.wake();
    const at = this.#ports.clock.now();
    const { id, name, semanticKey } = delivery;
    const body = storedEvent(delivery.event);
    const [result] = await this.#ports.journal.commit([
      [{ write: 'delivery', id, repository, event: name, semanticKey, body, at }],
    ]);
    if (result?.ok !== true) {
      // A branch may come back to where it was, which looks the same: the repository itself tells.
      this.#wake(`poll:${repository}`);
      return 'duplicate';
    }
    this.#wake(`intake:${repository}`);
    return 'accepted';
  }

  runManually(run: ManualRun): Promise<Result<string, Problem | string>> {
    return this.#ordering.place({ kind: 'run', run });
  }

  /** A run once more, whole or from the middle. */
  rerun(again: Rerun): Promise<Result<string, Problem | string>> {
    return this.#ordering.place({ kind: 'rerun', rerun: again });
  }

  /** A person's word on a model that was reported; gives the id of its run when the promotion is kept. */
  promote(approval: ModelApproval): Promise<Result<string, Problem | string>> {
    return this.#ordering.place({ kind: 'promote', approval });
  }

  /** What `startBackfill` would make now. */
  async planBackfill(request: BackfillRequest): Promise<Result<readonly PlannedInterval[], Problem | string>> {
    const plan = await planBackfill(this.#ports, request);
    return plan.ok ? success(plan.value.intervals) : plan;
  }

  /** It is durable when this resolves, and opens its runs from then on. */
  async startBackfill(request: BackfillRequest): Promise<Result<BackfillProgress, Problem | string>> {
    const made = await makeBackfill(this.#ports, request);
    this.#carriesBackfills = true;
    this.#term?.term.beginBackfills();
    this.#wake('backfills');
    return made;
  }

  async cancelBackfill(id: string, by: string): Promise<'accepted' | 'ended'> {
    const cancelled = await cancelBackfill(this.#ports.journal, id, by, this.#ports.clock.now());
    this.#wake('backfills');
    return cancelled;
  }

  /** That data have changed; it is durable when this resolves, and opens runs from then on. */
  async tellData(telling: Telling): Promise<DataEventRow> {
    const told = await tellData(this.#ports.journal, telling, this.#ports.clock.now());
    this.#wake('events');
    return told;
  }

  /** Asks something of a run; it is durable when this resolves. Where it rejects, it may have been kept all the same. */
  async ask(runId: string, request: RunRequest): Promise<Result<RequestRow, Refusal>> {
    const { journal, clock, newId } = this.#ports;
    const asked = await askIn(journal, { id: newId(), runId, request, at: clock.now() });
    if (!asked.ok) return asked;
    if (this.#term === null) journal.hint('news');
    else this.#term.term.takeRequest(asked.value);
    return asked;
  }

  /** Who holds slots and who waits for them, the executor's first; of another server, as it said a few seconds ago. */
  slotsInUse(): readonly SlotsInUse[] {
    if (this.#term !== null) return this.#term.term.slotsInUse();
    const { seen } = this.#lease;
    return seen === null ? [] : readSaid(seen.said).slots;
  }

  /** Why no step is started, in words; null: they are. */
  lackOfRoom(): string | null {
    if (this.#term !== null) return this.#term.term.lackOfRoom;
    const { seen } = this.#lease;
    return seen === null ? null : readSaid(seen.said).lack;
  }

  /** Why ready instances of a step wait; null where they are about to start. */
  whyWaiting(step: StepDefinition): string | null {
    return this.lackOfRoom() ?? whyWaiting(step, this.slotsInUse());
  }

  /** How it stands with the instances of a step that wait for something, as far as this server looks for it. */
  waiting(runId: string, step: string): readonly Waiting[] {
    return this.#term?.term.waiting(runId, step) ?? [];
  }

  /** Resolves when what is due in the outbox was carried out, or tried, where this server conducts. */
  async outboxSettled(): Promise<void> {
    await this.#term?.term.outboxSettled();
  }

  /**
   * Called after every commit of any run here, and by a hint elsewhere, which may be lost and says nothing of an end; gives
   * the function that ends it.
   */
  watch(listener: RunChanged): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(runId: string, ended: boolean): void {
    this.#tell(runId, ended);
    this.#ports.journal.hint(`run:${runId}`);
  }

  /** Who only watches must not be able to harm what is watched. */
  #tell(runId: string, ended: boolean): void {
    for (const listener of this.#listeners) {
      try {
        listener(runId, ended);
      } catch (error) {
        this.#ports.log.error({ run: runId, error: String(error) }, 'a listener threw');
      }
    }
  }
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
