/** What goes out, what was decided, and what text can be. */
import assert from 'node:assert/strict';
import type { RunEvent } from '../../src/engine/event.ts';
import { type Write } from '../../src/journal/journal.ts';
import {
  append,
  at,
  evaluation,
  openRun,
  outbox,
  repository,
  runId,
  sha,
  versionsWrite,
} from '../support/journal-values.ts';
import { commit, conflict, mustKeep, type Use } from './journal-suite.ts';

export function outboxRows(use: Use): void {
  const done = (key: string, sequence: number): Write => ({ write: 'outbox-done', key, sequence, at: at + 1 });
  const failed = (key: string, sequence: number, dueAt: number | null): Write => ({
    write: 'outbox-failed',
    key,
    sequence,
    at: at + 1,
    error: '502',
    dueAt,
  });

  use('gives what is due, oldest first, up to the limit, and says when the next is', async (journal) => {
    assert.equal(await journal.nextOutboxAt(), null);
    await mustKeep(journal, outbox('late', at + 2), outbox('early', at), outbox('middle', at + 1));
    assert.deepEqual(
      (await journal.dueOutbox(at + 1, 9)).map(({ key }) => key),
      ['early', 'middle'],
    );
    assert.deepEqual(
      (await journal.dueOutbox(at + 9, 2)).map(({ key }) => key),
      ['early', 'middle'],
    );
    const [first] = await journal.dueOutbox(at + 9, 1);
    assert.deepEqual(
      (await journal.dueOutbox(at + 1, 9, first)).map(({ key }) => key),
      ['middle'],
    );
    assert.equal(await journal.nextOutboxAt(), at);
    assert.equal(await journal.nextOutboxAt(at), at + 1);
    await mustKeep(journal, done('early', 1), done('middle', 1));
    assert.equal(await journal.nextOutboxAt(), at + 2);
    assert.deepEqual(await journal.dueOutbox(at + 1, 9), []);
  });

  use('gives the row of a key, done or not', async (journal) => {
    assert.equal(await journal.outboxRow('status'), null);
    await mustKeep(journal, outbox('status', at, { text: 'pending' }), outbox('check', at, { text: 'other' }));
    assert.deepEqual((await journal.outboxRow('status'))?.body, { text: 'pending' });
    await mustKeep(journal, done('status', 1));
    assert.deepEqual((await journal.outboxRow('status'))?.body, { text: 'pending' });
  });

  use('keeps one row a key: asking again replaces what is to be said and raises the sequence', async (journal) => {
    await mustKeep(journal, outbox('status', at, { text: 'pending' }));
    await mustKeep(journal, failed('status', 1, at + 50));
    await mustKeep(journal, outbox('status', at + 3, { text: 'success' }));
    assert.deepEqual(await journal.dueOutbox(at + 9, 9), [
      {
        key: 'status',
        kind: 'status',
        body: { text: 'success' },
        sequence: 2,
        attempts: 0,
        at,
        dueAt: at + 3,
        error: null,
      },
    ]);
  });

  use('lets nobody who carried out the old one mark the new one done or failed', async (journal) => {
    await mustKeep(journal, outbox('status'), outbox('status'));
    assert.deepEqual(await commit(journal, done('status', 1)), conflict('changed'));
    assert.deepEqual(await commit(journal, failed('status', 1, at)), conflict('changed'));
    assert.deepEqual(await commit(journal, done('never there', 1)), conflict('changed'));
    assert.equal((await journal.dueOutbox(at, 9)).length, 1);
    await mustKeep(journal, done('status', 2));
    assert.deepEqual(await journal.dueOutbox(at, 9), []);
  });

  use('goes on counting after a row is done', async (journal) => {
    await mustKeep(journal, outbox('status'));
    await mustKeep(journal, done('status', 1));
    await mustKeep(journal, done('status', 1));
    assert.deepEqual(await commit(journal, failed('status', 1, at)), conflict('changed'));
    await mustKeep(journal, outbox('status'));
    assert.equal((await journal.dueOutbox(at, 9))[0]?.sequence, 2);
    assert.deepEqual(await commit(journal, done('status', 1)), conflict('changed'));
  });

  use(
    'tries a failed row again when it is due, shows it as troubled, and forgets the trouble when done',
    async (journal) => {
      await mustKeep(journal, outbox('status'), outbox('comment'), outbox('fine'));
      await mustKeep(journal, failed('status', 1, at + 10), failed('comment', 1, null));
      assert.deepEqual(
        (await journal.dueOutbox(at, 9)).map(({ key }) => key),
        ['fine'],
      );
      const troubled = await journal.troubledOutbox(9);
      assert.deepEqual(
        troubled.map(({ key, attempts, dueAt, error }) => [key, attempts, dueAt, error]),
        [
          ['status', 1, at + 10, '502'],
          ['comment', 1, null, '502'],
        ],
      );
      assert.deepEqual(
        (await journal.dueOutbox(at + 10, 9)).map(({ key }) => key),
        ['fine', 'status'],
      );
      await mustKeep(journal, done('status', 1));
      assert.deepEqual(
        (await journal.troubledOutbox(9)).map(({ key }) => key),
        ['comment'],
      );
    },
  );

  use('gives the rows that name a run, done or not, in the order of time', async (journal) => {
    const about = (key: string, time: number, of: string): Write => {
      const row = { write: 'outbox', key, kind: 'notify', body: {}, at: time, dueAt: time } as const;
      return { ...row, runId: of };
    };
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)));
    await mustKeep(journal, about('second', at + 1, runId(1)), about('first', at, runId(1)), outbox('status'));
    await mustKeep(journal, about('other', at, runId(2)), done('first', 1));
    assert.deepEqual(
      (await journal.outboxOf(runId(1))).map(({ key, dueAt }) => [key, dueAt]),
      [
        ['first', null],
        ['second', at + 1],
      ],
    );
  });

  use('keeps the last name that a forge gave a thing', async (journal) => {
    assert.equal(await journal.forgeObject('comment/7'), null);
    await mustKeep(journal, { write: 'forge-object', key: 'comment/7', id: '100', at });
    await mustKeep(journal, { write: 'forge-object', key: 'comment/7', id: '200', at });
    assert.equal(await journal.forgeObject('comment/7'), '200');
  });
}

