/** Two real servers on one PostgreSQL: one conducts, the other stands by, answers all the same, and takes over. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Journal, RunRow } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { createSandbox, fromContender, type Running, type Sandbox } from '../cli/sandbox.ts';
import {
  assertConsistent,
  attemptsIn,
  chain,
  createWatchedProject,
  effects,
  kill,
  processesOf,
  serve,
  until,
} from '../support/killed-server.ts';
import { postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = postgresMissing();
const apiToken = 'the token of both servers';
let postgres: TestPostgres | null = null;
before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(() => postgres?.stop());

/** The repository, and what each server has for itself. */
let repository: Sandbox;
let folders: readonly [Sandbox, Sandbox];
let url = '';
let journal: Journal;
beforeEach(async () => {
  if (postgres === null) return;
  url = await postgres.database();
  repository = createWatchedProject();
  folders = [createSandbox(), createSandbox()];
  const settings = `repositories: [{ url: ${repository.folder}, name: work, poll: 200ms }]\nshared: ${repository.folder}/shared\n`;
  for (const folder of folders) folder.write({ 'contender.yaml': settings });
  journal = await openPostgresJournal({ url, clock: { now: Date.now } });
});
afterEach(async () => {
  if (postgres === null) return;
  await journal.close();
  for (const folder of folders) await folder.remove();
  await repository.remove();
});

async function begin(folder: Sandbox): Promise<Running> {
  return serve(folder, { CONTENDER_DATABASE_URL: url, CONTENDER_API_TOKEN: apiToken });
}

async function conducts(server: Running): Promise<void> {
  await until('it to conduct', async () => {
    const lease = await journal.lease();
    return lease !== null && lease.expiresInMs > 0 && lease.place.pid === server.pid ? true : null;
  });
}

async function ended(runId: string): Promise<RunRow> {
  return until('the end of the run', async () => {
    const row = await journal.run(runId);
    return row === null || row.finishedAt === null ? null : row;
  });
}

/** A run of two steps, the first of which waits until it is told to go on. */
async function pushWaiting(word: string): Promise<RunRow> {
  const before = new Set((await journal.runs({ limit: 9 })).map(({ id }) => id));
  const wait = `until [ -e "${repository.folder}/${word}" ]; do sleep 0.02; done`;
  repository.commit({ '.pipelines/chain.ts': chain(repository, 2, wait) });
  const row = await until(
    'the run',
    async () => (await journal.runs({ limit: 1 })).find(({ id }) => !before.has(id)) ?? null,
  );
  await until('its first step', () =>
    effects(repository).some(({ attempt }) => attempt.startsWith(row.id)) ? true : null,
  );
  return row;
}

const lostOnce = [
  ['step0/0/1', 'lost'],
  ['step0/0/2', 'succeeded'],
  ['step1/0/1', 'succeeded'],
];

test('where the one that conducts is killed or stopped, the other goes on with its run', { skip }, async () => {
  let first = await begin(folders[0]);
  await conducts(first);
  const second = await begin(folders[1]);
  await second.until(new RegExp(`stands by: process ${first.pid} on \\S+ conducts`));
  await until('the first look', async () => ((await journal.heads('work')).size > 0 ? true : null));

  const killed = await pushWaiting('go on');
  await kill(first);
  await until('the end of its processes', () => (processesOf(killed.id).length === 0 ? true : null));
  writeFileSync(join(repository.folder, 'go on'), '');
  assert.equal((await ended(killed.id)).state, 'success');
  assert.deepEqual([...attemptsIn(await journal.events(killed.id))], lostOnce);
  await conducts(second);

  first = await begin(folders[0]);
  await first.until(/stands by/);
  const stopped = await pushWaiting('go on again');
  second.kill('SIGTERM');
  assert.equal((await second.ended).status, 0);
  assert.deepEqual(processesOf(stopped.id), [], 'what it ran has ended before it is gone');
  writeFileSync(join(repository.folder, 'go on again'), '');
  assert.equal((await ended(stopped.id)).state, 'success');
  assert.equal((await journal.runs({ limit: 9 })).length, 2, 'each push was run once');
  assertConsistent(repository, killed.id, await journal.events(killed.id));
  first.kill('SIGTERM');
  assert.equal((await first.ended).status, 0);
});

