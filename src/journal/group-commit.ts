/**
 * Commits of callers who do not know of each other, together in one transaction: while one is under way, the next ones
 * gather. A database that must reach the disk for each transaction then does it once for all who wait. A statement that
 * the database refuses outright is a bug of one caller: the others of its group are carried out without it. Commits under
 * an epoch of the lease and those without share no transaction, so that an epoch is looked at once for all of them.
 */
import { StatementRefused, type Driver, type Plan } from './driver.ts';
import type { Commit, CommitResult } from './journal.ts';
import { holdEpoch } from './lease.ts';
import { plan } from './plan.ts';

/** Of one transaction, unless a single caller gives more. */
const commitsPerTransactionMax = 256;

interface Waiting {
  readonly plans: readonly Plan[];
  readonly epoch: number | null;
  readonly resolve: (results: readonly CommitResult[]) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit {
  readonly #driver: Driver;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  commit(commits: readonly Commit[], epoch: number | null): Promise<readonly CommitResult[]> {
    const plans = commits.map((commit) => plan(commit));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ plans, epoch, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything given so far has its result. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue: callers who were woken together are carried out together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#carryOut(this.#take());
    this.#running = null;
  }

  #take(): readonly Waiting[] {
    let commits = 0;
    const epoch = this.#waiting[0]?.epoch ?? null;
    const end = this.#waiting.findIndex(
      (each) => each.epoch !== epoch || (commits += each.plans.length) > commitsPerTransactionMax,
    );
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(end, 1));
  }

  async #carryOut(group: readonly Waiting[]): Promise<void> {
    const epoch = group[0]?.epoch ?? null;
    const guard = epoch === null ? null : holdEpoch(this.#driver.dialect, epoch);
    try {
      const results = await this.#driver.transact(
        group.flatMap(({ plans }) => plans),
        guard,
      );
      let from = 0;
      for (const { plans, resolve } of group) resolve(results.slice(from, (from += plans.length)));
    } catch (error) {
      if (error instanceof StatementRefused && group.length > 1) {
        for (const one of group) await this.#carryOut([one]);
        return;
      }
      for (const { reject } of group) reject(error);
    }
  }
}
