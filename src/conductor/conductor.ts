/**
 * The loop of the system; it holds no rule of its own.
 *
 *   webhook ─► intake ─┐                            ┌─► executor ─► reports ─┐
 *   polling ───────────┼─► triggers ─► turns of runs ┤                        ├─► the next turn
 *   clock ─► schedules ┤        (engine, journal)    └─► outbox ─► forge, registry
 *   people ─► backfills ┤
 *   ends, data ─► events ┘
 *
 * Every part may be ended at any moment: what is true stands in the journal, and `start` takes it up again.
 */
import { whyWaiting, type SlotsInUse } from '../admission/admission.ts';
import type { RunRequest } from '../engine/request.ts';
import type { AttemptReport } from '../executor/executor.ts';
import type { Delivery } from '../forge/forge.ts';
import type { Sha } from '../git/git.ts';
import type { BackfillProgress, DataEventRow, RequestRow } from '../journal/journal.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { failure, success, type Result } from '../std/result.ts';
import type { PlannedInterval } from './backfill-plan.ts';
import { Backfills, type BackfillRequest } from './backfills.ts';
import type { Refusal } from './decisions.ts';
import type { Desk } from './desk.ts';
import { Events } from './events.ts';
import { Intake } from './intake.ts';
import { Jobs } from './jobs.ts';
import { Outbox } from './outbox.ts';
import { Polling } from './polling.ts';
import { conductorLimits, type ConductorPorts } from './ports.ts';
import { Requests } from './requests.ts';
import { rerun, type Rerun } from './reruns.ts';
import { Schedules } from './schedules.ts';
import { storedEvent } from './stored.ts';
import { tellData, type Telling } from './told.ts';
import { openRun, parameterProblem, parseParameters } from './triggers.ts';
import { Turns } from './turns.ts';
import { pipelineOf, versionsOf } from './versions.ts';

export interface ManualRun {
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: Sha;
  readonly actor: string;
  /** Milliseconds; null: now. */
  readonly logicalDate: number | null;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** Makes the same request twice one run. */
  readonly key: string;
}

export class Conductor {
  readonly #ports: ConductorPorts;
  readonly #turns: Turns;
  readonly #requests: Requests;
  readonly #desk: Desk;
  readonly #intake: Intake;
  readonly #schedules: Schedules;
  readonly #backfills: Backfills;
  readonly #events: Events;
  readonly #polling: Polling;
  readonly #outbox: Outbox;
  readonly #jobs = new Jobs((name) => this.#perform(name));
  readonly #listeners = new Set<(runId: string) => void>();
  readonly #recovered = Promise.withResolvers<void>();

