/**
 * The journals of worlds that come one after the other, each empty, on the same few databases in memory: the tables are
 * made and the statements prepared once, and not for each world.
 */
import { DatabaseSync } from 'node:sqlite';
import type { Driver } from '../../src/journal/driver.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createMigrationTable, knownMigrations } from '../../src/journal/migrate.ts';
import { sqlJournal } from '../../src/journal/sql-journal.ts';
import { SqliteDriver } from '../../src/journal/sqlite-driver.ts';
import type { Clock } from '../../src/std/clock.ts';

interface Store {
  readonly driver: Driver;
  /** Of the world that has it. */
  clock: Clock;
  empty(): void;
}

/** Of worlds that have ended. */
const free: Store[] = [];

/** `shared`: its lease is as that of a store which others reach too. The journal that it gives is another's once it is closed. */
export async function openEmptyJournal(clock: Clock, shared: boolean): Promise<Journal> {
  const store = free.pop() ?? (await makeStore());
  store.clock = clock;
  const { driver } = store;
  const lent: Driver = {
    dialect: driver.dialect,
    read: (query) => driver.read(query),
    transact: (plans, guard) => driver.transact(plans, guard),
    close() {
      store.empty();
      free.push(store);
      return Promise.resolve();
    },
  };
  return sqlJournal(lent, { alone: !shared });
}

async function makeStore(): Promise<Store> {
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  database.exec(createMigrationTable);
  for (const { sql } of await knownMigrations()) database.exec(sql);
  const tables = database.prepare(`select name from sqlite_schema where type = 'table' order by rowid desc`).all();
  // Last made, first emptied: tables name only those that were there before them.
  const deletes = tables.map(({ name }) => database.prepare(`delete from ${String(name)}`));
  const store: Store = {
    driver: new SqliteDriver(database, { now: () => store.clock.now() }),
    clock: { now: () => 0 },
    empty: () => {
      for (const each of deletes) each.run();
    },
  };
  return store;
}
