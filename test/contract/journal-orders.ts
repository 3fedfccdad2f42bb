/** Orders, and whether there is anything that waits for whoever conducts. */
import assert from 'node:assert/strict';
import type { Write } from '../../src/journal/journal.ts';
import { at, backfill, openRun, repository, runId, versionsWrite } from '../support/journal-values.ts';
import { commit, conflict, kept, mustKeep, type Use } from './journal-suite.ts';

function order(id: string, since = at): Write {
  return { write: 'order', id, body: { kind: 'run', what: id }, at: since };
}

function answered(id: string, answer: string): Write {
  return { write: 'order-answered', id, answer: { answer }, at: at + 1 };
}

export function orders(use: Use): void {
  use('keeps an order once, and gives those without an answer oldest first', async (journal) => {
    await mustKeep(journal, order('b'), order('a'), order('c', at - 1));
    await mustKeep(journal, { ...order('a'), body: { kind: 'other' } } as Write);
    assert.deepEqual(
      (await journal.openOrders(9)).map(({ id }) => id),
      ['c', 'a', 'b'],
    );
    assert.deepEqual(await journal.order('a'), { id: 'a', body: { kind: 'run', what: 'a' }, at, answer: null });
    assert.equal(await journal.order('d'), null);
  });

  use('answers an order once, together with the run that it opened', async (journal) => {
    await mustKeep(journal, versionsWrite, order('a'), order('b'));
    assert.deepEqual(await commit(journal, openRun(runId(1)), answered('a', 'one')), kept);
    assert.deepEqual(await commit(journal, openRun(runId(2)), answered('a', 'two')), conflict('changed', 1));
    assert.equal(await journal.run(runId(2)), null);
    assert.deepEqual((await journal.order('a'))?.answer, { answer: 'one' });
    assert.deepEqual(
      (await journal.openOrders(9)).map(({ id }) => id),
      ['b'],
    );
  });

  use('removes orders whose answers are a week old with the next answer, and no others', async (journal) => {
    const week = 7 * 24 * 3_600_000;
    const answeredAt = (id: string, since: number): Write => ({ ...answered(id, 'x'), at: since }) as Write;
    const old = Array.from({ length: 250 }, (_, number) => `old-${number}`);
    await journal.commit(old.map((id) => [order(id), answeredAt(id, at)]));
    await mustKeep(journal, order('open'), order('fresh'), order('last'), answeredAt('fresh', at + 1));
    const left = async (): Promise<number> =>
      (await Promise.all(old.map((id) => journal.order(id)))).filter((row) => row !== null).length;
    await mustKeep(journal, answeredAt('last', at + week));
    assert.equal(await left(), 250, 'they are not old enough');
    for (const [number, expected] of [150, 50, 0, 0].entries()) {
      await mustKeep(journal, order(`next-${number}`), answeredAt(`next-${number}`, at + week + 1));
      assert.equal(await left(), expected, 'so many at once');
    }
    for (const id of ['open', 'fresh', 'last']) assert.notEqual(await journal.order(id), null, id);
  });

  use('says whether anything waits for whoever conducts', async (journal) => {
    const nothing = { deliveries: false, requests: false, orders: false, backfills: false };
    assert.deepEqual(await journal.news(), nothing);
    await mustKeep(journal, versionsWrite, openRun(runId(1)), order('a'), backfill('b1', [null]));
    const request = { type: 'cancel', by: 'ada', reason: 'enough' } as const;
    const asked = { write: 'request', id: 'r', runId: runId(1), request, at, whereEnded: 'conflict' } as const;
    const delivery = {
      write: 'delivery',
      id: 'd',
      repository,
      event: 'push',
      semanticKey: null,
      body: {},
      at,
    } as const;
    await mustKeep(journal, asked, delivery);
    assert.deepEqual(await journal.news(), { deliveries: true, requests: true, orders: true, backfills: true });
    await mustKeep(
      journal,
      answered('a', 'one'),
      { write: 'request-done', id: 'r', at },
      { write: 'delivery-done', id: 'd', state: 'done', note: '', at },
      { write: 'backfill-state', id: 'b1', from: 'running', to: 'done', reason: null, at },
    );
    assert.deepEqual(await journal.news(), nothing);
  });
}