  constructor(ports: ConductorPorts) {
    this.#ports = ports;
    const headMoved = (repository: string): void => ports.jobQueue.wake(`schedules:${repository}`);
    this.#turns = new Turns(ports, (runId) => this.#tell(runId));
    this.#requests = new Requests(ports, this.#turns);
    const desk = { ports, turns: this.#turns, headMoved };
    this.#desk = desk;
    this.#intake = new Intake(desk);
    this.#schedules = new Schedules(ports, this.#turns);
    this.#backfills = new Backfills(ports, this.#turns);
    this.#events = new Events(desk);
    this.#polling = new Polling(desk, this.#intake);
    this.#outbox = new Outbox(ports);
  }

  /** Takes up what an earlier server left. `watch` false: runs are carried out, but no trigger starts one. */
  async start({ watch }: { readonly watch: boolean }): Promise<void> {
    // Nothing is admitted, opened or decided before it is known what runs.
    await this.#turns.recover();
    // What was asked while nobody was up comes before what time alone decides.
    await this.#requests.look();
    this.#recovered.resolve();
    this.#turns.start();
    this.#ports.jobQueue.start((names) => {
      for (const name of names) this.#jobs.ask(name);
      return Promise.resolve();
    });
    this.#ports.jobQueue.wake('outbox');
    this.#ports.jobQueue.wake('runs', this.#ports.clock.now() + conductorLimits.lookAgainMs);
    if (!watch) return;
    this.#backfills.begin();
    this.#events.begin();
    this.#ports.jobQueue.wake('intake');
    for (const repository of this.#ports.projects.keys()) {
      this.#ports.jobQueue.wake(`poll:${repository}`);
      this.#ports.jobQueue.wake(`schedules:${repository}`);
    }
  }

  /** Ends the loops; running attempts are the executor's to end. */
  async stop(): Promise<void> {
    this.#outbox.stop();
    await Promise.all([this.#ports.jobQueue.stop(), this.#ports.runQueue.stop()]);
    await this.#jobs.settled();
  }

  async #perform(name: string): Promise<void> {
    try {
      await this.#job(name);
    } catch (error) {
      this.#ports.log.error({ job: name, error: String(error) }, 'a job failed; it is tried again');
      this.#ports.jobQueue.wake(name, this.#ports.clock.now() + 5000);
    }
  }

  #job(key: string): Promise<void> {
    if (key === 'intake') return this.#intake.work();
    if (key === 'outbox') return this.#outbox.work();
    if (key === 'ticks') return this.#schedules.work();
    if (key === 'backfills') return this.#backfills.work();
    if (key === 'events') return this.#events.work();
    if (key === 'runs') return this.#turns.look();
    if (key === 'requests') return this.#requests.look();
    const [kind, repository] = splitOnce(key);
    return kind === 'poll' ? this.#polling.work(repository) : this.#schedules.refresh(repository);
  }

  /** From the executor: what became of an attempt. */
  report(report: AttemptReport): void {
    this.#turns.report(report);
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
    this.#polling.hookArrived(repository);
    if (result?.ok !== true) {
      // A branch may come back to where it was, which looks the same: the repository itself tells.
      this.#ports.jobQueue.wake(`poll:${repository}`);
      return 'duplicate';
    }
    this.#ports.jobQueue.wake('intake');
    return 'accepted';
  }

  async runManually(request: ManualRun): Promise<Result<string, Problem | string>> {
    await this.#recovered.promise;
    const project = this.#ports.projects.get(request.repository);
    if (project === undefined) return failure(`the repository ${request.repository} is not in the configuration`);
    const versions = await versionsOf(this.#ports, project, request.sha);
    if (!versions.ok) return versions;
    const found = pipelineOf(versions.value, request.pipeline, request.sha);
    if (!found.ok) return found;
    const { definition, digest } = found.value;
    const parameters = parseParameters(definition.parameters, request.parameters);
    if (!parameters.ok) return failure(parameterProblem(definition.parameters, request.parameters, parameters.error));
    const logicalDate = request.logicalDate ?? this.#ports.clock.now();
    const opened = await openRun(this.#ports, this.#turns, {
      key: `manual:${request.repository}:${request.pipeline}:${request.key}`,
      repository: request.repository,
      sha: request.sha,
      trigger: { kind: 'manual', actor: request.actor },
      definition,
      digest,
      logicalDate,
      dataIntervalEnd: logicalDate,
      parameters: parameters.value,
      alongside: null,
      reused: [],
    });
    return 'skipped' in opened ? failure(opened.skipped) : success(opened.runId);
  }

  /** What `startBackfill` would make now. */
  planBackfill(request: BackfillRequest): Promise<Result<readonly PlannedInterval[], Problem | string>> {
    return this.#backfills.plan(request);
  }

  /** It is durable when this resolves, and opens its runs from then on. */
  async startBackfill(request: BackfillRequest): Promise<Result<BackfillProgress, Problem | string>> {
    await this.#recovered.promise;
    return this.#backfills.make(request);
  }

  cancelBackfill(id: string, by: string): Promise<'accepted' | 'ended'> {
    return this.#backfills.cancel(id, by);
  }

  /** That data have changed; it is durable when this resolves, and opens runs from then on. */
  async tellData(telling: Telling): Promise<DataEventRow> {
    const told = await tellData(this.#ports.journal, telling, this.#ports.clock.now());
    this.#ports.jobQueue.wake('events');
    return told;
  }

  /** Asks something of a run; it is durable when this resolves. Where it rejects, it may have been kept all the same. */
  ask(runId: string, request: RunRequest): Promise<Result<RequestRow, Refusal>> {
    return this.#requests.ask(runId, request);
  }

  /** A run once more, whole or from the middle. */
  async rerun(request: Rerun): Promise<Result<string, Problem | string>> {
    await this.#recovered.promise;
    return rerun(this.#desk, request);
  }

  /** Who holds slots and who waits for them, the executor's first. */
  slotsInUse(): readonly SlotsInUse[] {
    return this.#turns.slotsInUse();
  }

  /** Why ready instances of a step wait; null where they are about to start. */
  whyWaiting(step: StepDefinition): string | null {
    return whyWaiting(step, this.#turns.slotsInUse());
  }

  /** Resolves when what is due in the outbox was carried out, or tried. */
  async outboxSettled(): Promise<void> {
    this.#jobs.ask('outbox');
    await this.#jobs.settled();
  }

  /** Called after every commit of any run; gives the function that ends it. */
  watch(listener: (runId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Who only watches must not be able to harm what is watched. */
  #tell(runId: string): void {
    for (const listener of this.#listeners) {
      try {
        listener(runId);
      } catch (error) {
        this.#ports.log.error({ run: runId, error: String(error) }, 'a listener threw');
      }
    }
  }
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  return [text.slice(0, at), text.slice(at + 1)];
}
