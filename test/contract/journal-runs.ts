/** Runs, their events and their pages. */
import assert from 'node:assert/strict';
import { journalLimits, type Commit, type Journal, type Write } from '../../src/journal/journal.ts';
import {
  append,
  at,
  finish,
  opened,
  openRun,
  repository,
  runId,
  scheduled,
  sha,
  versionsWrite,
} from '../support/journal-values.ts';
import { commit, conflict, mustKeep, type Use } from './journal-suite.ts';

export function runs(use: Use): void {
  use('says since when a run is late', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)));
    assert.equal((await journal.run(runId(1)))?.deadlineMissedAt, null);
    await mustKeep(journal, append(runId(1), 1, [{ type: 'deadline-missed', at: at + 5 }]));
    await mustKeep(journal, append(runId(1), 2, [scheduled('train')]));
    assert.equal((await journal.run(runId(1)))?.deadlineMissedAt, at + 5);
  });

  use('opens a run with its first event, under its trigger', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1), {}, 'push/1'));
    const row = {
      id: runId(1),
      number: 1,
      opened: opened(runId(1)),
      triggerKey: 'push/1',
      state: 'running',
      reason: null,
      finishedAt: null,
      deadlineMissedAt: null,
    };
    assert.deepEqual(await journal.run(runId(1)), row);
    assert.deepEqual(await journal.runByTrigger('push/1'), row);
    assert.deepEqual(await journal.events(runId(1)), [opened(runId(1))]);
    assert.deepEqual(await journal.trigger('push/1'), { key: 'push/1', at, runId: runId(1), reason: null });
  });

  use(
    'opens a re-run with what it reuses, beside its opening, and finds it by the run that it is again',
    async (journal) => {
      const { trigger: first } = opened(runId(1));
      assert.ok(first.kind === 'push');
      const trigger = { kind: 'rerun', of: runId(1), steps: 'failed', actor: 'eve', first } as const;
      const step = { type: 'step-reused', at, step: 'a', index: 0, runId: runId(1), state: 'success' } as const;
      const reused = [{ ...step, reason: null, output: { inline: 1 }, control: null }];
      await mustKeep(journal, versionsWrite, openRun(runId(1)), finish(runId(1), 1));
      await mustKeep(journal, openRun(runId(2), { trigger }, 'again', reused));
      assert.deepEqual(await journal.events(runId(2)), [opened(runId(2), { trigger }), ...reused]);
      assert.deepEqual(await commit(journal, append(runId(2), 1, [scheduled('b')])), conflict('position'));
      await mustKeep(journal, append(runId(2), 2, [scheduled('b')]));
      const ids = async (filter: Omit<Parameters<Journal['runs']>[0], 'limit'>): Promise<string[]> =>
        (await journal.runs({ ...filter, limit: 9 })).map(({ id }) => id);
      assert.deepEqual(await ids({ rerunOf: runId(1) }), [runId(2)]);
      assert.deepEqual(await ids({ rerunOf: runId(2) }), []);
      assert.deepEqual(await ids({ branch: first.branch }), [runId(2), runId(1)]);
    },
  );

  use('has nothing under names that it does not know', async (journal) => {
    assert.equal(await journal.run(runId(1)), null);
    assert.equal(await journal.runByTrigger('push/1'), null);
    assert.equal(await journal.trigger('push/1'), null);
    assert.deepEqual(await journal.events(runId(1)), []);
  });

  use('numbers the runs of each pipeline of each repository from one', async (journal) => {
    await mustKeep(journal, versionsWrite);
    await journal.commit([
      [openRun(runId(1))],
      [openRun(runId(2))],
      [openRun(runId(3), { pipeline: 'other' })],
      [openRun(runId(4), { repository: 'shop/other' })],
    ]);
    await mustKeep(journal, openRun(runId(5)));
    const numbers = await Promise.all([1, 2, 3, 4, 5].map(async (run) => (await journal.run(runId(run)))?.number));
    assert.deepEqual(numbers, [1, 2, 1, 1, 3]);
  });

  use('opens one run a trigger, and a refused one leaves no gap in the numbers', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1), {}, 'push/1'));
    assert.deepEqual(await commit(journal, openRun(runId(2), {}, 'push/1')), conflict('duplicate-trigger'));
    assert.equal(await journal.run(runId(2)), null);
    await mustKeep(journal, openRun(runId(3)));
    assert.equal((await journal.run(runId(3)))?.number, 2);
  });

  use('gives back the events in order, as they were, however many there are', async (journal) => {
    const events = Array.from({ length: 203 }, (_, index) => scheduled(`step-${index}`, index));
    await mustKeep(journal, versionsWrite, openRun(runId(1)), append(runId(1), 1, events.slice(0, 3)));
    await mustKeep(journal, append(runId(1), 4, events.slice(3)));
    assert.deepEqual(await journal.events(runId(1)), [opened(runId(1)), ...events]);
  });

  use('gives back a page of the events, from the position that is asked for', async (journal) => {
    const events = Array.from({ length: 5 }, (_, index) => scheduled(`step-${index}`, index));
    await mustKeep(journal, versionsWrite, openRun(runId(1)), append(runId(1), 1, events), openRun(runId(2)));
    const page = (from: number): Promise<readonly unknown[]> => journal.events(runId(1), { from, limit: 3 });
    assert.deepEqual(await page(0), [opened(runId(1)), ...events.slice(0, 2)]);
    assert.deepEqual(await page(3), events.slice(2, 5));
    assert.deepEqual(await page(5), events.slice(4));
    assert.deepEqual(await page(6), []);
  });

  use('refuses events at any position but the next', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), append(runId(1), 1, [scheduled('a')]));
    for (const position of [0, 1, 3]) {
      assert.deepEqual(await commit(journal, append(runId(1), position, [scheduled('b')])), conflict('position'));
    }
    assert.deepEqual(await commit(journal, append(runId(9), 1, [scheduled('b')])), conflict('position'));
    assert.deepEqual(await journal.events(runId(1)), [opened(runId(1)), scheduled('a')]);
  });

  use('keeps the state that an append gives, and knows what has not ended', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(2)), openRun(runId(1)), openRun(runId(3)));
    await mustKeep(journal, openRun(runId(4), { pipeline: 'other' }));
    const cancelling: Write = {
      write: 'append',
      runId: runId(1),
      position: 1,
      events: [{ type: 'cancel-requested', at, by: 'ada', reason: 'wrong data' }],
      becomes: { state: 'cancelling', reason: 'wrong data', finishedAt: null },
    };
    await mustKeep(journal, cancelling, append(runId(1), 2, [scheduled('late')]));
    const stopping = await journal.run(runId(1));
    assert.deepEqual([stopping?.state, stopping?.reason], ['cancelling', 'wrong data']);
    await mustKeep(journal, finish(runId(2), 1, at + 7));
    const ended = await journal.run(runId(2));
    assert.deepEqual([ended?.state, ended?.finishedAt], ['success', at + 7]);
    const asked = await journal.run(runId(1));
    assert.deepEqual([asked?.state, asked?.reason, asked?.finishedAt], ['cancelling', 'wrong data', null]);
    const ids = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);
    assert.deepEqual(ids(await journal.unfinishedRuns()), [runId(1), runId(3), runId(4)]);
    assert.deepEqual(ids(await journal.activeRuns(repository, 'churn')), [runId(1), runId(3)]);
    assert.deepEqual(ids(await journal.activeRuns('shop/other', 'churn')), []);
    const ahead = [1, 2, 3, 5].map((number) => journal.runsAhead(repository, 'churn', runId(number)));
    assert.deepEqual(await Promise.all(ahead), [0, 1, 1, 2]);
    assert.equal(await journal.runsAhead('shop/other', 'churn', runId(5)), 0);
  });

  use('says which of some runs ended before a moment', async (journal) => {
    await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)), openRun(runId(3)));
    await mustKeep(journal, finish(runId(1), 1, at + 5), finish(runId(2), 1, at + 10));
    const asked = [runId(1), runId(2), runId(3), 'unknown'];
    assert.deepEqual(await journal.runsEndedBefore(asked, at + 10), [runId(1)]);
    assert.deepEqual((await journal.runsEndedBefore(asked, at + 11)).toSorted(), [runId(1), runId(2)]);
    assert.deepEqual(await journal.runsEndedBefore([runId(2)], at + 99), [runId(2)]);
    assert.deepEqual(await journal.runsEndedBefore([], at + 99), []);
    const others = (before: number, after = ''): Promise<readonly string[]> =>
      journal.runsNotEndedBefore(before, after, 9);
    assert.deepEqual(await others(at + 5), [runId(1), runId(2), runId(3)]);
    assert.deepEqual(await others(at + 6), [runId(2), runId(3)]);
    assert.deepEqual(await others(at + 99), [runId(3)]);
    assert.deepEqual(await others(at, runId(2)), [runId(3)]);
    assert.deepEqual(await journal.runsNotEndedBefore(at, '', 2), [runId(1), runId(2)]);
  });

  use('refuses a run whose definition it does not have, and keeps the commits beside it', async (journal) => {
    await mustKeep(journal, versionsWrite);
    const [unknown, known] = await Promise.allSettled([
      journal.commit([[openRun(runId(1), { digest: 'e'.repeat(64) })]]),
      journal.commit([[openRun(runId(2))]]),
    ]);
    assert.equal(unknown.status, 'rejected');
    assert.equal(known.status, 'fulfilled');
    assert.equal(await journal.run(runId(1)), null);
    assert.equal((await journal.run(runId(2)))?.number, 1);
  });
}

