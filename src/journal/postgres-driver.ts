/**
 * The journal's statements on PostgreSQL. All commits of a transaction are sent at once, without waiting for the answer
 * to each (pipelining): two round trips, however many commits there are. Only when one of them conflicts is the
 * transaction rolled back and done again with a savepoint around each commit.
 *
 *   begin, all steps ─► no conflict ─► commit
 *                  └──► a conflict ─► rollback, begin, (savepoint, steps, release or rollback to it)*, commit
 *
 * Where the connection is lost before `commit` was sent, nothing was kept and all of it is tried again. Where it is lost
 * after, the server is asked what became of the transaction's number, so no commit is lost and none is done twice.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { StatementRefused, storable, type Driver, type Plan, type Query, type RawRow, type Sql } from './driver.ts';
import { LeaseLost, type CommitResult } from './journal.ts';
import { isAnswer, isReadOnly, kindOfError } from './postgres-errors.ts';

const triesMax = 5;
const waitFirstMs = 100;
const outcomePollMs = 250;

type Settled = PromiseSettledResult<QueryResult>;
/** What one sending of plans came to. */
type Sent = { readonly kind: 'kept' } | { readonly kind: 'conflict'; readonly result: CommitResult };

export class PostgresDriver implements Driver {
  readonly dialect = {
    now: 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)',
    shareKey: 'for key share',
  };
  readonly #pool: Pool;
  readonly #random: () => number;
  readonly #outcomeAskedMs: number;
  /** Names under which the server keeps the statements prepared; the same on each connection. */
  readonly #names = new Map<string, string>();
  #ended: Promise<void> | null = null;

  /**
   * `random`: from 0 to 1, spreads the retries. `outcomeAskedMs`: for so long the server is asked what became of a commit
   * without an answer; as long as one needs to start again.
   */
  constructor(pool: Pool, random: () => number, outcomeAskedMs: number) {
    this.#pool = pool;
    this.#random = random;
    this.#outcomeAskedMs = outcomeAskedMs;
  }

  read<Row>(query: Query<Row>): Promise<readonly Row[]> {
    return this.#tryAgain(() =>
      this.#withClient(async (client) => {
        const { rows } = await this.#send(client, query);
        return (rows as RawRow[]).map((row) => query.parse(row));
      }),
    );
  }

  transact(plans: readonly Plan[], guard: Sql | null): Promise<readonly CommitResult[]> {
    return this.#tryAgain(() => this.#withClient((client) => this.#transaction(client, plans, guard)));
  }

  close(): Promise<void> {
    this.#ended ??= this.#pool.end();
    return this.#ended;
  }

  async #transaction(client: PoolClient, plans: readonly Plan[], guard: Sql | null): Promise<readonly CommitResult[]> {
    const together = await this.#together(client, plans, guard);
    if (together.sent.kind === 'kept') {
      await this.#commit(client, together.transaction);
      return plans.map(() => ({ ok: true }));
    }
    await client.query('rollback');
    if (plans.length === 1) return [together.sent.result];
    return this.#oneByOne(client, plans, guard);
  }

  /** The whole transaction but its commit, in one go. */
  async #together(
    client: PoolClient,
    plans: readonly Plan[],
    guard: Sql | null,
  ): Promise<{ transaction: string; sent: Sent }> {
    const steps = plans.flat();
    const [transaction, answers] = await inOneWrite(client, () =>
      Promise.all([this.#begin(client, guard), Promise.allSettled(steps.map((step) => this.#send(client, step)))]),
    );
    return { transaction, sent: firstWrong(steps, answers) };
  }

  async #oneByOne(client: PoolClient, plans: readonly Plan[], guard: Sql | null): Promise<readonly CommitResult[]> {
    const transaction = await this.#begin(client, guard);
    const results: CommitResult[] = [];
    for (const plan of plans) {
      const savepoint = client.query('savepoint one_commit');
      const settled = Promise.allSettled(plan.map((step) => this.#send(client, step)));
      const [, answers] = await Promise.all([savepoint, settled]);
      const sent = firstWrong(plan, answers);
      if (sent.kind === 'conflict') await client.query('rollback to savepoint one_commit');
      await client.query('release savepoint one_commit');
      results.push(sent.kind === 'conflict' ? sent.result : { ok: true });
    }
    await this.#commit(client, transaction);
    return results;
  }

  /** The number of the new transaction: what one asks by, should the answer to its commit be lost. */
  async #begin(client: PoolClient, guard: Sql | null): Promise<string> {
    const [, number, guarded] = await Promise.all([
      client.query('begin'),
      client.query<{ id: string }>({ name: 'transaction', text: 'select cast(pg_current_xact_id() as text) as id' }),
      guard === null ? null : this.#send(client, guard),
    ]);
    if (guarded?.rows.length === 0) throw new LeaseLost();
    const id = number.rows[0]?.id;
    if (id === undefined) throw new Error('PostgreSQL gave no transaction number');
    return id;
  }

  async #commit(client: PoolClient, transaction: string): Promise<void> {
    try {
      const { command } = await client.query('commit');
      if (command !== 'COMMIT') throw new Error(`PostgreSQL answered ${command} to commit`);
    } catch (error) {
      if (isAnswer(error) || !(await this.#wasKept(transaction, error))) throw error;
    }
  }

  /**
   * Asks, on another connection, whether the transaction whose commit had no answer was kept. Never tried again as a
   * whole: a second try would take its own first one for a conflict.
   */
  async #wasKept(transaction: string, cause: unknown): Promise<boolean> {
    const text = 'select pg_xact_status(cast($1 as xid8)) as status';
    const until = performance.now() + this.#outcomeAskedMs;
    // By time and not by number: where connections hang, each question takes as long as a statement may.
    while (performance.now() < until) {
      const status = await this.#pool.query<{ status: string | null }>(text, [transaction]).then(
        ({ rows }) => rows[0]?.status,
        () => null,
      );
      if (status === 'committed') return true;
      if (status === 'aborted') return false;
      await wait(outcomePollMs);
    }
    throw new Error(`nobody knows whether transaction ${transaction} was kept`, { cause });
  }

  #send(client: PoolClient, { text, values }: Sql): Promise<QueryResult> {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `journal_${this.#names.size}`;
      this.#names.set(text, name);
    }
    return client.query({ name, text, values: values.map((value) => storable(value)) });
  }

  /** A client in whose state there is any doubt never goes back to the pool. */
  async #withClient<Value>(use: (client: PoolClient) => Promise<Value>): Promise<Value> {
    const client = await this.#pool.connect();
    let healthy = true;
    try {
      return await use(client);
    } catch (error) {
      // Where no writes are taken any more, the next connection may lead to the primary.
      healthy =
        (isAnswer(error) && !isReadOnly(error)) || error instanceof StatementRefused || error instanceof LeaseLost
          ? await rolledBack(client)
          : false;
      throw error;
    } finally {
      client.release(!healthy);
    }
  }

  async #tryAgain<Value>(action: () => Promise<Value>): Promise<Value> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await action();
      } catch (error) {
        if (kindOfError(error) !== 'again' || tries === triesMax) throw error;
        await wait(this.#random() * waitFirstMs * 2 ** (tries - 1));
      }
    }
  }
}

/** What `send` gives to the connection before it waits goes out together: a write of its own for each takes longer. */
function inOneWrite<Value>(client: PoolClient, send: () => Value): Value {
  const { stream } = client.connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/**
 * The first thing that went wrong. After an error the server refuses everything else of the transaction, and after a
 * conflict an error may only be its echo, so whatever comes first is what happened.
 */
function firstWrong(plan: Plan, answers: readonly Settled[]): Sent {
  for (const [index, step] of plan.entries()) {
    const answer = answers[index];
    if (answer === undefined) throw new Error('a step has no answer');
    if (answer.status === 'rejected') {
      throw kindOfError(answer.reason) === 'refused' ? new StatementRefused(step.text, answer.reason) : answer.reason;
    }
    if (answer.value.rows.length === 0 && step.otherwise !== null) {
      return { kind: 'conflict', result: { ok: false, conflict: step.otherwise, write: step.write } };
    }
  }
  return { kind: 'kept' };
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}
