const serverJobs = [
  'news',
  'room',
  'intake',
  'outbox',
  'ticks',
  'backfills',
  'events',
  'runs',
  'waits',
  'retention',
] as const;
const repositoryJobs = ['intake', 'events', 'poll', 'schedules'] as const;

type RepositoryJob = (typeof repositoryJobs)[number];

/** What a server does beside the turns of runs: for all that it watches, or for the repository that is named. */
export type Job = (typeof serverJobs)[number] | JobOfRepository;
export type JobOfRepository = `${RepositoryJob}:${string}`;

/** A newer server on the same database may hint at others. */
export function isJob(word: string): word is Job {
  return serverJobs.some((job) => job === word) || repositoryJobs.some((job) => word.startsWith(`${job}:`));
}

export function partsOf(job: JobOfRepository): readonly [RepositoryJob, string] {
  const kind = repositoryJobs.find((each) => job.startsWith(`${each}:`));
  if (kind === undefined) throw new Error(`no job: ${job}`);
  return [kind, job.slice(kind.length + 1)];
}

/**
 * Named jobs, each at most once at a time: asked for while it is under way, it runs once more afterwards. A slow one (a
 * fetch) never holds up another (a report).
 */
export class Jobs {
  readonly #perform: (job: Job) => Promise<void>;
  /** Whether to run once more. */
  readonly #asked = new Map<Job, boolean>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(perform: (job: Job) => Promise<void>) {
    this.#perform = perform;
  }

  ask(job: Job): void {
    if (this.#asked.has(job)) {
      this.#asked.set(job, true);
      return;
    }
    this.#asked.set(job, false);
    const loop = this.#loop(job).finally(() => this.#underWay.delete(loop));
    this.#underWay.add(loop);
  }

  /** Resolves when what is under way has ended. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #loop(job: Job): Promise<void> {
    do {
      this.#asked.set(job, false);
      await this.#perform(job);
    } while (this.#asked.get(job) === true);
    this.#asked.delete(job);
  }
}