export function pages(use: Use): void {
  use('pages through the runs, newest first, by key', async (journal) => {
    const all = Array.from({ length: 7 }, (_, index) => runId(index + 1));
    await mustKeep(journal, versionsWrite);
    await journal.commit(all.map((id): Commit => [openRun(id)]));
    const seen: string[] = [];
    let page = await journal.runs({ limit: 3 });
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      seen.push(...page.map(({ id }) => id));
      page = await journal.runs({ limit: 3, before: last.id });
    }
    assert.deepEqual(seen, all.toReversed());
  });

  use('gives no page above its limit', async (journal) => {
    await mustKeep(journal, versionsWrite);
    await journal.commit(
      Array.from({ length: journalLimits.pageMax + 5 }, (_, index): Commit => [openRun(runId(index))]),
    );
    assert.equal((await journal.runs({ limit: 10_000 })).length, journalLimits.pageMax);
  });

  use(
    'finds runs by repository, pipeline, state, branch, commit and pull request, alone and together',
    async (journal) => {
      const pull = { kind: 'pull-request', number: 7, branch: 'topic', baseBranch: 'main', baseSha: sha } as const;
      await mustKeep(
        journal,
        versionsWrite,
        openRun(runId(1)),
        openRun(runId(2), { pipeline: 'other' }),
        openRun(runId(3), { repository: 'shop/other' }),
        openRun(runId(4), { trigger: { ...pull, actor: 'eve', fork: true } }),
        openRun(runId(5), { sha: 'c'.repeat(40), trigger: { kind: 'schedule', tick: at } }),
        finish(runId(1), 1),
      );
      const found = async (filter: Omit<Parameters<Journal['runs']>[0], 'limit'>): Promise<string[]> =>
        (await journal.runs({ ...filter, limit: 50 })).map(({ id }) => id);
      assert.deepEqual(await found({ repository: 'shop/other' }), [runId(3)]);
      assert.deepEqual(await found({ pipeline: 'other' }), [runId(2)]);
      assert.deepEqual(await found({ state: 'success' }), [runId(1)]);
      assert.deepEqual(await found({ branch: 'main' }), [runId(3), runId(2), runId(1)]);
      assert.deepEqual(await found({ branch: 'topic' }), [runId(4)]);
      assert.deepEqual(await found({ sha: 'c'.repeat(40) }), [runId(5)]);
      assert.deepEqual(await found({ pullRequest: 7 }), [runId(4)]);
      assert.deepEqual(await found({ repository, pipeline: 'churn', state: 'running', branch: 'main' }), []);
      assert.deepEqual(await found({ repository, pipeline: 'churn', before: runId(4) }), [runId(1)]);
    },
  );
}
