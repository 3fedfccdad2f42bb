/** The journal in a database of its own: PostgreSQL 14 or newer. Commands read beside the server that is at work on it. */
import { Client, Pool, TypeOverrides } from 'pg';
import type { Clock } from '../std/clock.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import { journalLimits, type Journal } from './journal.ts';
import * as migrate from './migrate.ts';
import { PostgresDriver } from './postgres-driver.ts';
import { sqlJournal, type JournalOptions } from './sql-journal.ts';

export interface PostgresJournalOptions extends JournalOptions {
  /** `postgresql://user:password@host:5432/database`, with the parameters of libpq (`sslmode=verify-full`). */
  readonly url: string;
  /** From 0 to 1; spreads the retries of servers that fell over each other. */
  readonly random?: () => number;
  /** For the one who carries runs out: refused (`journal-in-use`) while another does. Default: false, for readers. */
  readonly exclusive?: boolean;
}

const connectionsMax = 10;
const connectTimeoutMs = 10_000;
const answerTimeoutMs = 15_000;
const keepAliveAfterMs = 10_000;

/** One number for all servers: they migrate one after the other. */
const migrationLock = 6_036_447;

/** Held by the server at work, on a connection of its own, and gone with it. */
const serverLock = 6_036_448;

/** PostgreSQL's bigint; ours are times and numbers far below 2^53. */
const bigintType = 20;

/** Rejects with a `ProblemError`: `journal-unreachable`, `journal-newer`, `journal-in-use`. */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { url, clock, random, exclusive = false } = options;
  const types = new TypeOverrides();
  types.setTypeParser(bigintType, Number);
  const pool = new Pool({
    connectionString: url,
    types,
    max: connectionsMax,
    pipeline: true,
    application_name: 'contender',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: journalLimits.statementTimeoutMs,
    idle_in_transaction_session_timeout: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
  });
  // A connection that dies unused is replaced at the next use, which has its own errors.
  pool.on('error', () => undefined);
  let release = (): Promise<void> => Promise.resolve();
  try {
    if (exclusive) release = await takeServerLock(pool, placeOf(url));
    await applyMigrations(pool, placeOf(url), clock);
    const journal = sqlJournal(new PostgresDriver(pool, random ?? Math.random));
    return {
      ...journal,
      async close() {
        await release();
        await journal.close();
      },
    };
  } catch (error) {
    await release();
    await pool.end();
    throw error;
  }
}

/**
 * Runs have no owner, so a second server would take the attempts of the first for lost. The lock keeps it away; should
 * the connection that holds it be lost, the server goes on, and a second one is kept away no longer.
 */
async function takeServerLock(pool: Pool, place: string): Promise<() => Promise<void>> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new ProblemError(unreachableDatabase(place, error));
  });
  client.on('error', () => undefined);
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [serverLock]);
  if (rows[0]?.taken === true) {
    return async () => {
      // Said, so that the next server need not wait until PostgreSQL has noticed the end of the connection.
      await client.query('select pg_advisory_unlock($1)', [serverLock]).catch(() => undefined);
      client.release(true);
    };
  }
  client.release(true);
  throw new ProblemError({
    code: 'journal-in-use',
    message: `${place} is in use by another server`,
    where: null,
    help: 'One server carries runs out on one database: stop the other one, or give this one a database of its own.',
  });
}

/** Whether a server carries runs out on the database at this moment. */
export async function isDatabaseLocked(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ held: boolean }>(selectServerLock, [serverLock]);
    return rows[0]?.held === true;
  } catch (error) {
    throw new ProblemError(unreachableDatabase(placeOf(url), error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A lock by one number is kept in two halves; `objsubid` 1 says so. */
const selectServerLock = `
  select exists (
    select from pg_locks
    where locktype = 'advisory' and granted and objsubid = 1 and classid = 0 and objid = $1
      and database = (select oid from pg_database where datname = current_database())
  ) as held`;

async function applyMigrations(pool: Pool, place: string, clock: Clock): Promise<void> {
  const known = await migrate.knownMigrations();
  const client = await pool.connect().catch((error: unknown) => {
    throw new ProblemError(unreachableDatabase(place, error));
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
