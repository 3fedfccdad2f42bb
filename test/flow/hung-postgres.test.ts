/**
 * Connections to PostgreSQL that hang: they stand, and nothing comes back on them, as where a firewall has forgotten them or
 * packets are dropped. Nobody tells either side that anything is wrong.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Journal, RunRow } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { createSandbox, type Running, type Sandbox } from '../cli/sandbox.ts';
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
import { postgresMissing, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startStillProxy, type StillProxy } from '../support/still-proxy.ts';

const skip = postgresMissing();
let postgres: TestPostgres | null = null;
before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(() => postgres?.stop());

let repository: Sandbox;
let folders: readonly [Sandbox, Sandbox];
let proxy: StillProxy;
let direct = '';
let journal: Journal;
beforeEach(async () => {
  if (postgres === null) return;
  direct = await postgres.database();
  proxy = await startStillProxy(Number(new URL(direct).port));
  repository = createWatchedProject();
  folders = [createSandbox(), createSandbox()];
  const settings = `repositories: [{ url: ${repository.folder}, name: work, poll: 200ms }]\nshared: ${repository.folder}/shared\n`;
  for (const folder of folders) folder.write({ 'contender.yaml': settings });
  journal = await openPostgresJournal({ url: direct, clock: { now: Date.now } });
});
afterEach(async () => {
  if (postgres === null) return;
  await journal.close();
  for (const folder of folders) await folder.remove();
  await repository.remove();
  proxy.close();
});

function begin(folder: Sandbox, url: string): Promise<Running> {
  return serve(folder, { CONTENDER_DATABASE_URL: url, CONTENDER_API_TOKEN: 'the token of both servers' });
}

function throughProxy(): string {
  const url = new URL(direct);
  url.port = String(proxy.port);
  return url.href;
}

async function conducts({ pid }: Running): Promise<void> {
  await until('it to conduct', async () => {
    const lease = await journal.lease();
    return lease !== null && lease.expiresInMs > 0 && lease.place.pid === pid ? true : null;
  });
}

/** A run of two steps, the first of which waits until it is told to go on. */
async function pushWaiting(word: string): Promise<RunRow> {
  const before = new Set((await journal.runs({ limit: 9 })).map(({ id }) => id));
  await until('the first look', async () => ((await journal.heads('work')).size > 0 ? true : null));
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

function ended({ id }: RunRow): Promise<RunRow> {
  return until('the end of the run', async () => {
    const found = await journal.run(id);
    return found === null || found.finishedAt === null ? null : found;
  });
}

/** Its step was begun anew once, and not while the first was alive. */
async function endsAfterOneLoss(row: RunRow, word: string): Promise<void> {
  writeFileSync(join(repository.folder, word), '');
  assert.equal((await ended(row)).state, 'success');
  const events = await journal.events(row.id);
  assert.deepEqual(
    [...attemptsIn(events)].map(([key, outcome]) => `${key} ${outcome?.slice(0, 4)}`),
    ['step0/0/1 lost', 'step0/0/2 succ', 'step1/0/1 succ'],
  );
  assert.ok(effects(repository).every(({ word: what }) => what !== 'twice'));
}

test(
  'where the connections of the one that conducts hang, the other takes over, and it comes back',
  { skip },
  async () => {
    const first = await begin(folders[0], throughProxy());
    await conducts(first);
    const second = await begin(folders[1], direct);
    await second.until(/stands by/);
    const row = await pushWaiting('go on');
    proxy.hang(true);
    await conducts(second);
    proxy.letNew();
    await endsAfterOneLoss(row, 'go on');
    await first.until(/another server conducts/);
    await kill(second);
    await conducts(first);
    assert.equal((await journal.runs({ limit: 9 })).length, 1);
    first.kill('SIGTERM');
    assert.equal((await first.ended).status, 0);
  },
);

test('a server whose connections hang for ever goes on with new ones', { skip }, async () => {
  const server = await begin(folders[0], throughProxy());
  await conducts(server);
  const row = await pushWaiting('go on');
  proxy.hang(false);
  writeFileSync(join(repository.folder, 'go on'), '');
  assert.equal((await ended(row)).state, 'success');
  assertConsistent(repository, row.id, await journal.events(row.id));
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0);
});

test('a server that is told to stop ends, though nothing comes from the database any more', { skip }, async () => {
  const server = await begin(folders[0], throughProxy());
  await conducts(server);
  const row = await pushWaiting('go on');
  proxy.hang(true);
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0);
  assert.deepEqual(processesOf(row.id), []);
});