export function evaluations(use: Use): void {
  const put = (row: ReturnType<typeof evaluation>): Write => ({ write: 'evaluation', evaluation: row });

  use('gives an evaluation back as it was, and keeps the first', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)));
    const row = evaluation(runId(1), {
      predictions: { $artifact: 'f'.repeat(64), name: 'p.csv', bytes: 1 },
      pullRequest: 7,
    });
    await mustKeep(journal, put(row));
    await mustKeep(journal, put({ ...row, promotable: false, verdict: null }));
    assert.deepEqual(await journal.evaluations({ limit: 9 }), [row]);
  });

  use('finds evaluations by run, commit, model and pull request, newest first', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)), openRun(runId(3)));
    const first = evaluation(runId(1));
    const second = evaluation(runId(2), { at: at + 1, model: 'fraud', sha: 'c'.repeat(40) });
    const third = evaluation(runId(3), { at: at + 2, pullRequest: 7, promotable: false });
    await mustKeep(journal, put(first), put(second), put(third));
    assert.deepEqual(await journal.evaluations({ limit: 2 }), [third, second]);
    assert.deepEqual(await journal.evaluations({ id: second.id, limit: 1 }), [second]);
    assert.deepEqual(await journal.evaluations({ runId: runId(1), limit: 9 }), [first]);
    assert.deepEqual(await journal.evaluations({ sha: 'c'.repeat(40), limit: 9 }), [second]);
    assert.deepEqual(await journal.evaluations({ model: 'churn', limit: 9 }), [third, first]);
    assert.deepEqual(await journal.evaluations({ model: 'churn', pullRequest: 7, limit: 9 }), [third]);
  });

  use('finds what is undecided in a repository', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)), openRun(runId(3)));
    const here = evaluation(runId(1));
    const refused = evaluation(runId(2), { state: 'refused' });
    const elsewhere = evaluation(runId(3), { repository: 'shop/other' });
    await mustKeep(journal, put(here), put(refused), put(elsewhere));
    const { repository } = here;
    assert.deepEqual(await journal.evaluations({ repository, state: 'reported', limit: 9 }), [here]);
    assert.deepEqual(await journal.evaluations({ repository, state: 'promoted', limit: 9 }), []);
    assert.deepEqual(await journal.neededEvaluations('', 9), [here, elsewhere]);
    assert.deepEqual(await journal.neededEvaluations('', 1), [here]);
    assert.deepEqual(await journal.neededEvaluations(here.id, 9), [elsewhere]);
  });

  use('finds the pull requests that a merge decides on, each once, whatever else waits for nobody', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)));
    const keep = async (id: string, changes: Parameters<typeof evaluation>[1]): Promise<void> =>
      mustKeep(journal, put(evaluation(runId(1), { id, step: id, ...changes })));
    await keep('a', { pullRequest: 7, policy: 'on-merge' });
    await keep('b', { pullRequest: 7, policy: 'automatic' });
    await keep('c', { pullRequest: 9, policy: 'on-merge' });
    await keep('d', { pullRequest: 10, policy: 'never' });
    await keep('e', { pullRequest: 11, policy: 'on-approval' });
    await keep('f', { pullRequest: null, policy: 'on-merge' });
    await keep('g', { pullRequest: 12, policy: 'on-merge', state: 'refused' });
    await keep('h', { pullRequest: 13, policy: 'on-merge', repository: 'shop/other' });
    const { repository } = evaluation(runId(1));
    assert.deepEqual(await journal.undecidedPullRequests(repository, 9), [9, 7]);
    assert.deepEqual(await journal.undecidedPullRequests(repository, 1), [9]);
  });

  use('finds the verdicts of runs that let nothing be promoted', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)), openRun(runId(3)));
    const worse = evaluation(runId(2), { promotable: false, verdict: { kind: 'worse' } });
    const elsewhere = evaluation(runId(3), { promotable: false });
    await mustKeep(journal, put(evaluation(runId(1))), put(worse), put(elsewhere));
    assert.deepEqual(await journal.unpromotable([]), []);
    assert.deepEqual(await journal.unpromotable([runId(1)]), []);
    for (const ids of [[runId(2)], [runId(1), runId(2), runId(9)]])
      assert.deepEqual(await journal.unpromotable(ids), [{ runId: runId(2), verdict: { kind: 'worse' } }]);
  });

  use('decides an evaluation once', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), put(evaluation(runId(1))));
    const id = evaluation(runId(1)).id;
    const promote: Write = {
      write: 'evaluation-state',
      id,
      from: 'reported',
      to: 'promoting',
      reason: null,
      version: null,
      at,
    };
    await mustKeep(journal, promote);
    assert.deepEqual(await commit(journal, promote), conflict('changed'));
    assert.deepEqual(await commit(journal, { ...promote, to: 'refused' }), conflict('changed'));
    await mustKeep(journal, { ...promote, from: 'promoting', to: 'promoted', reason: 'merged by ada', version: 4 });
    const [row] = await journal.evaluations({ limit: 1 });
    assert.deepEqual([row?.state, row?.reason, row?.version], ['promoted', 'merged by ada', 4]);
  });
}

