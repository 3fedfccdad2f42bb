/** Notices from the outbox of a real journal to a receiver on loopback, on a clock that the test sets. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { noticesOf } from '../../src/conductor/reports/notices-of.ts';
import { Outbox } from '../../src/conductor/reports/outbox.ts';
import type { ConductorPorts } from '../../src/conductor/ports.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { createNotifier } from '../../src/notify/channels.ts';
import { payloadSchema } from '../../src/notify/payload.ts';
import { openReceiver, status, type Receiver } from '../notify/receiver.ts';
import { at, openRun, runId, versionsWrite } from '../support/journal-values.ts';

const id = runId(1);
const logged: string[] = [];
let now = at;
let receiver: Receiver;
let journal: Journal;
let outbox: Outbox;

beforeEach(async () => {
  now = at;
  logged.length = 0;
  receiver = await openReceiver();
  journal = await openSqliteJournal({ directory: null, clock: { now: () => now } });
  outbox = new Outbox(ports());
  const notice = {
    id: `${id}/run-failed`,
    event: 'run-failed',
    channel: 'team',
    runId: id,
    at,
    reason: 'train failed',
  };
  const key = `notify:${notice.id}/team`;
  await journal.commit([
    [versionsWrite, openRun(id), { write: 'outbox', key, kind: 'notify', body: notice, at, dueAt: at, runId: id }],
  ]);
});

afterEach(async () => {
  receiver.close();
  await journal.close();
});

/** Forge, Git and executor have no part in it: whoever asked for one would fail. */
function ports(): ConductorPorts {
  const nothing = (): undefined => undefined;
  const queue = { wake: nothing, start: nothing, stop: () => Promise.resolve() };
  const clock = { now: () => now };
  const given = {
    clock,
    journal,
    notifier: createNotifier({
      channels: new Map([['team', { kind: 'webhook', url: 'TEAM', key: null }]]),
      defaults: [],
      variable: () => receiver.url,
      clock,
    }),
    projects: new Map(),
    runQueue: queue,
    jobQueue: queue,
    runUrl: () => null,
    log: {
      info: nothing,
      warn: (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`),
      error: (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`),
    },
  };
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the ports that are left out are not used
  return given as unknown as ConductorPorts;
}

async function work(): Promise<void> {
  await outbox.work();
  await outbox.settled();
}

test('a receiver that is broken is asked again until it takes it, with the same id', async () => {
  receiver.answers.push(status(500), status(503));
  for (let count = 0; count < 3; count += 1) {
    await work();
    now = (await journal.nextOutboxAt()) ?? now;
  }
  await work();
  const ids = receiver.arrived.map(({ body }) => payloadSchema.parse(JSON.parse(body)).id);
  assert.deepEqual(
    ids,
    Array.from({ length: 3 }, () => `${id}/run-failed`),
  );
  assert.deepEqual(await noticesOf(journal, id), [{ event: 'run-failed', channel: 'team', error: null, dueAt: null }]);
});

test('a receiver that is asked too much says when to come again', async () => {
  receiver.answers.push(status(429, { 'retry-after': '90' }));
  await work();
  assert.deepEqual(await noticesOf(journal, id), [
    { event: 'run-failed', channel: 'team', error: 'it answered 429', dueAt: at + 90_000 },
  ]);
});

test('after a day it is given up, and shown as such', async () => {
  receiver.answers.push(status(404), status(404));
  await work();
  now = at + 24 * 3_600_000;
  await work();
  assert.deepEqual(await noticesOf(journal, id), [
    { event: 'run-failed', channel: 'team', error: 'it answered 404', dueAt: null },
  ]);
  assert.equal(await journal.nextOutboxAt(), null);
  assert.equal(logged.length, 2);
  assert.match(logged[1] ?? '', /^not delivered, and not tried again/);
  assert.doesNotMatch(logged.join(), /geheim/);
});

test('a receiver that is slow keeps nothing else waiting', async () => {
  const asked = Promise.withResolvers<() => void>();
  receiver.answers.push((response) => asked.resolve(() => response.end()));
  await outbox.work();
  const answer = await asked.promise;
  const body = { text: 'another' };
  await journal.commit([[{ write: 'outbox', key: 'other', kind: 'other', body, at, dueAt: at }]]);
  await outbox.work();
  assert.deepEqual(
    (await journal.dueOutbox(now, 9)).map(({ kind }) => kind),
    ['notify'],
  );
  answer();
  await outbox.settled();
  assert.deepEqual(await journal.dueOutbox(now, 9), []);
  assert.equal(receiver.arrived.length, 1);
});
