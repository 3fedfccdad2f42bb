/**
 * Connections that take no writes: at the start, and when they become so. A database whose sessions are read-only stands
 * for a standby, which answers writes with the same error.
 */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { append, openRun, runId, scheduled, versionsWrite } from '../support/journal-values.ts';
import { postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = postgresMissing();
const clock = { now: () => 5 };
let started: TestPostgres | null = null;

before(async () => {
  if (skip === false) started = await startPostgres();
});
after(() => started?.stop());

async function openDatabase(context: TestContext): Promise<{ readonly url: string; readonly journal: Journal }> {
  assert.ok(started !== null);
  const url = await started.database();
  const journal = await openPostgresJournal({ url, clock });
  context.after(() => journal.close());
  await journal.commit([[versionsWrite, openRun(runId(1))]]);
  return { url, journal };
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

/** For sessions that begin from now on. */
async function closeForWrites(url: string, closed: boolean): Promise<void> {
  const admin = url.replace(nameOf(url), 'postgres');
  await runSql(admin, `alter database ${nameOf(url)} set default_transaction_read_only = ${closed ? 'on' : 'off'}`);
}

async function endConnections(url: string): Promise<void> {
  const text = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'contender' and datname = $1`;
  await runSql(url, text, [nameOf(url)]);
}

test('a database that takes no writes is refused at the start, with what to do', { skip }, async (context) => {
  const { url } = await openDatabase(context);
  await closeForWrites(url, true);
  await assert.rejects(openPostgresJournal({ url, clock }), (error) => {
    assert.ok(error instanceof ProblemError);
    const { code, message, help } = error.problem;
    assert.equal(code, 'journal-read-only');
    assert.match(message, /^the PostgreSQL database \S+ cannot hold the journal: PostgreSQL takes no writes here: /);
    assert.match(help, /the primary.* default_transaction_read_only off/);
    return true;
  });
});

test(
  'of a server that became a standby nothing is read, and the primary that comes is used',
  { skip },
  async (context) => {
    const { url, journal } = await openDatabase(context);
    const commit = (position: number): ReturnType<Journal['commit']> =>
      journal.commit([[append(runId(1), position, [scheduled(`a${position}`)])]]);
    await closeForWrites(url, true);
    await endConnections(url);
    await assert.rejects(commit(1), /takes no writes here/);
    await assert.rejects(journal.events(runId(1)), /takes no writes here/);
    await closeForWrites(url, false);
    assert.deepEqual(await commit(1), [{ ok: true }]);
    assert.equal((await journal.events(runId(1))).length, 2);
  },
);

test('a connection that takes no writes any more is given up for another', { skip }, async (context) => {
  const { url, journal } = await openDatabase(context);
  // Closes the session of whoever writes next, for its transactions to come.
  await runSql(
    url,
    `create function close_session() returns trigger language plpgsql as $$
     begin perform set_config('default_transaction_read_only', 'on', false); return null; end $$`,
  );
  await runSql(url, 'create trigger close_session after insert on run_event execute function close_session()');
  for (const position of [1, 2, 3])
    assert.deepEqual(await journal.commit([[append(runId(1), position, [scheduled(`a${position}`)])]]), [{ ok: true }]);
  assert.equal((await journal.events(runId(1))).length, 4);
});
