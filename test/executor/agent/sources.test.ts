/** The files of commits on a worker: laid out once, kept while they are used, and removed when many newer ones have come. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSources, sourcesKeptMax, type Sources } from '../../../src/executor/agent/sources.ts';
import { until } from '../workshop.ts';

function opened(t: TestContext): Sources {
  const folder = mkdtempSync(join(tmpdir(), 'sources-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return createSources(folder);
}

const layOut = (folder: string): Promise<void> => mkdir(folder);

test('a commit is laid out once for all who want it at once or later', async (t) => {
  const sources = opened(t);
  let count = 0;
  const counting = async (folder: string): Promise<void> => {
    count += 1;
    await layOut(folder);
  };
  const [one, other] = await Promise.all([
    sources.use('acme/churn', 'a1', counting),
    sources.use('acme/churn', 'a1', counting),
  ]);
  one.release();
  other.release();
  const later = await sources.use('acme/churn', 'a1', counting);
  assert.deepEqual([count, other.folder, later.folder], [1, one.folder, one.folder]);
  const others = [await sources.use('acme/churn', 'b2', layOut), await sources.use('acme/other', 'a1', layOut)];
  assert.equal(new Set([one.folder, ...others.map(({ folder }) => folder)]).size, 3);
});

test('what could not be laid out is tried again by the next one', async (t) => {
  const sources = opened(t);
  await assert.rejects(
    sources.use('acme/churn', 'a1', () => Promise.reject(new Error('the server is away'))),
    /the server is away/,
  );
  assert.ok(existsSync((await sources.use('acme/churn', 'a1', layOut)).folder));
});

test('the ones that were not used for the longest time are removed, and none that is used', async (t) => {
  const sources = opened(t);
  const used = await sources.use('acme/churn', 'used', layOut);
  const first = await sources.use('acme/churn', 'first', layOut);
  first.release();
  first.release();
  for (let at = 0; at < sourcesKeptMax; at += 1) (await sources.use('acme/churn', `c${at}`, layOut)).release();
  await until('the oldest to go', () => !existsSync(first.folder) || undefined);
  assert.ok(existsSync(used.folder));
  used.release();
  for (let at = 0; at < sourcesKeptMax; at += 1) (await sources.use('acme/churn', `d${at}`, layOut)).release();
  await until('it to go too', () => !existsSync(used.folder) || undefined);
});

test('a commit that is wanted again while it is being removed stands in the same folder', async (t) => {
  const sources = opened(t);
  const before = await sources.use('acme/churn', 'again', layOut);
  before.release();
  for (let at = 0; at < sourcesKeptMax; at += 1) (await sources.use('acme/churn', `c${at}`, layOut)).release();
  const after = await sources.use('acme/churn', 'again', layOut);
  assert.equal(after.folder, before.folder);
  assert.ok(existsSync(after.folder));
});
