/** What cached steps gave. */
import assert from 'node:assert/strict';
import type { CachedStep, Journal, Write } from '../../src/journal/journal.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { at, digest, openRun, repository, runId, versionsWrite } from '../support/journal-values.ts';
import { commit, mustKeep, type Use } from './journal-suite.ts';

const train: CachedStep = { repository, pipeline: 'churn', step: 'train', scope: '' };
const ofPullRequest: CachedStep = { ...train, scope: '#7' };

type Entry = Extract<Write, { write: 'cache-entry' }>;

function entry(given: Partial<Entry> = {}): Entry {
  const output = { inline: { rows: 12 } };
  return { write: 'cache-entry', cached: train, index: 0, key: 'a', runId: runId(1), at, parts: {}, output, ...given };
}

async function opened(journal: Journal): Promise<void> {
  await mustKeep(journal, versionsWrite, openRun(runId(1)), openRun(runId(2)));
}

export function cache(use: Use): void {
  use('gives back what a step gave under the same key, the last time', async (journal) => {
    await opened(journal);
    assert.equal(await journal.cacheEntry(train, 'a'), null);
    const parts = { code: 'c', 'input rows': 'r' };
    await mustKeep(journal, entry({ parts }), entry({ key: 'b', at: at + 1 }));
    const row = { key: 'a', runId: runId(1), at, parts, output: { inline: { rows: 12 } } };
    assert.deepEqual(await journal.cacheEntry(train, 'a'), row);
    await mustKeep(journal, entry({ runId: runId(2), at: at + 2, output: { inline: null } }));
    const last = { ...row, runId: runId(2), at: at + 2, parts: {}, output: { inline: null } };
    assert.deepEqual(await journal.cacheEntry(train, 'a'), last);
  });

  use('keeps the steps, pipelines and repositories apart, whatever the key', async (journal) => {
    await opened(journal);
    await mustKeep(journal, entry());
    for (const other of [{ step: 'test' }, { pipeline: 'other' }, { repository: 'shop/other' }])
      assert.equal(await journal.cacheEntry({ ...train, ...other }, 'a'), null);
  });

  use('gives what has no scope to all, and what has one to its own alone', async (journal) => {
    await opened(journal);
    await mustKeep(journal, entry(), entry({ cached: ofPullRequest, key: 'b' }));
    assert.notEqual(await journal.cacheEntry(ofPullRequest, 'a'), null);
    assert.notEqual(await journal.cacheEntry(ofPullRequest, 'b'), null);
    assert.equal(await journal.cacheEntry(train, 'b'), null);
    assert.equal(await journal.cacheEntry({ ...train, scope: '#8' }, 'b'), null);
  });

  use('knows the newest entry of each instance in a scope', async (journal) => {
    await opened(journal);
    await mustKeep(journal, entry(), entry({ key: 'b', at: at + 1 }), entry({ key: 'c', index: 1, at: at + 2 }));
    assert.equal((await journal.newestCacheEntry(train, 0))?.key, 'b');
    assert.equal((await journal.newestCacheEntry(train, 1))?.key, 'c');
    assert.equal(await journal.newestCacheEntry(train, 2), null);
    assert.equal(await journal.newestCacheEntry(ofPullRequest, 0), null);
  });

  use('forgets the oldest entries of a step beyond a number, and no others', async (journal) => {
    await opened(journal);
    const other = { ...train, step: 'test' };
    await mustKeep(journal, ...[1, 2, 3, 4].map((age) => entry({ key: `k${age}`, at: at - age })));
    await mustKeep(journal, entry({ cached: other, key: 'k9', at: at - 9 }));
    await mustKeep(journal, { write: 'cache-trim', cached: train, entriesMax: 2 });
    const left = await Promise.all([1, 2, 3, 4].map((age) => journal.cacheEntry(train, `k${age}`)));
    assert.deepEqual(
      left.map((row) => row?.key ?? null),
      ['k1', 'k2', null, null],
    );
    assert.notEqual(await journal.cacheEntry(other, 'k9'), null);
  });

  use('reads a definition from before there was a cache as one without', async (journal) => {
    const { cache: _cache, ...earlier } = stepOf({ name: 'train' });
    const kept: PipelineDefinition = JSON.parse(JSON.stringify(pipelineOf([], { name: 'churn' })));
    const definitions = new Map([[digest, { ...kept, steps: JSON.parse(JSON.stringify([earlier])) }]]);
    await mustKeep(journal, { ...versionsWrite, definitions });
    assert.deepEqual((await journal.definition(digest))?.steps, [{ ...earlier, cache: null }]);
  });

  use('keeps no entry of a commit that conflicts', async (journal) => {
    await opened(journal);
    const late: Write = {
      write: 'append',
      runId: runId(1),
      position: 9,
      events: [],
      becomes: null,
    };
    assert.equal((await commit(journal, late, entry())).ok, false);
    assert.equal(await journal.cacheEntry(train, 'a'), null);
  });
}
