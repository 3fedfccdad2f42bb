/** Who conducts: taken once, renewed by its holder, refused to everybody else, in the same transaction as what is kept. */
import assert from 'node:assert/strict';
import { LeaseLost, type Journal } from '../../src/journal/journal.ts';
import { at, openRun, outbox, runId, versionsWrite } from '../support/journal-values.ts';
import { kept, type Use } from './journal-suite.ts';

const place = { pid: 7, host: 'here', url: null };
const longMs = 60_000;

async function taken(journal: Journal, lastsMs = longMs): Promise<number> {
  const epoch = await journal.takeLease(place, lastsMs);
  assert.ok(epoch !== null);
  return epoch;
}

export function lease(use: Use): void {
  use('says who has the lease, and what they said of themselves', async (journal) => {
    assert.equal(await journal.lease(), null);
    const epoch = await taken(journal);
    assert.equal(await journal.renewLease(epoch, longMs, { slots: 4 }), true);
    const row = await journal.lease();
    assert.deepEqual([row?.epoch, row?.place, row?.said], [1, place, { slots: 4 }]);
    assert.ok(row !== null && row.expiresInMs > 0 && row.expiresInMs <= longMs);
  });

  use('gives a free lease to the next one under a new epoch, and forgets what the one before said', async (journal) => {
    const first = await taken(journal, 0);
    await journal.renewLease(first, 0, { slots: 4 });
    assert.ok(((await journal.lease())?.expiresInMs ?? 1) <= 0);
    assert.equal(await taken(journal), 2);
    assert.deepEqual((await journal.lease())?.said, {});
    await journal.releaseLease(2);
    assert.ok(((await journal.lease())?.expiresInMs ?? 0) <= 0);
    assert.equal(await taken(journal), 3);
  });

  use('refuses the lease to others until it has expired, where there can be others', async (journal) => {
    await taken(journal);
    assert.equal(await journal.takeLease({ ...place, pid: 8 }, longMs), journal.alone ? 2 : null);
    assert.equal((await journal.lease())?.place.pid, journal.alone ? 8 : 7);
  });

  use(
    'keeps what is committed under the epoch of the lease, also where it has expired and nobody took it',
    async (journal) => {
      const epoch = await taken(journal, 0);
      assert.deepEqual(await journal.commit([[versionsWrite, openRun(runId(1))], [outbox('a')]], epoch), [kept, kept]);
      assert.notEqual(await journal.run(runId(1)), null);
    },
  );

  use('keeps nothing under an epoch that is over, and everything without one', async (journal) => {
    await journal.commit([[versionsWrite]]);
    const old = await taken(journal, 0);
    await taken(journal);
    await assert.rejects(journal.commit([[openRun(runId(1))], [outbox('a')]], old), LeaseLost);
    await assert.rejects(journal.commit([[outbox('a')]], 99), LeaseLost);
    const together = await Promise.allSettled([
      journal.commit([[openRun(runId(2))]], old),
      journal.commit([[openRun(runId(3))]]),
      journal.commit([[openRun(runId(4))]], old + 1),
    ]);
    assert.deepEqual(
      together.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
    assert.deepEqual(
      (await journal.unfinishedRuns()).map(({ id }) => id),
      [runId(3), runId(4)],
    );
    assert.deepEqual(await journal.dueOutbox(at, 9), []);
  });

  use('renews and releases nothing for one who has lost it', async (journal) => {
    const old = await taken(journal, 0);
    await taken(journal);
    assert.equal(await journal.renewLease(old, 2 * longMs, {}), false);
    await journal.releaseLease(old);
    const row = await journal.lease();
    assert.ok(row !== null && row.expiresInMs > 0 && row.expiresInMs <= longMs);
  });

  use('tells a conflict under an epoch as it does without', async (journal) => {
    const epoch = await taken(journal);
    await journal.commit([[versionsWrite, openRun(runId(1), {}, 'push/1')]], epoch);
    assert.deepEqual(await journal.commit([[outbox('a')], [openRun(runId(2), {}, 'push/1')]], epoch), [
      kept,
      { ok: false, conflict: 'duplicate-trigger', write: 0 },
    ]);
  });
}
