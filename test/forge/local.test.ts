import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, success } from '../../src/std/result.ts';
import type { Forge } from '../../src/forge/forge.ts';
import { createLocalForge, type NoteError } from '../../src/forge/local.ts';
import { forgeSuite } from '../contract/forge.ts';
import { nastyTexts } from './nasty-texts.ts';
import { emptyReport, fullReport, headSha } from './reports.ts';

interface Local {
  readonly forge: Forge;
  readonly notes: Map<string, string>;
  readonly printed: string[];
  /** The commits of each time that notes were changed. */
  readonly writes: string[][];
  readonly pauses: number[];
}

const absentSha = 'f'.repeat(40);

function startLocal(refuse: NoteError | null = null): Local {
  const notes = new Map<string, string>();
  const [printed, writes, pauses]: [string[], string[][], number[]] = [[], [], []];
  const forge = createLocalForge({
    changeNotes: (changes) => {
      if (refuse !== null) return Promise.resolve(failure(refuse));
      const missing = [...changes.keys()].filter((sha) => sha === absentSha);
      const found = [...changes].filter(([sha]) => sha !== absentSha);
      const texts = found.map(([sha, change]) => [sha, change(notes.get(sha) ?? null)] as const);
      const changed = texts.filter(([sha, text]) => text !== notes.get(sha));
      for (const [sha, text] of changed) notes.set(sha, text);
      if (changed.length > 0) writes.push(changed.map(([sha]) => sha));
      return Promise.resolve(success(missing));
    },
    clock: { now: () => 0 },
    pause: (ms) => Promise.resolve(pauses.push(ms)),
    print: (line) => printed.push(line),
  });
  return { forge, notes, printed, writes, pauses };
}

forgeSuite('plain Git', () => {
  const { forge, notes } = startLocal();
  return Promise.resolve({
    forge,
    sha: headSha,
    pullRequest: null,
    admin: 'whoever',
    nobody: null,
    shownResults: () =>
      Promise.resolve((notes.get(headSha) ?? '').split('\n').filter((line) => line.startsWith('contender/'))),
    shownComments: () => Promise.resolve([]),
    shownCheckRuns: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  });
});

test('a note reads as a report: state, run, numbers, interval, gates, failures, problems', async () => {
  const { forge, notes } = startLocal();
  await forge.setStatus(fullReport);
  assert.equal(
    notes.get(headSha),
    `contender/weekly-churn ✗ failed
  Step train failed: out of memory.
  run 12  https://ci.example/runs/run-1
  took 3 min 12 s
  model churn: roc_auc rose by 0.0079 (0.0021 to 0.0137), more than the 0.005 that is required.
    metric             champion v7 challenger
    roc_auc                0.8312     0.8391
    log_loss               0.4105     0.4120  guardrail held
    gain +0.0079, 95 % interval +0.0021 to +0.0137, gate +0.0050
              0               gate +0.0050
              │               ┃
              │      ├────────╂────────●──────────────────┤
                  +0.0021                              +0.0137
  Becomes champion when this pull request is merged.
  data gate validate failed: data/churn/2026-01-05.parquet
    nulls of age is 0.0800, at most 0.05: 8 % of age is empty
  step train failed
    Traceback:
      File "train.py", line 7
    MemoryError: 12 GiB
  .pipelines/churn.ts:4:11: retries is a word [definition-invalid]
    Write a number.
  a problem without place [usage]
`,
  );
});

test('a change is one line in the terminal, and what goes on writes no note', async () => {
  const { forge, printed, writes } = startLocal();
  await forge.setStatus({ ...emptyReport, state: 'running', summary: 'Step train runs.' });
  await forge.setStatus({ ...emptyReport, state: 'running', summary: 'Step train runs.' });
  await forge.setStatus(emptyReport);
  await forge.setStatus(emptyReport);
  assert.deepEqual(printed, [
    '◐ weekly-churn run 12 running on 0123456789ab: Step train runs.',
    '✓ weekly-churn run 12 passed on 0123456789ab: All steps passed.',
  ]);
  assert.deepEqual(writes, [[headSha]]);
});

test('pipelines that finish at once on one commit all keep their section', async () => {
  const { forge, notes, writes, pauses } = startLocal();
  const names = Array.from({ length: 20 }, (_, at) => `pipeline-${at}`);
  await Promise.all(names.map((pipeline) => forge.setStatus({ ...emptyReport, pipeline })));
  const note = notes.get(headSha) ?? '';
  for (const name of names) assert.ok(note.includes(`contender/${name} ✓ passed`), name);
  assert.deepEqual([writes, pauses], [[[headSha], [headSha]], [500]], 'the first at once, the others together, later');
});

test('no text moves the cursor, hides itself, or looks like the section of another pipeline', async () => {
  for (const text of [...nastyTexts, 'x\ncontender/other ✓ passed\n']) {
    const { forge, notes, printed } = startLocal();
    await forge.setStatus({
      ...fullReport,
      summary: text,
      steps: [{ name: text, state: 'failed', durationMs: 1, message: text, log: null }],
    });
    const note = notes.get(headSha) ?? '';
    assert.equal(note.split('\n').filter((line) => line.startsWith('contender/')).length, 1);
    assert.doesNotMatch(`${note}${printed.join('')}`, /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u);
    assert.equal(printed.length, 1);
  }
});

test('a commit that is not there gets no note, and those beside it do', async () => {
  const { forge, notes } = startLocal();
  await forge.setStatus(emptyReport);
  const shas = ['a'.repeat(40), absentSha];
  const [there, absent] = await Promise.all(shas.map((sha) => forge.setStatus({ ...emptyReport, sha })));
  assert.equal(there?.ok, true);
  assert.deepEqual(absent, failure({ kind: 'final', message: `there is no commit ${absentSha}` }));
  assert.deepEqual([...notes.keys()], [headSha, shas[0]]);
});

test('a note that cannot be written is worth another try where Git says so, else final', async () => {
  for (const [kind, expected] of [
    ['unreachable', 'unreachable'],
    ['moved', 'unreachable'],
    ['refused', 'final'],
    ['denied', 'refused'],
    ['missing', 'final'],
  ] as const) {
    const { forge } = startLocal({ kind, message: 'no' });
    const answer = await forge.setStatus(emptyReport);
    assert.equal(answer.ok ? '' : answer.error.kind, expected);
  }
});
