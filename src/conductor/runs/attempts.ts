/**
 * What the journal says of attempts, carried out: placed with the executor, stopped. Both are harmless the second time,
 * so whoever is not sure whether it was done does it again.
 */
import { poolMistake } from '../../admission/admission.ts';
import { attemptsToStop } from '../../engine/engine.ts';
import type { AttemptKey, AttemptOutcome, CacheLook, FailureCause } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import { attemptId, type AttemptReport } from '../../executor/executor.ts';
import { prepareAttempt } from './attempt-spec.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { StepCache } from './step-cache.ts';
import { messageOfError } from '../../std/error-message.ts';

type StopCause = 'cancelled' | 'timeout';

/** An attempt on its way to the executor. */
interface Placing {
  /** The stop that came meanwhile. */
  stop: StopCause | null;
  /** The executor is being told of it. */
  isHandedOver: boolean;
}

export class Attempts {
  readonly #ports: ConductorPorts;
  readonly #report: (report: AttemptReport) => void;
  readonly #looked: (id: string, look: CacheLook) => void;
  readonly #cache: StepCache;
  readonly #placing = new Map<string, Placing>();
  /** Warned already; forgotten when they have ended. */
  readonly #stopping = new Set<string>();

  /** What ends before an executor has it is reported like everything else; `looked` hears of a cache before that. */
  constructor(
    ports: ConductorPorts,
    report: (report: AttemptReport) => void,
    looked: (id: string, look: CacheLook) => void,
  ) {
    this.#ports = ports;
    this.#report = report;
    this.#looked = looked;
    this.#cache = new StepCache(ports);
  }

  place(run: Run, key: AttemptKey): void {
    const id = attemptId(run.opened.runId, key);
    const placing: Placing = { stop: null, isHandedOver: false };
    this.#placing.set(id, placing);
    void this.#begin(run, key, id, placing);
  }

  /** Stops what a cancelled or timed out run has running. */
  stopAll(run: Run): void {
    for (const { cause, graceMs, ...key } of attemptsToStop(run)) {
      const id = attemptId(run.opened.runId, key);
      if (this.#stopping.has(id)) continue;
      this.#stopping.add(id);
      const placing = this.#placing.get(id);
      if (placing === undefined) {
        this.#stop(run.opened.runId, id, cause, graceMs);
        continue;
      }
      // What the executor is being told of, it may not know yet: that is stopped when it has arrived.
      placing.stop = cause;
      if (!placing.isHandedOver) this.#end(id, failed(cause, 'the run was stopped before it began'));
    }
  }

  #stop(runId: string, id: string, cause: StopCause, graceMs: number): void {
    this.#ports.executor.stop(id, cause, graceMs).catch((error: unknown) => {
      this.#stopping.delete(id);
      this.#ports.log.error({ attempt: id, error: String(error) }, 'an attempt could not be stopped');
      this.#ports.runQueue.wake(runId, this.#ports.clock.now() + conductorLimits.turnAgainMs);
    });
  }

  ended(id: string): void {
    this.#stopping.delete(id);
  }

  async #begin(run: Run, key: AttemptKey, id: string, placing: Placing): Promise<void> {
    const outcome = await this.#handOver(run, key, id, placing).catch((error: unknown) =>
      failed('start', messageOfError(error)),
    );
    if (outcome !== null && (placing.stop === null || placing.isHandedOver)) this.#end(id, outcome);
    this.#placing.delete(id);
  }

  /** What it ended with before an executor had it. */
  async #handOver(run: Run, key: AttemptKey, id: string, placing: Placing): Promise<AttemptOutcome | null> {
    const { projects, executor, pools } = this.#ports;
    const step = run.steps.get(key.step);
    const mistake = step === undefined ? null : poolMistake(pools, step.definition);
    if (mistake !== null) return failed('invalid', mistake);
    const project = projects.get(run.opened.repository);
    if (project === undefined)
      return failed('invalid', `the repository ${run.opened.repository} is no longer in the configuration`);
    const prepared = await prepareAttempt(run, key, project.registry);
    if (!prepared.ok) return failed(prepared.error.cause, prepared.error.message);
    const cached = await this.#cache.lookUp(project, run, key, prepared.value);
    if (cached !== null && placing.stop === null) this.#looked(id, cached.look);
    if (cached !== null && cached.output !== null) return { kind: 'succeeded', output: cached.output, control: null };
    if (placing.stop !== null) return null;
    placing.isHandedOver = true;
    await executor.start(prepared.value);
    if (placing.stop !== null) this.#stop(run.opened.runId, id, placing.stop, prepared.value.graceMs);
    return null;
  }

  #end(id: string, outcome: AttemptOutcome): void {
    this.#report({ type: 'finished', attemptId: id, at: this.#ports.clock.now(), outcome, usage: null });
  }
}

function failed(cause: FailureCause, message: string): AttemptOutcome {
  return { kind: 'failed', cause, message, exitCode: null };
}
