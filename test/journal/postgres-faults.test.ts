import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { Client } from 'pg';
import type { RunEvent } from '../../src/engine/event.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { append, openRun, outbox, runId, scheduled, at, versionsWrite } from '../support/journal-values.ts';
import { postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startDroppingProxy } from './dropping-proxy.ts';

const skip = postgresMissing();
const clock = { now: () => 5 };
let started: TestPostgres | null = null;

before(async () => {
  if (skip === false) started = await startPostgres({ deadlock_timeout: '20ms' });
});
after(() => started?.stop());

function server(): TestPostgres {
  if (started === null) throw new Error('PostgreSQL did not start');
  return started;
}

async function open(context: TestContext, url: string): Promise<Journal> {
  const journal = await openPostgresJournal({ url, clock });
  context.after(() => journal.close());
  return journal;
}

/** Ends every connection of a journal to this database, as a fail-over or an operator would. */
async function endConnections(admin: string, url: string): Promise<void> {
  const text = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'contender' and datname = $1`;
  await runSql(admin, text, [new URL(url).pathname.slice(1)]);
}

function names(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'step-scheduled' ? [event.step] : []));
}

test('connections that are ended in the middle of load lose nothing and double nothing', { skip }, async (context) => {
  const url = await server().database();
  const journal = await open(context, url);
  const runs = [1, 2, 3, 4].map((number) => runId(number));
  await journal.commit([[versionsWrite, ...runs.map((id) => openRun(id))]]);
  const acknowledged = new Map<string, string[]>(runs.map((id) => [id, []]));
  let committed = 0;
  let ended = 0;
  const load = async (id: string): Promise<void> => {
    for (let number = 0; number < 200; number += 1) {
      const name = `${id}/${number}`;
      const [result] = await journal.commit([[append(id, number + 1, [scheduled(name)])]]);
      assert.deepEqual(result, { ok: true }, name);
      acknowledged.get(id)?.push(name);
      committed += 1;
      if (committed % 40 === 0) {
        ended += 1;
        await endConnections(url, url);
      }
    }
  };
  await Promise.all(runs.map((id) => load(id)));
  assert.equal(ended, 20);
  for (const id of runs) assert.deepEqual(names(await journal.events(id)), acknowledged.get(id));
});

test('a commit whose answer was lost is kept, told as kept, and not done twice', { skip }, async (context) => {
  const url = await server().database();
  const proxy = await startDroppingProxy(url);
  context.after(() => proxy.stop());
  const journal = await open(context, proxy.url);
  await journal.commit([[versionsWrite, openRun(runId(1))]]);
  for (const [index, what] of (['answer', 'question', 'answer', 'question'] as const).entries()) {
    proxy.dropNext(what);
    const results = await journal.commit([
      [append(runId(1), index + 1, [scheduled(`a${index}`)]), outbox('status')],
      [outbox('other')],
    ]);
    assert.deepEqual(results, [{ ok: true }, { ok: true }]);
    proxy.dropNext(what);
    assert.deepEqual(await journal.commit([[outbox('kept')], [append(runId(1), 99, [])]]), [
      { ok: true },
      { ok: false, conflict: 'position', write: 0 },
    ]);
  }
  assert.equal(proxy.dropped(), 8);
  assert.deepEqual(names(await journal.events(runId(1))), ['a0', 'a1', 'a2', 'a3']);
  const rows = await journal.dueOutbox(at, 9);
  assert.deepEqual(
    rows.map(({ key, sequence }) => [key, sequence]),
    [
      ['kept', 4],
      ['other', 4],
      ['status', 4],
    ],
  );
});

test('two servers that append to the same runs never both win a position', { skip }, async (context) => {
  const url = await server().database();
  const servers = [await open(context, url), await open(context, url)];
  const runs = [1, 2, 3].map((number) => runId(number));
  await servers[0]?.commit([[versionsWrite, ...runs.map((id) => openRun(id))]]);
  const won = await Promise.all(
    servers.map(async (journal, name) => {
      const mine: string[] = [];
      for (let turn = 0; turn < 30; turn += 1) {
        const positions = await Promise.all(runs.map(async (id) => (await journal.events(id)).length));
        // In opposite orders, so that the two also wait for each other.
        const order = name === 0 ? runs : runs.toReversed();
        const writes = order.map((id) =>
          append(id, positions[runs.indexOf(id)] ?? 0, [scheduled(`${name}/${id}/${turn}`)]),
        );
        const results = await journal.commit(writes.map((write) => [write]));
        for (const [index, result] of results.entries()) {
          if (result.ok) mine.push(`${name}/${order[index]}/${turn}`);
          else assert.equal(result.conflict, 'position');
        }
      }
      return mine;
    }),
  );
  const there = await Promise.all(runs.map(async (id) => names((await servers[0]?.events(id)) ?? [])));
  assert.deepEqual(there.flat().sort(), won.flat().sort());
});

test(
  'two servers that hear of the same triggers open one run each, numbered without gaps',
  { skip },
  async (context) => {
    const url = await server().database();
    const servers = [await open(context, url), await open(context, url)];
    await servers[0]?.commit([[versionsWrite]]);
    const triggers = Array.from({ length: 60 }, (_, index) => `push/${index}`);
    const opened = await Promise.all(
      servers.map(async (journal, name) => {
        const results = await Promise.all(
          triggers.map((key, index) => journal.commit([[openRun(runId(name * 1000 + index), {}, key)]])),
        );
        return results.flat().filter(({ ok }) => ok).length;
      }),
    );
    assert.equal(
      opened.reduce((sum, count) => sum + count, 0),
      triggers.length,
    );
    const runs = (await servers[1]?.unfinishedRuns()) ?? [];
    assert.deepEqual(runs.map(({ triggerKey }) => triggerKey).sort(), triggers.toSorted());
    assert.deepEqual(
      runs.map(({ number }) => number).sort((left, right) => left - right),
      triggers.map((_, index) => index + 1),
    );
  },
);

test('servers that wait for each other are untangled and both get through', { skip }, async (context) => {
  const url = await server().database();
  const servers = [await open(context, url), await open(context, url)];
  const keys = Array.from({ length: 40 }, (_, index) => `status/${index}`);
  const rounds = 15;
  await Promise.all(
    servers.map(async (journal, name) => {
      const order = name === 0 ? keys : keys.toReversed();
      for (let round = 0; round < rounds; round += 1) {
        const results = await journal.commit(order.map((key) => [outbox(key)]));
        assert.ok(results.every(({ ok }) => ok));
      }
    }),
  );
  const rows = (await servers[0]?.dueOutbox(at, 100)) ?? [];
  assert.deepEqual(new Set(rows.map(({ sequence }) => sequence)), new Set([2 * rounds]));
});

test('a database that comes back is used again without a restart of ours', { skip }, async (context) => {
  const url = await server().database();
  const name = new URL(url).pathname.slice(1);
  const journal = await open(context, url);
  await journal.commit([[versionsWrite, openRun(runId(1))]]);
  const admin = url.replace(name, 'postgres');
  await runSql(admin, `alter database ${name} allow_connections false`);
  await endConnections(admin, url);
  await assert.rejects(journal.commit([[append(runId(1), 1, [scheduled('a')])]]));
  await assert.rejects(journal.events(runId(1)));
  await runSql(admin, `alter database ${name} allow_connections true`);
  assert.deepEqual(await journal.commit([[append(runId(1), 1, [scheduled('a')])]]), [{ ok: true }]);
  assert.deepEqual(names(await journal.events(runId(1))), ['a']);
});

test(
  'a commit that hangs on a lock is given up within its limit, and nobody else waits for it',
  { skip },
  async (context) => {
    const url = await server().database();
    const journal = await openPostgresJournal({ url, clock, statementTimeoutMs: 1000 });
    context.after(() => journal.close());
    const neighbour = await open(context, url);
    await journal.commit([[versionsWrite, openRun(runId(1)), openRun(runId(2))]]);
    const locking = new Client({ connectionString: url });
    await locking.connect();
    context.after(() => locking.end());
    await locking.query('begin');
    await locking.query('select 1 from run where id = $1 for update', [runId(1)]);

    const hanging = journal.commit([[append(runId(1), 1, [scheduled('a')])]]);
    const [, events, kept] = await Promise.all([
      assert.rejects(hanging, /canceling statement due to statement timeout/),
      journal.events(runId(1)),
      neighbour.commit([[append(runId(2), 1, [scheduled('b')])]]),
    ]);
    assert.deepEqual([names(events), kept], [[], [{ ok: true }]]);
    assert.deepEqual(await journal.commit([[append(runId(2), 2, [scheduled('c')])]]), [{ ok: true }]);

    await locking.query('rollback');
    assert.deepEqual(await journal.commit([[append(runId(1), 1, [scheduled('d')])]]), [{ ok: true }]);
    assert.deepEqual(names(await journal.events(runId(1))), ['d']);
    assert.deepEqual(names(await journal.events(runId(2))), ['b', 'c']);
  },
);

test('a commit that hangs, and whose outcome nobody tells, is given up', { skip }, async (context) => {
  const url = new URL(await server().database());
  const journal = await open(context, url.href);
  await journal.commit([[versionsWrite, openRun(runId(1))]]);
  const proxy = await startDroppingProxy(url.href);
  context.after(() => proxy.stop());
  const behind = await openPostgresJournal({ url: proxy.url, clock, answerTimeoutMs: 5000 });
  await behind.events(runId(1));
  proxy.dropNext('answer for ever');
  const results = await behind.commit([[append(runId(1), 1, [scheduled('a')])]]);
  assert.deepEqual(results, [{ ok: true }], 'another connection told that it was kept');
  proxy.dropNext('every answer for ever');
  await assert.rejects(behind.commit([[append(runId(1), 2, [scheduled('b')])]]), /nobody knows whether transaction/);
  await behind.close();
  assert.deepEqual(names(await journal.events(runId(1))), ['a', 'b'], 'whatever became of it is kept once');
});
