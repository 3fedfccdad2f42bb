/** One look at a subject, wherever it lies: in the journal, where steps run, or outside. */
import { firstTriggerOf, type StepState } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { Executor } from '../../executor/executor.ts';
import type { Journal, RunRow } from '../../journal/journal.ts';
import type { Sensors } from '../../sensors/sensors.ts';
import type { SeenRun, Seen, Subject } from './awaited.ts';
import { readRun } from '../read.ts';

export interface SightPorts {
  readonly journal: Journal;
  readonly executor: Pick<Executor, 'findFile' | 'look'>;
  readonly sensors: Sensors;
}

/** Of runs that have ended, whose steps are looked at again and again. */
const runsKeptMax = 200;

export class Sight {
  readonly #ports: SightPorts;
  readonly #ended = new Map<string, ReadonlyMap<string, StepState>>();

  constructor(ports: SightPorts) {
    this.#ports = ports;
  }

  /**
   * `number` counts from 1; `signal` ends a look that takes a process. Rejects where the journal, or the executor, does not
   * answer: then nothing is known.
   */
  async look(subject: Subject, number: number, signal: AbortSignal): Promise<Seen> {
    if (subject.kind === 'runs') return { kind: 'run', run: await this.#newestRun(subject) };
    if (subject.kind === 'file') {
      const { path } = subject;
      const found = await this.#ports.executor.findFile(subject);
      if (found === null) return { kind: 'outcome', outcome: { kind: 'not-yet', reason: `there is no ${path} yet` } };
      return { kind: 'outcome', outcome: { kind: 'seen', output: { inline: { path, bytes: found.bytes } } } };
    }
    if (subject.kind === 'function')
      return { kind: 'outcome', outcome: await this.#ports.executor.look({ ...subject.spec, number }, signal) };
    const sight = await this.#ports.sensors.look(subject);
    if (sight.kind !== 'seen') return { kind: 'outcome', outcome: sight };
    return { kind: 'outcome', outcome: { kind: 'seen', output: { inline: sight.output } } };
  }

  /** Of the latest logical date in the range; runs of pull requests try a change out and count for nobody else. */
  async #newestRun(subject: Extract<Subject, { kind: 'runs' }>): Promise<SeenRun | null> {
    const { repository, pipeline, from, to } = subject;
    const rows = await this.#ports.journal.runsOfDates(repository, pipeline, { from, to });
    const row = rows.findLast(({ opened }) => firstTriggerOf(opened.trigger).kind !== 'pull-request');
    if (row === undefined) return null;
    return { row, steps: subject.steps ? await this.#stepsOf(row) : new Map() };
  }

  async #stepsOf(row: RunRow): Promise<ReadonlyMap<string, StepState>> {
    const kept = this.#ended.get(row.id);
    if (kept !== undefined) return kept;
    const run = await readRun(this.#ports.journal, row.id);
    const states = run === null ? new Map<string, StepState>() : statesOf(run);
    if (row.finishedAt !== null) {
      const [oldest] = this.#ended.keys();
      if (this.#ended.size >= runsKeptMax && oldest !== undefined) this.#ended.delete(oldest);
      this.#ended.set(row.id, states);
    }
    return states;
  }
}

/** Of a mapped step, what its instances add up to: it has not ended before the last of them has. */
function statesOf(run: Run): ReadonlyMap<string, StepState> {
  return new Map([...run.steps].map(([name, { state }]) => [name, state]));
}
