import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openMirror } from '../../src/git/mirror.ts';
import type { GitRepository } from '../../src/git/git.ts';
import { createSourceTrees, sourceTreesKeptMax, type SourceTrees } from '../../src/git/source-trees.ts';
import { createRepository, type TestRepository } from '../support/test-system.ts';

let repository: TestRepository;
let folder = '';
let git: GitRepository;
let trees: SourceTrees;
let now = 1_000_000;

beforeEach(() => {
  repository = createRepository();
  folder = mkdtempSync(join(tmpdir(), 'trees-'));
  git = openMirror({ url: repository.folder, directory: join(folder, 'mirror.git') });
  trees = createSourceTrees({
    directory: join(folder, 'sources'),
    repositories: new Map([['mona/churn', git]]),
    clock: { now: () => now },
  });
});
afterEach(async () => {
  await git.close();
  repository.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('the files of a commit are written once, however many ask at once', async () => {
  const sha = repository.commit('One', { 'train.py': 'print(1)' });
  await git.fetch();
  const [first, second] = await Promise.all([trees.tree('mona/churn', sha), trees.tree('mona/churn', sha)]);
  assert.equal(first, second);
  assert.equal(readFileSync(join(first, 'train.py'), 'utf8'), 'print(1)');
});

test('what is not a commit of a known repository is refused', async () => {
  await assert.rejects(trees.tree('mona/other', 'a'.repeat(40)), /there is no commit/);
  await assert.rejects(trees.tree('mona/churn', '../../etc'), /there is no commit/);
  assert.equal(existsSync(join(folder, 'sources')), false);
});

test('a commit that the mirror does not have yet is fetched; where that fails, it is tried again', async () => {
  const sha = repository.commit('One', { 'train.py': 'print(1)' });
  const elsewhere = `${repository.folder}-elsewhere`;
  renameSync(repository.folder, elsewhere);
  await assert.rejects(trees.tree('mona/churn', sha));
  renameSync(elsewhere, repository.folder);
  assert.ok(existsSync(await trees.tree('mona/churn', sha)));
});

test('of many commits, those that were used last are kept', async () => {
  const shas = Array.from({ length: sourceTreesKeptMax + 3 }, (_, index) =>
    repository.commit(`Commit ${index}`, { 'train.py': `print(${index})` }),
  );
  await git.fetch();
  for (const sha of shas) {
    now += 1000;
    await trees.tree('mona/churn', sha);
  }
  const kept = readdirSync(join(folder, 'sources', 'mona+churn'));
  assert.equal(kept.length, sourceTreesKeptMax);
  assert.ok(kept.includes(shas.at(-1) ?? ''));
  assert.equal(kept.includes(shas[0] ?? ''), false);
});