test('a run that is asked for where a server stands by is carried out, and shown there', { skip }, async () => {
  repository.commit({ '.pipelines/chain.ts': chain(repository, 2, 'true') });
  const first = await begin(folders[0]);
  await conducts(first);
  const second = await begin(folders[1]);
  const [, there = ''] = await second.until(/is at (http\S+),/);
  const headers = { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' };
  const asked = await fetch(`${there}/api/v1/runs`, { method: 'POST', headers, body: '{"pipeline":"chain"}' });
  const answer = Object(await asked.json());
  assert.equal(asked.status, 201, JSON.stringify(answer));
  const live = await fetch(`${there}/runs/${answer.id}/events`);
  assert.match(await live.text(), /event: end/, 'the live page hears of the end');
  assert.equal((await ended(answer.id)).state, 'success');
  assert.match(await (await fetch(`${there}/runs/${answer.id}`)).text(), /chain/);
  const again = await fetch(`${there}/api/v1/runs/${answer.id}/rerun`, { method: 'POST', headers, body: '{}' });
  assert.equal(again.status, 201);
  const refused = await fetch(`${there}/api/v1/runs`, { method: 'POST', headers, body: '{"pipeline":"unknown"}' });
  assert.equal(refused.status, 422);
  const health = Object(await (await fetch(`${there}/ready`)).json());
  assert.deepEqual([health.conducts, health.conductor.pid], [false, first.pid]);
});

test(
  'a server that loses its lease ends what it runs, forgets it, and takes it up again with the next',
  { skip },
  async () => {
    const server = await begin(folders[0]);
    await until('the first look', async () => ((await journal.heads('work')).size > 0 ? true : null));
    const row = await pushWaiting('go on');
    // As another server would, which then goes away again.
    await runSql(url, 'update lease set epoch = epoch + 1, expires_at = 0');
    await server.until(/conducts no more; it has let go of its attempts/);
    writeFileSync(join(repository.folder, 'go on'), '');
    assert.equal((await ended(row.id)).state, 'success');
    const attempts = [...attemptsIn(await journal.events(row.id))];
    assert.deepEqual(
      attempts.map(([key, outcome]) => `${key} ${outcome?.slice(0, 4)}`),
      ['step0/0/1 shut', 'step0/0/2 succ', 'step1/0/1 succ'],
    );
    assert.ok(effects(repository).every(({ word }) => word !== 'twice'));
    server.kill('SIGTERM');
    assert.equal((await server.ended).status, 0);
  },
);

test('a run from the command line is carried out by the server that conducts, wherever that is', { skip }, async () => {
  repository.commit({ '.pipelines/chain.ts': chain(repository, 2, 'true') });
  const environment = { CONTENDER_DATABASE_URL: url, CONTENDER_API_TOKEN: apiToken };
  const alone = await folders[1].run(['run', 'chain'], { environment });
  assert.equal(alone.status, 0, alone.err);
  const server = await begin(folders[0]);
  await conducts(server);
  const elsewhere = await folders[1].run(['run', 'chain'], { environment });
  assert.equal(elsewhere.status, 0, elsewhere.err);
  const beside = await folders[0].run(['run', 'chain'], { environment });
  assert.equal(beside.status, 0, beside.err);
  assert.match(beside.out, /Handed to the server/);
  const lease = await journal.lease();
  assert.deepEqual([lease?.epoch, lease?.place.pid], [2, server.pid], 'nobody else has conducted meanwhile');
  assert.equal((await journal.runs({ limit: 9 })).length, 3);
});

test('connections that are ended again and again lose no run and double no tick', { skip }, async () => {
  const servers = [await begin(folders[0]), await begin(folders[1])];
  await until('the first look', async () => ((await journal.heads('work')).size > 0 ? true : null));
  repository.commit({
    '.pipelines/chain.ts': chain(repository, 8, 'sleep 0.1'),
    '.pipelines/tick.ts': `${fromContender}export default pipeline('tick', { on: { schedule: '* * * * *' } }, () => {\n  step('beat', { command: ['true'] });\n});\n`,
  });
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'contender' and pid <> pg_backend_pid()`;
  let endings = 0;
  let known = 0;
  await until('the run and two ticks', async () => {
    const [row] = await journal.runs({ pipeline: 'chain', limit: 1 });
    const events = row === undefined ? [] : await journal.events(row.id);
    const ticks = await journal.ticks('work', 'tick', 9);
    // Each time that a little has happened.
    if (events.length + ticks.length >= known + 3) {
      known = events.length + ticks.length;
      endings += 1;
      await runSql(url, end);
    }
    return row !== undefined && row.finishedAt !== null && ticks.length >= 2 && endings > 5 ? true : null;
  });
  for (const server of servers) {
    server.kill('SIGTERM');
    const { status } = await server.ended;
    assert.equal(status, 0, server.said());
  }
  const chains = await journal.runs({ pipeline: 'chain', limit: 9 });
  assert.deepEqual(
    chains.map(({ state }) => state),
    ['success'],
  );
  const [run] = chains;
  assertConsistent(repository, run?.id ?? '', await journal.events(run?.id ?? ''));
  const ticks = await journal.ticks('work', 'tick', 99);
  const runs = await journal.runs({ pipeline: 'tick', limit: 99 });
  assert.deepEqual(ticks.flatMap(({ runId }) => runId ?? []).toSorted(), runs.map(({ id }) => id).toSorted());
  for (const [index, { tick }] of ticks.entries())
    if (index > 0) assert.equal((ticks[index - 1]?.tick ?? 0) - tick, 60_000, 'no tick is missing');
});
