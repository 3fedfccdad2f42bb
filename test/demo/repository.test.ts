import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createCompiler } from '../../src/compile/compiler.ts';
import type { SourceFiles } from '../../src/compile/compile.ts';
import { changeBetter, changeBroken, changeSlower, changeWorse, type Change } from '../../src/demo/changes.ts';
import * as ours from '../../src/demo/repository/training/features.ts';
import * as model from '../../src/demo/repository/training/model.ts';
import * as strikes from '../../src/demo/repository/training/strikes.ts';
import { judge } from '../../src/verdict/decide.ts';
import type { VerdictKind, VerdictRule } from '../../src/verdict/verdict.ts';

const folder = fileURLToPath(new URL('../../src/demo/repository', import.meta.url));
const reports = await strikes.load(join(folder, 'data/birdstrikes.csv'));
const settings = { learningRate: 0.01, l2: 0.0003 };
const rule: VerdictRule = {
  task: 'binary',
  metric: 'roc_auc',
  threshold: 0.7,
  minAbsoluteChange: 0.005,
  minRelativeChange: 0,
  confidence: 0.95,
  guardrails: [{ metric: 'log_loss', maxLoss: 0.01 }],
};

function partOf(rows: readonly ours.Row[], part: strikes.Part): readonly ours.Row[] {
  return rows.filter((row) => row.part === part);
}

function fit({ chosen, describe }: typeof ours): { readonly auc: number; readonly scores: readonly number[] } {
  const rows = reports.map(describe);
  const holdout = partOf(rows, 'holdout');
  const scores = model.score(model.train(partOf(rows, 'training'), chosen, settings), holdout);
  return { auc: model.auc(holdout, scores), scores };
}

/** A copy of the repository with the change made in it. */
async function changed(t: TestContext, change: Change): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'demo-change-'));
  t.after(() => rm(directory, { recursive: true }));
  await cp(folder, directory, { recursive: true });
  await change(directory);
  return directory;
}

test('the data is the file that docs/data.md describes', async () => {
  const bytes = await readFile(join(folder, 'data/birdstrikes.csv'));
  const digest = createHash('sha256').update(bytes).digest('hex');
  assert.match(await readFile(new URL('../../docs/data.md', import.meta.url), 'utf8'), new RegExp(digest));
});

test('its pipelines compile, and each change of the story still does', async (t) => {
  const compiler = await createCompiler();
  t.after(() => compiler.close());
  for (const change of [changeWorse, changeBetter, changeBroken, changeSlower]) {
    const compiled = await compiler.compile(filesIn(await changed(t, change)));
    assert.deepEqual(
      compiled.map(({ file, problems }) => [file, problems]),
      [
        ['.pipelines/birdstrikes.ts', []],
        ['.pipelines/heartbeat.ts', []],
      ],
    );
  }
});

/** The tree of a folder, as the compiler sees a commit. */
function filesIn(directory: string): SourceFiles {
  return {
    list: async (under) =>
      (await readdir(join(directory, under))).map((name) => ({ path: `${under}/${name}`, bytes: 0 })),
    async read(paths) {
      const found = new Map<string, Uint8Array>();
      for (const path of paths)
        await readFile(join(directory, path)).then(
          (bytes) => found.set(path, bytes),
          () => null,
        );
      return found;
    },
  };
}

test('every report is read, and each row belongs to one part for good', () => {
  assert.equal(reports.length, 10_000);
  assert.equal(reports.filter(({ damaged }) => damaged).length, 1061);
  const count = (part: strikes.Part): number => reports.filter((report) => report.part === part).length;
  assert.deepEqual([count('training'), count('validation'), count('holdout')], [5438, 1503, 3059]);
});

test('the model is a real one, and the same commit gives the same model', () => {
  const first = fit(ours);
  assert.ok(first.auc > 0.78 && first.auc < 0.84, `AUC ${first.auc}`);
  assert.deepEqual(fit(ours), first);
});

test('a tie is half a pair in the right order', () => {
  const rows = [true, false, true, false].map((damaged) => ({ damaged, part: 'holdout' as const, words: {} }));
  assert.equal(model.auc(rows, [0.9, 0.1, 0.8, 0.2]), 1);
  assert.equal(model.auc(rows, [0.1, 0.9, 0.2, 0.8]), 0);
  assert.equal(model.auc(rows, [0.5, 0.5, 0.5, 0.5]), 0.5);
  assert.equal(model.auc(rows, [0.9, 0.5, 0.5, 0.1]), 0.875);
});

test('a model that asks for a feature that is gone is told so', () => {
  const row = { damaged: true, part: 'holdout', words: { size: 'Large' } } as const;
  const asking = { features: ['moon'], settings, bias: 0, weights: {} };
  assert.throws(() => model.score(asking, [row]), /the model needs the feature "moon"/);
});

const changes: readonly (readonly [string, Change, VerdictKind, number])[] = [
  ['the worse change', changeWorse, 'worse', 0.645],
  ['the better change', changeBetter, 'better', 0.815],
];
for (const [name, change, kind, auc] of changes)
  test(`${name} is ${kind} beyond doubt`, async (t) => {
    const directory = await changed(t, change);
    const module: unknown = await import(pathToFileURL(join(directory, 'training/features.ts')).href);
    // The same file, but for the change.
    const challenger = fit(module as typeof ours);
    const champion = fit(ours);
    assert.ok(Math.abs(challenger.auc - auc) < 0.005, `AUC ${challenger.auc}`);
    const labels = reports.filter(({ part }) => part === 'holdout').map(({ damaged }) => Number(damaged));
    const judged = judge({ labels, challenger: challenger.scores, champion: champion.scores }, rule);
    assert.ok(judged.ok);
    assert.equal(judged.value.kind, kind, judged.value.reason);
  });

test('the broken data has too few rows, and sizes that nobody wrote down', async (t) => {
  const directory = await changed(t, changeBroken);
  const broken = await strikes.load(join(directory, 'data/birdstrikes.csv'));
  assert.equal(broken.length, 6000);
  assert.equal(broken.filter(({ size }) => size === '').length, 1500);
});
