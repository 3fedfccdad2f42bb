/** What comes in: deliveries, triggers, versions, heads, ticks. */
import assert from 'node:assert/strict';
import type { Part, Write } from '../../src/journal/journal.ts';
import { at, definition, digest, openRun, repository, runId, sha, versionsWrite } from '../support/journal-values.ts';
import { commit, conflict, mustKeep, type Use } from './journal-suite.ts';

export function deliveries(use: Use): void {
  const delivery = (id: string, semanticKey: string | null, time = at): Write => ({
    write: 'delivery',
    id,
    repository,
    event: 'push',
    semanticKey,
    body: { ref: 'refs/heads/main' },
    at: time,
  });

  use('takes a delivery once, by its id and by its meaning', async (journal) => {
    await mustKeep(journal, delivery('1', 'push main a'));
    assert.deepEqual(await commit(journal, delivery('1', 'push main b')), conflict('duplicate-delivery'));
    assert.deepEqual(await commit(journal, delivery('2', 'push main a')), conflict('duplicate-delivery'));
    await mustKeep(journal, delivery('3', null));
    await mustKeep(journal, delivery('4', null));
    assert.deepEqual(
      (await journal.pendingDeliveries(9)).map(({ id }) => id),
      ['1', '3', '4'],
    );
  });

  use('gives the deliveries that are not done, oldest first', async (journal) => {
    await mustKeep(
      journal,
      delivery('late', null, at + 2),
      delivery('early', null, at),
      delivery('middle', null, at + 1),
    );
    const [first] = await journal.pendingDeliveries(1);
    assert.deepEqual(first, { id: 'early', repository, event: 'push', body: { ref: 'refs/heads/main' }, at });
    await mustKeep(journal, { write: 'delivery-done', id: 'early', state: 'done', note: 'run 1', at });
    await mustKeep(journal, { write: 'delivery-done', id: 'late', state: 'failed', note: 'gone', at });
    assert.deepEqual(
      (await journal.pendingDeliveries(9)).map(({ id }) => id),
      ['middle'],
    );
  });

  use('gives the deliveries of one repository, and those after another', async (journal) => {
    const elsewhere = { ...delivery('b', null), repository: 'shop/other' };
    await mustKeep(journal, delivery('c', null), elsewhere, delivery('a', null, at + 1), delivery('d', null, at + 1));
    const ids = async (part: Part): Promise<readonly string[]> =>
      (await journal.pendingDeliveries(2, part)).map(({ id }) => id);
    assert.deepEqual(await ids({}), ['b', 'c']);
    assert.deepEqual(await ids({ after: 'c' }), ['a', 'd']);
    assert.deepEqual(await ids({ repository }), ['c', 'a']);
    await mustKeep(journal, { write: 'delivery-done', id: 'a', state: 'done', note: '', at });
    assert.deepEqual(await ids({ repository, after: 'a' }), ['d']);
    assert.deepEqual(await ids({ repository: 'shop/other', after: 'b' }), []);
  });

  use('lets the first outcome of a delivery stand, and a done one is still a duplicate', async (journal) => {
    await mustKeep(journal, delivery('1', 'a'));
    await mustKeep(journal, { write: 'delivery-done', id: '1', state: 'ignored', note: 'no pipeline', at });
    await mustKeep(journal, { write: 'delivery-done', id: '1', state: 'failed', note: 'late', at: at + 1 });
    assert.deepEqual(await commit(journal, delivery('1', null)), conflict('duplicate-delivery'));
    assert.deepEqual(await journal.pendingDeliveries(9), []);
  });

  use('knows a trigger that led to no run, and never opens a run under it', async (journal) => {
    const skipped: Write = {
      write: 'trigger-skipped',
      key: 'push/1',
      at,
      reason: 'a newer commit',
      coveredBy: 'push/2',
    };
    await mustKeep(journal, versionsWrite, skipped);
    assert.deepEqual(await journal.trigger('push/1'), { key: 'push/1', at, runId: null, reason: 'a newer commit' });
    assert.deepEqual(await commit(journal, skipped), conflict('duplicate-trigger'));
    assert.deepEqual(await commit(journal, openRun(runId(1), {}, 'push/1')), conflict('duplicate-trigger'));
    await mustKeep(journal, openRun(runId(2), {}, 'push/2'));
    assert.deepEqual(await commit(journal, { ...skipped, key: 'push/2' }), conflict('duplicate-trigger'));
  });
}

export function versions(use: Use): void {
  use('tells a commit without pipelines from one that was not compiled', async (journal) => {
    assert.equal(await journal.versions(repository, sha), null);
    await mustKeep(journal, { ...versionsWrite, versions: [], definitions: new Map() });
    assert.deepEqual(await journal.versions(repository, sha), []);
  });

  use('keeps what a commit compiled to the first time, for ever', async (journal) => {
    const broken = {
      file: '.pipelines/b.ts',
      pipeline: null,
      digest: null,
      problems: [{ code: 'definition-invalid', message: 'm', where: { file: 'b', line: 1, column: 2 }, help: 'h' }],
    } as const;
    const versions = [{ file: '.pipelines/churn.ts', pipeline: 'churn', digest, problems: [] }, broken];
    const write: Write = {
      write: 'versions',
      repository,
      sha,
      at,
      versions,
      definitions: new Map([[digest, definition]]),
    };
    await mustKeep(journal, write);
    await mustKeep(journal, { ...write, versions: [], definitions: new Map([[digest, { ...definition, name: 'x' }]]) });
    assert.deepEqual(await journal.versions(repository, sha), versions);
    assert.deepEqual(await journal.definition(digest), definition);
    assert.equal(await journal.definition('e'.repeat(64)), null);
  });

  use('knows where each branch stood, until it is gone', async (journal) => {
    const head = (branch: string, to: string | null): Write => ({ write: 'head', repository, branch, sha: to, at });
    await mustKeep(journal, head('main', sha), head('topic', sha), head('main', 'b'.repeat(40)));
    assert.equal(await journal.head(repository, 'main'), 'b'.repeat(40));
    assert.deepEqual(
      await journal.heads(repository),
      new Map([
        ['main', 'b'.repeat(40)],
        ['topic', sha],
      ]),
    );
    await mustKeep(journal, head('topic', null), head('never there', null));
    assert.equal(await journal.head(repository, 'topic'), null);
    assert.deepEqual(await journal.heads('shop/other'), new Map());
  });
}

export function ticks(use: Use): void {
  use('keeps each tick of a pipeline once, newest first', async (journal) => {
    const tick = (time: number, pipeline = 'churn'): Write => ({
      write: 'tick',
      repository,
      pipeline,
      tick: time,
      at: at + 5,
      decision: 'missed',
      reason: 'down',
      runId: null,
    });
    assert.equal(await journal.lastTick(repository, 'churn'), null);
    await mustKeep(journal, tick(at), tick(at + 2), tick(at + 1), tick(at + 9, 'other'));
    const run: Write = {
      write: 'tick',
      repository,
      pipeline: 'churn',
      tick: at,
      at,
      decision: 'run',
      reason: null,
      runId: runId(1),
    };
    assert.deepEqual(await commit(journal, run), conflict('duplicate-tick'));
    await mustKeep(journal, { ...run, tick: at + 3 });
    assert.equal(await journal.lastTick(repository, 'churn'), at + 3);
    assert.deepEqual(await journal.ticks(repository, 'churn', 2), [
      { tick: at + 3, at, decision: 'run', reason: null, runId: runId(1) },
      { tick: at + 2, at: at + 5, decision: 'missed', reason: 'down', runId: null },
    ]);
  });
}
