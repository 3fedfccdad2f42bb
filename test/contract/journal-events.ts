/** Ends of runs, news of datasets, and who listens to them. */
import assert from 'node:assert/strict';
import type { Journal, Part, Write } from '../../src/journal/journal.ts';
import { at, dataEvent, finish, openRun, repository, runId, versionsWrite } from '../support/journal-values.ts';
import { commit, conflict, mustKeep, type Use } from './journal-suite.ts';

function decided(id: string, changes: Partial<Extract<Write, { write: 'data-event-decided' }>> = {}): Write {
  const news = { dataset: 'features', digest: null, evenIfSame: false, refused: null };
  return { write: 'data-event-decided', id, ...news, ...changes };
}

function listening(add: readonly string[], remove: readonly string[] = []): Write {
  return { write: 'data-listening', repository, pipeline: 'churn', add, remove, at };
}

function taken(dataset: string, seen: number, position: number): Write {
  return { write: 'data-taken', repository, pipeline: 'churn', taken: [{ dataset, seen, position }] };
}

/** Told and decided on, one commit each. */
async function tell(journal: Journal, id: string, digest: string | null, evenIfSame = false): Promise<string> {
  await mustKeep(journal, dataEvent(id, { digest }), decided(id, { digest, evenIfSame }));
  return (await journal.dataEvent(id))?.state ?? 'nowhere';
}

async function numbers(journal: Journal): Promise<readonly (readonly [string, number, number])[]> {
  const listeners = await journal.dataListeners(repository);
  return listeners.map(({ dataset, seen, position }) => [dataset, seen, position]);
}

export function runEnds(use: Use): void {
  use('gives the ends of runs until they are done, oldest first, and keeps each once', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)), openRun(runId(3)));
    await mustKeep(journal, finish(runId(2), 1), { write: 'run-end', runId: runId(2), at: at + 1 });
    await mustKeep(journal, finish(runId(1), 1), { write: 'run-end', runId: runId(1), at: at + 2 });
    const ids = async (limit = 9): Promise<readonly string[]> => (await journal.openRunEnds(limit)).map(({ id }) => id);
    assert.deepEqual(await ids(), [runId(2), runId(1)]);
    assert.deepEqual(await ids(1), [runId(2)]);
    assert.equal((await journal.openRunEnds(1))[0]?.state, 'success');
    await mustKeep(journal, { write: 'run-end-done', runId: runId(2), at: at + 3 });
    await mustKeep(journal, { write: 'run-end', runId: runId(2), at: at + 4 });
    await mustKeep(journal, { write: 'run-end-done', runId: runId(2), at: at + 5 });
    assert.deepEqual(await ids(), [runId(1)]);
  });
}

export function openParts(use: Use): void {
  use('gives the open ends and news of one repository, and those after another', async (journal) => {
    const other = { repository: 'shop/other' };
    await mustKeep(journal, versionsWrite, { ...versionsWrite, ...other });
    for (const number of [1, 2, 3, 4]) {
      const id = runId(number);
      const from = number === 2 ? other : {};
      const told = dataEvent(`e${number}`, { runId: id, step: 'load', toldBy: null, toldAt: at + 9 - number });
      await mustKeep(journal, openRun(id, from), finish(id, 1), { write: 'run-end', runId: id, at: at + (number % 2) });
      await mustKeep(journal, told);
    }
    await mustKeep(journal, dataEvent('outside', { toldAt: at }));
    const ends = async (part: Part): Promise<readonly string[]> =>
      (await journal.openRunEnds(2, part)).map(({ id }) => id);
    assert.deepEqual(await ends({}), [runId(2), runId(4)]);
    assert.deepEqual(await ends({ after: runId(4) }), [runId(1), runId(3)]);
    assert.deepEqual(await ends({ repository }), [runId(4), runId(1)]);
    assert.deepEqual(await ends({ repository, after: runId(1) }), [runId(3)]);
    assert.deepEqual(await ends({ repository: 'shop/other', after: runId(2) }), []);
    const news = async (part: Part): Promise<readonly string[]> =>
      (await journal.openDataEvents(2, part)).map(({ id }) => id);
    assert.deepEqual(await news({}), ['outside', 'e4']);
    assert.deepEqual(await news({ after: 'e4' }), ['e3', 'e2']);
    assert.deepEqual(await news({ repository }), ['e4', 'e3']);
    assert.deepEqual(await news({ repository, after: 'e3' }), ['e1']);
    assert.deepEqual(await news({ repository: 'shop/other' }), ['e2']);
  });
}

