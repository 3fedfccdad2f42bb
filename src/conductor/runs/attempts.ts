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

export class Attempts {
  readonly #ports: ConductorPorts;
  readonly #report: (report: AttemptReport) => void;
  readonly #looked: (id: string, look: CacheLook) => void;
  readonly #cache: StepCache;
  /** On their way to the executor, with the stop that came meanwhile. */
  readonly #placing = new Map<string, StopCause | null>();
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
    this.#placing.set(id, null);
    this.#begin(run, key, id)
      .catch((error: unknown) => this.#end(id, failed('start', messageOfError(error))))
      .finally(() => this.#placing.delete(id));
  }

  /** Stops what a cancelled or timed out run has running. */
  stopAll(run: Run): void {
    for (const { cause, graceMs, ...key } of attemptsToStop(run)) {
      const id = attemptId(run.opened.runId, key);
      if (this.#stopping.has(id)) continue;
      this.#stopping.add(id);
      // An executor does not know yet what is on its way: it is stopped when it has arrived.
      if (this.#placing.has(id)) this.#placing.set(id, cause);
      else this.#stop(run.opened.runId, id, cause, graceMs);
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

  async #begin(run: Run, key: AttemptKey, id: string): Promise<void> {
    const { projects, executor, pools } = this.#ports;
    const step = run.steps.get(key.step);
    const mistake = step === undefined ? null : poolMistake(pools, step.definition);
    if (mistake !== null) return this.#end(id, failed('invalid', mistake));
    const project = projects.get(run.opened.repository);
    if (project === undefined) {
      const message = `the repository ${run.opened.repository} is no longer in the configuration`;
      return this.#end(id, failed('invalid', message));
    }
    const prepared = await prepareAttempt(run, key, project.registry);
    if (!prepared.ok) return this.#end(id, failed(prepared.error.cause, prepared.error.message));
    const cached = await this.#cache.lookUp(project, run, key, prepared.value);
    if (cached !== null) this.#looked(id, cached.look);
    if (cached !== null && cached.output !== null)
      return this.#end(id, { kind: 'succeeded', output: cached.output, control: null });
    const stopped = this.#placing.get(id) ?? null;
    if (stopped !== null) return this.#end(id, failed(stopped, 'the run was stopped before it began'));
    await executor.start(prepared.value);
    const stop = this.#placing.get(id) ?? null;
    if (stop !== null) this.#stop(run.opened.runId, id, stop, prepared.value.graceMs);
  }

  #end(id: string, outcome: AttemptOutcome): void {
    this.#report({ type: 'finished', attemptId: id, at: this.#ports.clock.now(), outcome, usage: null });
  }
}

function failed(cause: FailureCause, message: string): AttemptOutcome {
  return { kind: 'failed', cause, message, exitCode: null };
}
