/** What is asked of runs. */
import assert from 'node:assert/strict';
import type { Journal, Write } from '../../src/journal/journal.ts';
import { append, at, finish, openRun, request, runId, scheduled, versionsWrite } from '../support/journal-values.ts';
import { commit, conflict, mustKeep, type Use } from './journal-suite.ts';

async function openIds(journal: Journal): Promise<readonly string[]> {
  return (await journal.openRequests(50)).map(({ id }) => id);
}

const done = (id: string): Write => ({ write: 'request-done', id, at: at + 1 });

export function requests(use: Use): void {
  use('gives what was asked of runs, as it was, oldest first, until it is done', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)));
    await mustKeep(journal, request('b', runId(1), { at: at + 1 }), request('c', runId(2), { at }));
    await mustKeep(journal, request('a', runId(1), { at: at + 1 }));
    const asked = { type: 'cancel', by: 'ada', reason: 'wrong data' };
    const [first] = await journal.openRequests(1);
    assert.deepEqual(first, { id: 'c', runId: runId(2), request: asked, at });
    assert.deepEqual(await openIds(journal), ['c', 'a', 'b']);
    await mustKeep(journal, append(runId(1), 1, [scheduled('x')]), done('a'));
    assert.deepEqual(await openIds(journal), ['c', 'b']);
    assert.deepEqual((await journal.request('a'))?.request, asked);
    assert.equal(await journal.request('nothing'), null);
    await mustKeep(journal, done('a'), done('nothing'));
    assert.deepEqual(await openIds(journal), ['c', 'b']);
  });

  use('keeps no request a second time, done or not', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), request('a', runId(1)));
    assert.deepEqual(await commit(journal, request('a', runId(1))), conflict('duplicate-request'));
    await mustKeep(journal, done('a'));
    assert.deepEqual(await commit(journal, request('a', runId(1))), conflict('duplicate-request'));
    await mustKeep(journal, request('a', runId(1), { whereEnded: 'nothing' }));
    assert.deepEqual(await openIds(journal), []);
  });

  use('keeps no request of a run that has ended, or that there is not', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), finish(runId(1), 1));
    for (const run of [runId(1), runId(9)]) {
      assert.deepEqual(await commit(journal, request('a', run)), conflict('run-ended'));
      await mustKeep(journal, request('b', run, { whereEnded: 'nothing' }));
    }
    assert.deepEqual(await openIds(journal), []);
  });

  use('settles with the end of a run what was asked of it too late', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)));
    await mustKeep(journal, request('a', runId(1)), request('b', runId(1)), request('c', runId(2)));
    await mustKeep(journal, finish(runId(1), 1));
    assert.deepEqual(await openIds(journal), ['c']);
  });

  use('keeps a request of an older run together with the opening of a newer one, or neither', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1), {}, 'push/1'));
    const asked = request('a', runId(1), { whereEnded: 'nothing' });
    assert.deepEqual(await commit(journal, asked, openRun(runId(2), {}, 'push/1')), conflict('duplicate-trigger', 1));
    assert.deepEqual(await openIds(journal), []);
    await mustKeep(journal, openRun(runId(2), {}, 'push/2'), asked);
    assert.deepEqual(await openIds(journal), ['a']);
  });
}
