/** The journal in a database of its own: PostgreSQL 14 or newer. Several servers share it, and commands read beside them. */
import { Pool, TypeOverrides, type PoolClient } from 'pg';
import type { Clock } from '../std/clock.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import { journalLimits, type Journal } from './journal.ts';
import * as migrate from './migrate.ts';
import { PostgresDriver } from './postgres-driver.ts';
import { demandWritable, readOnlyDatabase, ReadOnlyServer } from './postgres-writable.ts';
import { PostgresHints } from './postgres-hints.ts';
import { part } from './postgres-parting.ts';
import { sqlJournal, type JournalOptions } from './sql-journal.ts';

export interface PostgresJournalOptions extends JournalOptions {
  /** `postgresql://user:password@host:5432/database`, with the parameters of libpq (`sslmode=verify-full`). */
  readonly url: string;
  /** From 0 to 1; spreads the retries of servers that fell over each other. */
  readonly random?: () => number;
  /** Until the server gives up a statement, one that waits for a lock too. */
  readonly statementTimeoutMs?: number;
  /** Until a statement, or a new connection, that has no answer is given up. */
  readonly answerTimeoutMs?: number;
}

const connectionsMax = 10;
const connectTimeoutMaxMs = 10_000;
/** Of a commit without an answer: two statements long it is asked what became of it. */
const outcomeAskedTimes = 2;
const keepAliveAfterMs = 10_000;

/** One number for all servers: they migrate one after the other. */
const migrationLock = 6_036_447;

/** PostgreSQL's bigint; ours are times and numbers far below 2^53. */
const bigintType = 20;

/** Rejects with a `ProblemError`: `journal-unreachable`, `journal-read-only`, `journal-newer`. */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { url, clock, random } = options;
  const { statementTimeoutMs, answerTimeoutMs } = { ...journalLimits, ...options };
  const types = new TypeOverrides();
  types.setTypeParser(bigintType, Number);
  const connection = {
    connectionString: url,
    types,
    application_name: 'contender',
    connectionTimeoutMillis: Math.min(connectTimeoutMaxMs, answerTimeoutMs),
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
  };
  // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, which its types do not say
  const pool = new Pool({ ...connection, max: connectionsMax, pipeline: true, onConnect: demandWritable });
  // A connection that dies unused is replaced at the next use, which has its own errors. Each hears of its end for as long
  // as it lives: one that is ended in the moment in which it is handed over would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const clients = new Set<PoolClient>();
  pool.on('connect', (client) => clients.add(client)).on('remove', (client) => clients.delete(client));
  try {
    await applyMigrations(pool, placeOf(url), clock);
    const hints = new PostgresHints(pool, connection);
    const driver = new PostgresDriver(pool, random ?? Math.random, outcomeAskedTimes * answerTimeoutMs);
    const journal = sqlJournal(driver, { alone: false, hints });
    return {
      ...journal,
      async close() {
        await journal.close();
        for (const client of clients) part(client);
      },
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function applyMigrations(pool: Pool, place: string, clock: Clock): Promise<void> {
  const known = await migrate.knownMigrations();
  const client = await pool.connect().catch((error: unknown) => {
    throw new ProblemError(
      error instanceof ReadOnlyServer ? readOnlyDatabase(place, error) : unreachableDatabase(place, error),
    );
  });
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    await client.query(migrate.createMigrationTable);
    const { rows } = await client.query<{ version: number }>(migrate.selectAppliedVersion);
    const applied = rows[0]?.version ?? 0;
    const newer = migrate.newerSchema(place, applied, known);
    if (newer !== null) throw new ProblemError(newer);
    for (const migration of known.slice(applied)) {
      await client.query(migration.sql);
      await client.query(migrate.insertMigration, [migration.version, migration.name, clock.now()]);
    }
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** The database without its password. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'the PostgreSQL database';
  const { host, pathname } = new URL(url);
  return `the PostgreSQL database ${host}${pathname}`;
}

function unreachableDatabase(place: string, error: unknown): Problem {
  return {
    code: 'journal-unreachable',
    message: `${place} cannot be reached: ${error instanceof Error && error.message !== '' ? error.message : String(error)}`,
    where: null,
    help: 'Check that the server runs, and the host, port, user, password and database of the URL.',
  };
}
