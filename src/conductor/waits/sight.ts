/** One look at a subject, wherever it lies: in the journal, where steps run, or outside. */
import { firstTriggerOf, type StepState } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { Executor } from '../../executor/executor.ts';
import type { GitRepository } from '../../git/git.ts';
import type { Journal, RunRow } from '../../journal/journal.ts';
import type { Sensors } from '../../sensors/sensors.ts';
import { failure, success, type Result } from '../../std/result.ts';
import type { Seen, Subject } from './awaited.ts';
import type { ConductorPorts } from '../ports.ts';
import { readRun } from '../read.ts';
import { askedOnce, isOfDefaultBranch } from '../triggers/branch-of-run.ts';

export interface SightPorts {
  readonly journal: Journal;
  readonly executor: Pick<Executor, 'findFile' | 'look'>;
  readonly sensors: Sensors;
  readonly projects: ConductorPorts['projects'];
}

type RunSubject = Extract<Subject, { kind: 'runs' }>;

/** Of runs that are looked at again and again: those that have ended, and those of the default branch. */
const runsKeptMax = 200;

export class Sight {
  readonly #ports: SightPorts;
  readonly #ended = new Map<string, ReadonlyMap<string, StepState>>();
  /** Runs by id that Git was asked about. A commit may be merged later, and none leaves the default branch. */
  readonly #onDefault = new Set<string>();

  constructor(ports: SightPorts) {
    this.#ports = ports;
  }

  /**
   * `number` counts from 1; `signal` ends a look that takes a process. Rejects where the journal, or the executor, does not
   * answer: then nothing is known.
   */
  async look(subject: Subject, number: number, signal: AbortSignal): Promise<Seen> {
    if (subject.kind === 'runs') return this.#newestRun(subject);
    if (subject.kind === 'file') {
      const { path } = subject;
      const found = await this.#ports.executor.findFile(subject);
      if (found === null) return { kind: 'outcome', outcome: { kind: 'not-yet', reason: `there is no ${path} yet` } };
      if ('impossible' in found) return { kind: 'outcome', outcome: { kind: 'impossible', reason: found.impossible } };
      return { kind: 'outcome', outcome: { kind: 'seen', output: { inline: { path, bytes: found.bytes } } } };
    }
    if (subject.kind === 'function')
      return { kind: 'outcome', outcome: await this.#ports.executor.look({ ...subject.spec, number }, signal) };
    const sight = await this.#ports.sensors.look(subject);
    if (sight.kind !== 'seen') return { kind: 'outcome', outcome: sight };
    return { kind: 'outcome', outcome: { kind: 'seen', output: { inline: sight.output } } };
  }

  /** Of the latest logical date in the range; what runs for a commit that is not merged counts for nobody else. */
  async #newestRun(subject: RunSubject): Promise<Seen> {
    const { repository, pipeline, from, to } = subject;
    const rows = await this.#ports.journal.runsOfDates(repository, pipeline, { from, to });
    const project = this.#ports.projects.get(repository);
    const git = project === undefined ? null : askedOnce(project.git);
    for (const row of rows.toReversed()) {
      const counts = await this.#counts(subject, row, git);
      if (!counts.ok) {
        const reason = `the branch of ${pipeline}#${row.number} could not be told: ${counts.error}`;
        return { kind: 'outcome', outcome: { kind: 'not-yet', reason } };
      }
      if (!counts.value) continue;
      return { kind: 'run', run: { row, steps: subject.steps ? await this.#stepsOf(row) : new Map() } };
    }
    return { kind: 'run', run: null };
  }

  async #counts(
    { branch }: RunSubject,
    { id, opened }: RunRow,
    git: GitRepository | null,
  ): Promise<Result<boolean, string>> {
    const first = firstTriggerOf(opened.trigger);
    if ((first.kind === 'push' || first.kind === 'pipeline') && first.branch === branch) return success(true);
    if (first.kind === 'pull-request') return success(false);
    if (this.#onDefault.has(id)) return success(true);
    if (git === null) return failure('the repository is no longer in the configuration');
    const found = await isOfDefaultBranch({ git }, opened);
    if (!found.ok || !found.value) return found;
    const [oldest] = this.#onDefault;
    if (this.#onDefault.size >= runsKeptMax && oldest !== undefined) this.#onDefault.delete(oldest);
    this.#onDefault.add(id);
    return found;
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
