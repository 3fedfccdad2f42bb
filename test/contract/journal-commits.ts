/** Commits: whole or not at all, alone in their group, and given by many at once. */
import assert from 'node:assert/strict';
import { type Write } from '../../src/journal/journal.ts';
import {
  append,
  at,
  evaluation,
  opened,
  openRun,
  outbox,
  repository,
  runId,
  scheduled,
  sha,
  versionsWrite,
} from '../support/journal-values.ts';
import { commit, conflict, kept, mustKeep, type Use } from './journal-suite.ts';

export function commits(use: Use): void {
  use('keeps nothing of a commit whose later write conflicts', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1), {}, 'push/1'), outbox('taken'));
    const conflicting: Write = { write: 'outbox-done', key: 'taken', sequence: 99, at };
    const first: Write[] = [
      { write: 'delivery', id: 'd', repository, event: 'push', semanticKey: null, body: {}, at },
      { ...versionsWrite, sha: 'b'.repeat(40) },
      { write: 'head', repository, branch: 'main', sha, at },
      { write: 'trigger-skipped', key: 'skipped', at, reason: 'no pipeline wants it', coveredBy: null },
      openRun(runId(2)),
      append(runId(1), 1, [scheduled('a')]),
      { write: 'tick', repository, pipeline: 'churn', tick: at, at, decision: 'run', reason: null, runId: runId(1) },
      outbox('new'),
      { write: 'evaluation', evaluation: evaluation(runId(1)) },
      { write: 'forge-object', key: 'comment', id: '5', at },
    ];
    for (const write of first) {
      assert.deepEqual(await commit(journal, write, conflicting), conflict('changed', 1), write.write);
    }
    assert.deepEqual(await commit(journal, ...first, conflicting), conflict('changed', first.length));
    assert.deepEqual(await journal.pendingDeliveries(9), []);
    assert.equal(await journal.versions(repository, 'b'.repeat(40)), null);
    assert.equal(await journal.head(repository, 'main'), null);
    assert.equal(await journal.trigger('skipped'), null);
    assert.deepEqual(
      (await journal.runs({ limit: 9 })).map(({ id }) => id),
      [runId(1)],
    );
    assert.deepEqual(await journal.events(runId(1)), [opened(runId(1))]);
    assert.equal(await journal.lastTick(repository, 'churn'), null);
    assert.deepEqual(
      (await journal.dueOutbox(at, 9)).map(({ key }) => key),
      ['taken'],
    );
    assert.deepEqual(await journal.evaluations({ limit: 9 }), []);
    assert.equal(await journal.forgeObject('comment'), null);
  });

  use('says which write of a commit conflicts', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1), {}, 'push/1'));
    const result = await commit(journal, outbox('a'), outbox('b'), openRun(runId(2), {}, 'push/1'), outbox('c'));
    assert.deepEqual(result, conflict('duplicate-trigger', 2));
  });

  use('keeps an empty commit, and an empty list of commits', async (journal) => {
    assert.deepEqual(await journal.commit([[]]), [kept]);
    assert.deepEqual(await journal.commit([]), []);
  });

  use('keeps an append without events as a change of state alone', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)));
    await mustKeep(journal, append(runId(1), 1, []));
    assert.equal((await journal.events(runId(1))).length, 1);
    assert.deepEqual(await commit(journal, append(runId(1), 2, [])), conflict('position'));
  });
}

export function together(use: Use): void {
  use('judges each commit of a group alone, in order, each seeing what was kept before it', async (journal) => {
    await mustKeep(journal, versionsWrite);
    const results = await journal.commit([
      [openRun(runId(1), {}, 'push/1')],
      [openRun(runId(2), {}, 'push/1')],
      [append(runId(1), 1, [scheduled('a')])],
      [append(runId(1), 1, [scheduled('b')]), outbox('lost')],
      [outbox('kept'), append(runId(1), 2, [scheduled('c')])],
      [outbox('also lost'), append(runId(7), 1, [scheduled('d')])],
    ]);
    assert.deepEqual(results, [
      kept,
      conflict('duplicate-trigger'),
      kept,
      conflict('position'),
      kept,
      conflict('position', 1),
    ]);
    assert.deepEqual(await journal.events(runId(1)), [opened(runId(1)), scheduled('a'), scheduled('c')]);
    assert.deepEqual(
      (await journal.dueOutbox(at, 9)).map(({ key }) => key),
      ['kept'],
    );
  });

  use('lets one of many win who append at the same position at once', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)));
    const rivals = Array.from({ length: 20 }, (_, index) =>
      commit(journal, append(runId(1), 1, [scheduled(`s${index}`)])),
    );
    const results = await Promise.all(rivals);
    assert.equal(results.filter(({ ok }) => ok).length, 1);
    const winner = results.findIndex(({ ok }) => ok);
    assert.deepEqual(await journal.events(runId(1)), [opened(runId(1)), scheduled(`s${winner}`)]);
  });

  use('keeps what hundreds of callers give at once', async (journal) => {
    await mustKeep(journal, versionsWrite);
    const ids = Array.from({ length: 300 }, (_, index) => runId(index));
    const results = await Promise.all(ids.map((id) => commit(journal, openRun(id), append(id, 1, [scheduled('a')]))));
    assert.ok(results.every(({ ok }) => ok));
    assert.deepEqual(
      (await journal.unfinishedRuns()).map(({ id }) => id),
      ids,
    );
    const numbers = (await journal.unfinishedRuns()).map(({ number }) => number);
    assert.deepEqual(
      numbers.toSorted((left, right) => left - right),
      ids.map((_, index) => index + 1),
    );
  });

  use('keeps what was given before it was closed, and nothing after', async (journal) => {
    await mustKeep(journal, versionsWrite);
    const last = commit(journal, openRun(runId(1)));
    await journal.close();
    assert.deepEqual(await last, kept);
    await assert.rejects(commit(journal, openRun(runId(2))));
    await journal.close();
  });
}
