/**
 * Preloaded into a server of a test: it kills itself, as `kill -9` does, at the transaction with the number of
 * CONTENDER_TEST_DIE_AT, before it is sent or after it was kept and before anybody hears of it.
 */
import type * as Postgres from '../../src/journal/postgres-driver.ts';
import type * as Sqlite from '../../src/journal/sqlite-driver.ts';

/** Those of the very program. */
const place = process.env['CONTENDER_TEST_PROGRAM'];
const { PostgresDriver } = (await import(`${place}/postgres-driver.js`)) as typeof Postgres;
const { SqliteDriver } = (await import(`${place}/sqlite-driver.js`)) as typeof Sqlite;

const dieAt = Number(process.env['CONTENDER_TEST_DIE_AT']);
const isBefore = process.env['CONTENDER_TEST_DIE'] === 'before';
let transactions = 0;

for (const { prototype } of [SqliteDriver, PostgresDriver]) {
  // oxlint-disable-next-line typescript/unbound-method -- called with its driver below
  const { transact } = prototype;
  prototype.transact = async function dying(plans, guard) {
    transactions += 1;
    const isLast = transactions === dieAt;
    if (isLast && isBefore) await die();
    const results = await transact.call(this, plans, guard);
    if (isLast) await die();
    return results;
  };
}

/** The signal comes at the next instruction that waits at the latest. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}