export function odds(use: Use): void {
  use('keeps text of any kind as it was', async (journal) => {
    const odd = [
      'quote \' and " and \\',
      '$1 ?1 :a @b',
      'tab\tline\nreturn\r',
      'ünïcödé 日本 🦜',
      '{"json": [1]}',
      '',
      '%_--;',
    ];
    const body = {
      list: odd,
      nul: 'a\0b',
      half: '\ud800',
      number: 1e-7,
      large: Number.MAX_SAFE_INTEGER,
      deep: { empty: null },
    };
    await mustKeep(journal, outbox('odd', at, body));
    assert.deepEqual((await journal.dueOutbox(at, 1))[0]?.body, body);
    for (const text of odd) {
      await mustKeep(journal, { write: 'head', repository, branch: `b${text}`, sha, at });
      assert.equal(await journal.head(repository, `b${text}`), sha);
    }
  });

  use('keeps the replacement character for NUL, which text of a database cannot hold', async (journal) => {
    await mustKeep(journal, { write: 'forge-object', key: 'a\0b', id: 'c\0d', at });
    assert.equal(await journal.forgeObject('a\0b'), 'c\u{FFFD}d');
  });

  use('keeps an event of a megabyte', async (journal) => {
    const event: RunEvent = { type: 'cancel-requested', at, by: 'ada', reason: 'é'.repeat(500_000) };
    await mustKeep(journal, versionsWrite, openRun(runId(1)), append(runId(1), 1, [event]));
    assert.deepEqual((await journal.events(runId(1)))[1], event);
  });
}
