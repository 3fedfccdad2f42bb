/** Backfills, their intervals, and the runs of a date. */
import assert from 'node:assert/strict';
import type { Journal, Write } from '../../src/journal/journal.ts';
import { append, at, backfill, finish, openRun, repository, runId, versionsWrite } from '../support/journal-values.ts';
import { commit, conflict, mustKeep, type Use } from './journal-suite.ts';

function runOf(id: string, position: number, run: string): Write {
  return { write: 'backfill-interval', id, position, decision: 'run', reason: null, runId: run, at };
}

function skipped(id: string, position: number): Write {
  return { write: 'backfill-interval', id, position, decision: 'skipped', reason: 'enough', runId: null, at };
}

type Move = Extract<Write, { write: 'backfill-state' }>;

function move(id: string, from: Move['from'], to: Move['to'], reason: string | null = null): Write {
  return { write: 'backfill-state', id, from, to, reason, at: at + 9 };
}

async function decisions(journal: Journal, id: string): Promise<readonly string[]> {
  return (await journal.backfillIntervals(id)).map(({ decision, reason }) => `${decision} ${String(reason)}`);
}

export function backfills(use: Use): void {
  use('gives a backfill as it was, with what has become of its intervals and the first that waits', async (journal) => {
    const write = backfill('b1', ['it ran', null, null, null]);
    await mustKeep(journal, versionsWrite, write);
    await mustKeep(journal, openRun(runId(1)), runOf('b1', 1, runId(1)));
    await mustKeep(journal, openRun(runId(2)), runOf('b1', 2, runId(2)), finish(runId(2), 1));
    assert.deepEqual(await journal.backfill('b1'), {
      ...write.backfill,
      state: 'running',
      reason: null,
      finishedAt: null,
      waiting: 1,
      skipped: 1,
      active: 1,
      succeeded: 1,
      failed: 0,
      next: { position: 3, logicalDate: at + 3, intervalEnd: at + 4 },
    });
    assert.deepEqual((await journal.backfillIntervals('b1'))[2], {
      position: 2,
      logicalDate: at + 2,
      intervalEnd: at + 3,
      decision: 'run',
      reason: null,
      runId: runId(2),
      runState: 'success',
    });
    assert.equal(await journal.backfill('b2'), null);
  });

  use('keeps no backfill a second time, and none of the intervals of the second', async (journal) => {
    await mustKeep(journal, versionsWrite, backfill('b1', [null]));
    assert.deepEqual(await commit(journal, backfill('b1', [null, null])), conflict('duplicate-backfill'));
    assert.equal((await journal.backfillIntervals('b1')).length, 1);
  });

  use('decides on an interval once, together with the run that it gets', async (journal) => {
    await mustKeep(journal, versionsWrite, backfill('b1', [null, null]));
    await mustKeep(journal, openRun(runId(1)), runOf('b1', 0, runId(1)));
    assert.deepEqual(await commit(journal, openRun(runId(2)), runOf('b1', 0, runId(2))), conflict('changed', 1));
    assert.equal(await journal.run(runId(2)), null);
    assert.deepEqual(await commit(journal, skipped('b1', 0)), conflict('changed'));
    await mustKeep(journal, skipped('b1', 1));
    assert.deepEqual(await decisions(journal, 'b1'), ['run null', 'skipped enough']);
    assert.deepEqual(await commit(journal, skipped('b1', 7)), conflict('changed'));
  });

  use('lets nothing begin in a backfill that is cancelled', async (journal) => {
    await mustKeep(journal, versionsWrite, backfill('b1', [null, null]), backfill('b2', [null]));
    await mustKeep(journal, openRun(runId(1)), runOf('b1', 0, runId(1)));
    await mustKeep(journal, move('b1', 'running', 'cancelling', 'by ada'));
    assert.deepEqual(await decisions(journal, 'b1'), ['run null', 'skipped by ada']);
    assert.deepEqual(await commit(journal, openRun(runId(2)), runOf('b1', 1, runId(2))), conflict('changed', 1));
    assert.deepEqual(await commit(journal, move('b1', 'running', 'cancelling')), conflict('changed'));
    await mustKeep(journal, move('b1', 'cancelling', 'cancelled'));
    const ended = await journal.backfill('b1');
    assert.deepEqual([ended?.state, ended?.reason, ended?.finishedAt], ['cancelled', 'by ada', at + 9]);
    assert.deepEqual(await decisions(journal, 'b2'), ['waiting null']);
  });

  use('lists the open backfills oldest first, and all of them newest first', async (journal) => {
    await mustKeep(journal, versionsWrite, backfill('b2', []), backfill('b1', []), backfill('b3', [], at - 1));
    await mustKeep(journal, move('b1', 'running', 'done'));
    assert.deepEqual(
      (await journal.openBackfills()).map(({ id }) => id),
      ['b3', 'b2'],
    );
    assert.deepEqual(
      (await journal.backfills(2)).map(({ id }) => id),
      ['b2', 'b1'],
    );
  });

  use('gives the runs of a pipeline for a range of dates, those of one date in their order', async (journal) => {
    const [monday, tuesday] = [{ logicalDate: at + 1 }, { logicalDate: at + 2 }];
    await mustKeep(journal, versionsWrite, openRun(runId(1), tuesday), openRun(runId(2), monday));
    await mustKeep(journal, openRun(runId(4), monday), openRun(runId(5), { ...monday, pipeline: 'other' }));
    await mustKeep(journal, openRun(runId(3), monday), openRun(runId(6), { logicalDate: at + 3 }));
    await mustKeep(journal, append(runId(3), 1, []));
    const runs = await journal.runsOfDates(repository, 'churn', { from: at + 1, to: at + 2 });
    assert.deepEqual(
      runs.map(({ id }) => id),
      [runId(2), runId(3), runId(4), runId(1)],
    );
  });
}