export function dataEvents(use: Use): void {
  use('keeps what is told of data once, and gives it until it is decided on', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)));
    const told = { runId: runId(1), step: 'load', toldBy: null, depth: 2, digest: 'one' };
    await mustKeep(journal, dataEvent('e1', told), dataEvent('e0', { toldAt: at - 1 }));
    assert.deepEqual(await commit(journal, dataEvent('e1')), conflict('duplicate-event'));
    assert.deepEqual(
      (await journal.openDataEvents(9)).map(({ id }) => id),
      ['e0', 'e1'],
    );
    const { event } = dataEvent('e1', told);
    assert.deepEqual(await journal.dataEvent('e1'), { ...event, state: 'open', reason: null });
    await mustKeep(journal, decided('e1', { refused: 'it is of a branch' }));
    assert.deepEqual(await journal.dataEvent('e1'), { ...event, state: 'refused', reason: 'it is of a branch' });
    assert.deepEqual(await commit(journal, decided('e1')), conflict('changed'));
    assert.deepEqual(await commit(journal, decided('nothing')), conflict('changed'));
    assert.equal(await journal.dataEvent('nothing'), null);
  });

  use('counts the same digest again as no news, unless it is told to', async (journal) => {
    await mustKeep(journal, listening(['features']));
    assert.equal(await tell(journal, 'e1', 'one'), 'news');
    assert.equal(await tell(journal, 'e2', 'one'), 'same');
    assert.equal(await tell(journal, 'e3', 'one', true), 'news');
    assert.equal(await tell(journal, 'e4', 'two'), 'news');
    assert.equal(await tell(journal, 'e5', 'one'), 'news');
    assert.equal(await tell(journal, 'e6', null), 'news');
    assert.equal(await tell(journal, 'e7', null), 'news');
    assert.deepEqual(await numbers(journal), [['features', 0, 6]]);
    const range = async (after: number, upTo: number): Promise<readonly string[]> =>
      (await journal.newsOf('features', { after, upTo }, 9)).map(({ id }) => id);
    assert.deepEqual(await range(0, 3), ['e4', 'e3', 'e1']);
    assert.deepEqual(await range(4, 9), ['e7', 'e6']);
  });

  use(
    'lets a pipeline listen from now on, and keeps what it has not taken where it listens already',
    async (journal) => {
      await tell(journal, 'e1', null);
      await mustKeep(journal, listening(['features', 'labels']));
      assert.deepEqual(await numbers(journal), [
        ['features', 1, 1],
        ['labels', 0, 0],
      ]);
      assert.deepEqual(await journal.listenersWithNews(), []);
      await tell(journal, 'e2', null);
      await mustKeep(journal, listening(['features', 'other'], ['labels', 'never']));
      assert.deepEqual(await numbers(journal), [
        ['features', 1, 2],
        ['other', 0, 0],
      ]);
      const listener = { repository, pipeline: 'churn', dataset: 'features', seen: 1, position: 2 };
      assert.deepEqual(await journal.listenersWithNews(), [listener]);
    },
  );

  use('gives news to one run, together with it', async (journal) => {
    await mustKeep(journal, versionsWrite, listening(['features']));
    await tell(journal, 'e1', null);
    await mustKeep(journal, openRun(runId(1)), taken('features', 0, 1));
    assert.deepEqual(await commit(journal, openRun(runId(2)), taken('features', 0, 2)), conflict('changed', 1));
    assert.equal(await journal.run(runId(2)), null);
    assert.deepEqual(await commit(journal, taken('labels', 0, 1)), conflict('changed'));
    assert.deepEqual(await journal.listenersWithNews(), []);
  });

  use('lists what was told, the newest first, of all datasets or of one', async (journal) => {
    await mustKeep(journal, dataEvent('e1'), dataEvent('e2', { dataset: 'labels', toldAt: at + 2 }));
    await mustKeep(journal, dataEvent('e3', { toldAt: at + 1 }));
    const ids = async (dataset: string | null, limit = 9): Promise<readonly string[]> =>
      (await journal.dataEvents(dataset, limit)).map(({ id }) => id);
    assert.deepEqual(await ids(null), ['e2', 'e3', 'e1']);
    assert.deepEqual(await ids('features'), ['e3', 'e1']);
    assert.deepEqual(await ids(null, 1), ['e2']);
  });

  use('numbers the news of commits that are given together', async (journal) => {
    await mustKeep(journal, listening(['features']));
    const commits = ['e1', 'e2', 'e1', 'e3'].map((id) => [dataEvent(id), decided(id)]);
    const results = await journal.commit(commits);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, false, true],
    );
    assert.deepEqual(await numbers(journal), [['features', 0, 3]]);
  });
}
