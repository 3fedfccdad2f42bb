/** The journal's statements on SQLite: one connection, synchronous, so nothing interleaves with a transaction. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Clock } from '../std/clock.ts';
import { StatementRefused, storable, type Driver, type Plan, type Query, type Sql } from './driver.ts';
import { LeaseLost, type CommitResult } from './journal.ts';

/** SQLite's primary result codes of statements that can never succeed: constraint, mismatch, range, plain error. */
const refusals: ReadonlySet<number> = new Set([1, 19, 20, 25]);

export class SqliteDriver implements Driver {
  /** Transactions of SQLite that write come one after the other: there is nothing to share. */
  readonly dialect = { now: 'cast(clock_ms() as integer)', shareKey: '' };
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /** `clock`: the database's own, which here is that of this process. */
  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    database.function('clock_ms', () => clock.now());
  }

  // oxlint-disable-next-line require-await -- a thrown error must be a rejection
  async read<Row>(query: Query<Row>): Promise<readonly Row[]> {
    return this.#all(query).map((row) => query.parse(row));
  }

  // oxlint-disable-next-line require-await -- a thrown error must be a rejection
  async transact(plans: readonly Plan[], guard: Sql | null): Promise<readonly CommitResult[]> {
    this.#run('begin immediate');
    try {
      if (guard !== null && this.#all(guard).length === 0) throw new LeaseLost();
      const results = plans.map((plan) => this.#apply(plan));
      this.#run('commit');
      return results;
    } catch (error) {
      if (this.#database.isTransaction) this.#run('rollback');
      throw error;
    }
  }

  // oxlint-disable-next-line require-await -- a thrown error must be a rejection
  async close(): Promise<void> {
    this.#prepared.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #apply(plan: Plan): CommitResult {
    this.#run('savepoint one_commit');
    for (const step of plan) {
      const rows = this.#all(step);
      if (rows.length > 0 || step.otherwise === null) continue;
      this.#run('rollback to one_commit');
      this.#run('release one_commit');
      return { ok: false, conflict: step.otherwise, write: step.write };
    }
    this.#run('release one_commit');
    return { ok: true };
  }

  #run(text: string): void {
    this.#prepare(text).run();
  }

  #all(sql: Sql): Record<string, unknown>[] {
    try {
      return this.#prepare(sql.text).all(...sql.values.map((value) => storable(value)));
    } catch (error) {
      throw isRefusal(error) ? new StatementRefused(sql.text, error) : error;
    }
  }

  #prepare(text: string): StatementSync {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(textForSqlite(text));
    this.#prepared.set(text, statement);
    return statement;
  }
}

/**
 * SQLite's `$1` is a name; its numbered places are written `?1`. No statement has a `$` anywhere else. A limit that is
 * nothing but a place has the statement planned anew with each value that it is given, the same value too; a cast hides it.
 */
function textForSqlite(text: string): string {
  return text.replaceAll(/\blimit (\$\d+)/g, 'limit cast($1 as integer)').replaceAll('$', '?');
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Errors of the binding itself (a value of a wrong type) have no code of SQLite.
  if (!('errcode' in error) || typeof error.errcode !== 'number') return error instanceof TypeError;
  return refusals.has(error.errcode & 0xff);
}
