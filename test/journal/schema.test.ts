/** Writes src/journal/sql/schema.sql anew with CONTENDER_WRITE_SCHEMA=1. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { backfillById, intervalsOfBackfill, newestBackfills, openBackfills } from '../../src/journal/backfills.ts';
import {
  dataEventById,
  listenersOfRepository,
  listenersWithNews,
  newestDataEvents,
  newsOf,
  openDataEvents,
} from '../../src/journal/data-events.ts';
import { evaluationPage, undecidedPullRequests, unpromotableOf } from '../../src/journal/evaluations.ts';
import { pendingDeliveries, triggerByKey } from '../../src/journal/deliveries.ts';
import type { RawRow, Sql } from '../../src/journal/driver.ts';
import { createMigrationTable, knownMigrations } from '../../src/journal/migrate.ts';
import { news } from '../../src/journal/news.ts';
import { openOrders, removeAnswered } from '../../src/journal/orders.ts';
import { dueOutbox, nextOutboxAt, troubledOutbox } from '../../src/journal/outbox.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { openRequests } from '../../src/journal/requests.ts';
import { openRunEnds } from '../../src/journal/run-ends.ts';
import { activeRuns, eventsOf, runPage, runsAhead, runsOfDates, unfinishedRuns } from '../../src/journal/runs.ts';
import { SqliteDriver } from '../../src/journal/sqlite-driver.ts';
import { openSqliteBeside, openSqliteReader } from '../../src/journal/sqlite-reader.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { cacheEntry, newestCacheEntry } from '../../src/journal/step-cache.ts';
import { lastTick, newestTicks } from '../../src/journal/ticks.ts';
import { headsOfRepository } from '../../src/journal/versions.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { postgresMissing, runSql, startPostgres } from '../support/postgres.ts';
import { digest, opened, openRun, runId, versionsWrite } from '../support/journal-values.ts';
import { temporaryFolder } from './children.ts';

const clock = { now: () => 5 };
const dump = new URL('../../src/journal/sql/schema.sql', import.meta.url);

async function migrated(): Promise<DatabaseSync> {
  const database = new DatabaseSync(':memory:');
  database.exec(createMigrationTable);
  for (const { sql } of await knownMigrations()) database.exec(sql);
  return database;
}

test('runs that were there before dates were kept are found by theirs', async () => {
  const database = new DatabaseSync(':memory:');
  const migrations = await knownMigrations();
  const dates = migrations.findIndex(({ name }) => name.endsWith('-backfill.sql'));
  for (const { sql } of migrations.slice(0, dates)) database.exec(sql);
  database.prepare('insert into definition (digest, body) values (?, ?)').run(digest, '{}');
  const tricky = { kind: 'push', branch: '"logicalDate":1234567890123,', actor: 'ada' } as const;
  const logicalDate = Date.UTC(2026, 10, 2);
  const runs = [
    opened('one', { logicalDate }),
    opened('two', { logicalDate: 5 }),
    opened('three', { trigger: tricky }),
  ];
  for (const [index, run] of runs.entries()) {
    database.prepare('insert into run_trigger (key, at) values (?, 1)').run(run.runId);
    database
      .prepare(
        `insert into run (id, number, repository, pipeline, sha, digest, trigger_key, position, state)
         values (?, ?, 'r', 'p', 's', ?, ?, 1, 'running')`,
      )
      .run(run.runId, index + 1, digest, run.runId);
    database
      .prepare('insert into run_event (run_id, position, body) values (?, 0, ?)')
      .run(run.runId, JSON.stringify(run));
  }
  for (const { sql } of migrations.slice(dates)) database.exec(sql);
  const found = database.prepare('select logical_date from run order by number').all();
  database.close();
  assert.deepEqual(
    found.map((row) => row['logical_date']),
    [logicalDate, null, opened('three').logicalDate],
  );
});

function isProblem(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProblemError && error.problem.code === code;
}

test('the schema in the repository is what the migrations make', async () => {
  const database = await migrated();
  const rows = database
    .prepare('select sql from sqlite_schema where sql is not null order by tbl_name, type desc, name')
    .all();
  database.close();
  const note = '-- What the migrations add up to, for readers. Written by test/journal/schema.test.ts, never run.\n\n';
  const schema =
    note +
    rows
      .map(
        (row) =>
          `${String(row['sql'])
            .replace('CREATE ', 'create ')
            .replaceAll(/\n {4}/g, '\n  ')
            .replace(/\n {2}\)$/, '\n)')};\n`,
      )
      .join('\n');
  if (process.env['CONTENDER_WRITE_SCHEMA'] === '1') writeFileSync(dump, schema);
  assert.equal(
    readFileSync(dump, 'utf8'),
    schema,
    'run this test with CONTENDER_WRITE_SCHEMA=1 and look at the difference',
  );
});

const missing = postgresMissing();

test('PostgreSQL has the tables, columns and keys that SQLite has', { skip: missing }, async () => {
  const server = await startPostgres();
  try {
    const url = await server.database();
    const journals = await Promise.all([1, 2, 3].map(() => openPostgresJournal({ url, clock })));
    await Promise.all(journals.map((journal) => journal.close()));
    const there = await runSql<RawRow>(
      url,
      `select table_name || '.' || column_name as place, is_nullable = 'NO' as required
       from information_schema.columns where table_schema = 'public'`,
    );
    const database = await migrated();
    const here: RawRow[] = database
      .prepare(
        `select m.name || '.' || c.name as place, c."notnull" as required
         from sqlite_schema m join pragma_table_info(m.name) c where m.type = 'table'`,
      )
      .all();
    const places = (columns: readonly RawRow[]): string[] =>
      columns
        .map(({ place, required }) => `${String(place)} ${required === true || required === 1 ? 'required' : ''}`)
        .sort();
    assert.deepEqual(places(there), places(here));
    const indexes = await runSql<{ name: string }>(
      url,
      `select indexname as name from pg_indexes where schemaname = 'public'`,
    );
    const own = database.prepare(`select name from sqlite_schema where type = 'index' and sql is not null`).all();
    database.close();
    const names = new Set(indexes.map(({ name }) => name));
    assert.deepEqual(
      own.filter(({ name }) => !names.has(String(name))),
      [],
    );
    const known = (await knownMigrations()).map(({ version }) => ({ version, applied_at: '5' }));
    assert.deepEqual(await runSql(url, 'select version, applied_at from migration order by version'), known);

    await runSql(url, `insert into migration (version, name, applied_at) values (9999, 'of a later day', 1)`);
    await assert.rejects(openPostgresJournal({ url, clock }), isProblem('journal-newer'));
  } finally {
    await server.stop();
  }
});

test('a database that cannot be reached is a problem that does not show the password', async () => {
  const url = 'postgresql://contender:hunter2@127.0.0.1:1/journal';
  await assert.rejects(openPostgresJournal({ url, clock }), (error) => {
    assert.ok(isProblem('journal-unreachable')(error));
    assert.match(String(error), /127\.0\.0\.1:1\/journal cannot be reached: .*ECONNREFUSED/);
    assert.doesNotMatch(JSON.stringify(error), /hunter2/);
    return true;
  });
});

test('a journal of a newer version is refused and left as it is', async (context) => {
  const directory = temporaryFolder(context);
  await (await openSqliteJournal({ directory, clock })).close();
  const database = new DatabaseSync(join(directory, 'journal.sqlite'));
  database.exec(`insert into migration (version, name, applied_at) values (9999, 'of a later day', 1)`);
  database.close();
  await assert.rejects(openSqliteJournal({ directory, clock }), isProblem('journal-newer'));
  await assert.rejects(openSqliteJournal({ directory, clock }), isProblem('journal-newer'));
});

test('a journal of an older version is for its server to migrate, and for nobody beside it', async (context) => {
  const directory = temporaryFolder(context);
  const database = new DatabaseSync(join(directory, 'journal.sqlite'));
  database.exec(createMigrationTable);
  for (const { version, name, sql } of (await knownMigrations()).slice(0, -1)) {
    database.exec(sql);
    database.prepare('insert into migration (version, name, applied_at) values (?, ?, 1)').run(version, name);
  }
  database.close();
  for (const open of [openSqliteReader, openSqliteBeside])
    await assert.rejects(open({ directory }), isProblem('journal-older'));
  await (await openSqliteJournal({ directory, clock })).close();
  await (await openSqliteReader({ directory })).close();
});

test('a file that is no journal is a problem', async (context) => {
  const directory = temporaryFolder(context);
  writeFileSync(
    join(directory, 'journal.sqlite'),
    'a letter to my grandmother, of which nobody wants to lose a word'.repeat(99),
  );
  await assert.rejects(openSqliteJournal({ directory, clock }), isProblem('journal-unreachable'));
  await assert.rejects(
    openSqliteJournal({ directory: join(directory, 'journal.sqlite', 'x'), clock }),
    isProblem('journal-unreachable'),
  );
});

test('a copy made while the server runs is a whole journal', async (context) => {
  const directory = temporaryFolder(context);
  const copy = temporaryFolder(context);
  const journal = await openSqliteJournal({ directory, clock });
  await journal.commit([[versionsWrite, openRun(runId(1))]]);
  const reader = new DatabaseSync(join(directory, 'journal.sqlite'));
  reader.exec(`vacuum into '${join(copy, 'journal.sqlite')}'`);
  reader.close();
  await journal.commit([[openRun(runId(2))]]);
  await journal.close();
  const restored = await openSqliteJournal({ directory: copy, clock });
  assert.deepEqual(
    (await restored.runs({ limit: 9 })).map(({ id }) => id),
    [runId(1)],
  );
  await restored.close();
});

const limit = 50;
const reads: { readonly [name: string]: Sql } = {
  'all runs': runPage({ limit }),
  'runs after a page': runPage({ limit, before: runId(9) }),
  'runs of a repository': runPage({ limit, repository: 'r' }),
  'runs of a pipeline': runPage({ limit, repository: 'r', pipeline: 'p' }),
  'runs of pipelines of a name': runPage({ limit, pipeline: 'p' }),
  'runs in a state': runPage({ limit, state: 'running' }),
  'runs of a branch': runPage({ limit, branch: 'b' }),
  'runs of a commit': runPage({ limit, sha: 's' }),
  'runs of a pull request': runPage({ limit, repository: 'r', pullRequest: 7 }),
  're-runs of a run': runPage({ limit, rerunOf: 'x' }),
  'unfinished runs': unfinishedRuns(),
  'active runs': activeRuns('r', 'p'),
  'runs ahead': runsAhead('r', 'p', 'x'),
  events: eventsOf('x'),
  'open requests': openRequests(limit),
  'open orders': openOrders(limit),
  'old answers': removeAnswered(1),
  news: news(),
  'runs of dates': runsOfDates('r', 'p', { from: 1, to: 2 }),
  'a backfill': backfillById('x'),
  'open backfills': openBackfills(),
  'the newest backfills': newestBackfills(limit),
  'intervals of a backfill': intervalsOfBackfill('x'),
  'pending deliveries': pendingDeliveries(limit),
  'more pending deliveries': pendingDeliveries(limit, { after: 'x' }),
  'pending deliveries of a repository': pendingDeliveries(limit, { repository: 'r', after: 'x' }),
  'a trigger': triggerByKey('k'),
  'the last tick': lastTick('r', 'p'),
  'the newest ticks': newestTicks('r', 'p', limit),
  'open ends of runs': openRunEnds(limit),
  'more open ends of runs': openRunEnds(limit, { after: 'x' }),
  'open ends of runs of a repository': openRunEnds(limit, { repository: 'r', after: 'x' }),
  'news of data': dataEventById('x'),
  'open news of data': openDataEvents(limit),
  'more open news of data': openDataEvents(limit, { after: 'x' }),
  'open news of data of a repository': openDataEvents(limit, { repository: 'r', after: 'x' }),
  'the newest news': newestDataEvents(null, limit),
  'the newest news of a dataset': newestDataEvents('d', limit),
  'news by number': newsOf('d', { after: 1, upTo: 2 }, limit),
  'who listens': listenersOfRepository('r'),
  'who listens to what is new': listenersWithNews(),
  'the due outbox': dueOutbox(1, limit),
  'the next of the outbox': nextOutboxAt(),
  'the troubled outbox': troubledOutbox(limit),
  heads: headsOfRepository('r'),
  'an entry of a cache': cacheEntry({ repository: 'r', pipeline: 'p', step: 's', scope: '' }, 'k'),
  'the newest entry of a cache': newestCacheEntry({ repository: 'r', pipeline: 'p', step: 's', scope: '' }, 0),
  'all evaluations': evaluationPage({ limit }),
  'an evaluation': evaluationPage({ limit, id: 'x' }),
  'evaluations of a run': evaluationPage({ limit, runId: 'x' }),
  'evaluations of a commit': evaluationPage({ limit, sha: 's' }),
  'evaluations of a model': evaluationPage({ limit, model: 'm' }),
  'evaluations of a pull request': evaluationPage({ limit, pullRequest: 7 }),
  'verdicts beside a list': unpromotableOf(['x', 'y', 'z']),
  'pull requests whose merge decides': undecidedPullRequests('r', limit),
  'undecided evaluations': evaluationPage({ limit, repository: 'r', state: 'reported' }),
};

const asked = Object.entries(reads).map(([name, sql]) => ({ name, query: { ...sql, parse: (row: RawRow) => row } }));

test('no read sorts or looks through what has no bound', async () => {
  const driver = new SqliteDriver(await migrated(), clock);
  for (const { name, query } of asked) {
    const plan = await driver.read({ ...query, text: `explain query plan ${query.text}` });
    const steps = plan.map((row) => String(row['detail']));
    const bad = steps.filter((step) => /TEMP B-TREE|^SCAN \S+$/.test(step));
    assert.deepEqual(bad, [], name);
  }
  await driver.close();
});

test('no read is planned a second time', async () => {
  const database = await migrated();
  const driver = new SqliteDriver(database, clock);
  let plans = 0;
  // SQLite asks for leave whenever it plans.
  database.setAuthorizer(() => {
    plans += 1;
    return constants.SQLITE_OK;
  });
  for (const { name, query } of asked) {
    await driver.read(query);
    assert.ok(plans > 0, name);
    plans = 0;
    await driver.read(query);
    assert.equal(plans, 0, name);
  }
  await driver.close();
});
