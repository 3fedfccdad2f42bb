import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChallenge } from '../../runner/challenge.ts';
import type { AttemptWork, ChallengeOutput, RunnerResult } from '../../src/executor/executor.ts';
import { challengeRule } from '../support/definitions.ts';
import { attemptOnPaper, type AttemptOnPaper } from './attempt.ts';

type Work = Extract<AttemptWork, { kind: 'challenge' }>;

const artifact = (name: string, path: string): { $artifact: string; name: string; bytes: number; path: string } => ({
  $artifact: 'a'.repeat(64),
  name,
  bytes: 1,
  path,
});
const rule: Work['rule'] = challengeRule;
const noChampion: Work = {
  kind: 'challenge',
  rule,
  challenger: artifact('model', '/model'),
  champion: null,
  score: null,
  predictions: 'predictions.csv',
};
const withChampion: Work = {
  ...noChampion,
  champion: { version: 3, artifact: artifact('model', '/champion'), predictions: null },
};

/** 200 rows on which the challenger is right and the champion guesses. */
const rows = Array.from({ length: 200 }, (_, row) => ({
  id: `c${row}`,
  label: row % 2,
  challenger: row % 2 === 1 ? 0.9 : 0.1 + (row % 5) / 100,
  champion: ((row * 7919) % 200) / 200,
}));
const first = { id: 'c0', label: 0, challenger: 0.1, champion: 0 };
const table = (columns: readonly (keyof (typeof rows)[number])[], some = rows): string =>
  `${columns.join(',')}\n${some.map((row) => columns.map((column) => row[column]).join(',')).join('\n')}\n`;

function outputOf(result: RunnerResult): ChallengeOutput {
  assert.ok(result.kind === 'succeeded' && 'inline' in result.output, JSON.stringify(result));
  return result.output.inline as ChallengeOutput;
}

async function challenge(
  work: Work,
  prepare: (attempt: AttemptOnPaper) => void,
): Promise<{ result: RunnerResult; attempt: AttemptOnPaper }> {
  using attempt = attemptOnPaper(work);
  prepare(attempt);
  return { result: await runChallenge(work, attempt), attempt };
}

test('predictions of both give a verdict, and the rows are kept as evidence', async () => {
  const { result, attempt } = await challenge(withChampion, (given) =>
    given.file('predictions.csv', table(['label', 'challenger', 'champion'])),
  );
  const output = outputOf(result);
  assert.equal(output.verdict['kind'], 'better');
  assert.equal(output.championVersion, 3);
  assert.deepEqual(output.challenger, { $artifact: 'a'.repeat(64), name: 'model', bytes: 1 });
  assert.equal(attempt.kept.get('predictions.csv'), table(['label', 'challenger', 'champion']));
  assert.equal(output.predictions['name'], 'predictions.csv');
});

test('without a champion the first challenger is judged alone', async () => {
  const { result, attempt } = await challenge(noChampion, (given) =>
    given.file('predictions.csv', table(['label', 'challenger'])),
  );
  const output = outputOf(result);
  assert.equal(output.verdict['kind'], 'no-champion');
  assert.equal(output.championVersion, null);
  assert.equal(attempt.kept.get('predictions.csv'), table(['label', 'challenger']));
});

test("the champion's kept predictions are joined by id, in whatever order they stand", async () => {
  using attempt = attemptOnPaper(withChampion);
  attempt.file('predictions.csv', table(['label', 'challenger', 'id']));
  const kept = rows.map((row) => ({ ...row, challenger: row.champion })).toReversed();
  const path = attempt.file('kept.csv', table(['id', 'label', 'challenger'], kept));
  const champion = {
    version: 3,
    artifact: artifact('model', '/champion'),
    predictions: artifact('predictions.csv', path),
  };
  assert.equal(outputOf(await runChallenge({ ...withChampion, champion }, attempt)).verdict['kind'], 'better');
  assert.equal(attempt.kept.get('predictions.csv'), table(['label', 'challenger', 'champion', 'id']));
});

test('an id that two rows have joins nothing, whoever has it', async () => {
  const twice = (column: 'challenger' | 'champion'): string =>
    table(['id', 'label', 'challenger'], [...rows, { ...first, label: 0, challenger: first[column] }]);
  const once = table(['id', 'label', 'challenger']);
  for (const [ours, theirs, message] of [
    [twice('challenger'), once, /^predictions\.csv: the id "c0" is in row 1 and in row 201, .*; give each row an id/],
    [once, twice('champion'), /^the champion's kept predictions: the id "c0" is in row 1 and .*; score both models/],
    [twice('challenger'), null, /^predictions\.csv: the id "c0"/],
  ] as const) {
    using attempt = attemptOnPaper(withChampion);
    attempt.file('predictions.csv', ours);
    const kept = theirs === null ? null : artifact('predictions.csv', attempt.file('kept.csv', theirs));
    const champion = { version: 3, artifact: artifact('model', '/champion'), predictions: kept };
    const result = await runChallenge({ ...withChampion, champion: kept === null ? null : champion }, attempt);
    assert.ok(result.kind === 'failed', JSON.stringify(result));
    assert.match(result.message, message);
  }
});

test('ids that join nothing may repeat', async () => {
  const { result } = await challenge(withChampion, (given) =>
    given.file('predictions.csv', table(['label', 'challenger', 'champion', 'id'], [...rows, first])),
  );
  assert.equal(outputOf(result).verdict['kind'], 'better');
});

test('a program scores both models on the same rows', async () => {
  const script =
    'test "$FACTOR" = 2 || exit 9; echo "scoring $CONTENDER_MODEL" >&2; cp "$CONTENDER_MODEL" "$CONTENDER_PREDICTIONS"';
  const work: Work = {
    ...withChampion,
    predictions: null,
    score: { kind: 'command', command: ['sh', '-c', script], environment: { FACTOR: '2' } },
  };
  const scores = (column: 'challenger' | 'champion'): string =>
    `label,score\n${rows.map((row) => `${row.label},${row[column]}`).join('\n')}\n`;
  using attempt = attemptOnPaper(work);
  const paths = {
    challenger: attempt.file('one', scores('challenger')),
    champion: attempt.file('other', scores('champion')),
  };
  const placed: Work = {
    ...work,
    challenger: artifact('model', paths.challenger),
    champion: { version: 3, artifact: artifact('model', paths.champion), predictions: null },
  };
  assert.equal(outputOf(await runChallenge(placed, attempt)).verdict['kind'], 'better');
  writeFileSync(paths.champion, 'label,score\n1,0.5\n');
  assert.match(JSON.stringify(await runChallenge(placed, attempt)), /scored on 200 rows and the champion on 1/);
  writeFileSync(paths.champion, scores('champion').replace('0,', '1,'));
  assert.match(
    JSON.stringify(await runChallenge(placed, attempt)),
    /labels of row 1 differ: 0 with the challenger, 1 with the champion/,
  );
  const failing: Work = { ...placed, score: { kind: 'command', command: ['sh', '-c', 'exit 4'], environment: {} } };
  assert.match(JSON.stringify(await runChallenge(failing, attempt)), /scoring the challenger failed: exit code 4/);
});

test('what cannot be compared is a failure that says why', async () => {
  const cases: [Work, string, string, RegExp][] = [
    [
      withChampion,
      table(['label', 'challenger']),
      'invalid',
      /no column champion, and no predictions are kept with version 3 of churn/,
    ],
    [noChampion, 'label,score\n1,0.5\n', 'code', /predictions\.csv has no column challenger/],
    [noChampion, 'label,challenger\n1,\n', 'code', /challenger in row 1 is empty/],
    [noChampion, 'label,challenger\n1,high\n', 'code', /challenger in row 1 is "high"/],
    [{ ...noChampion, predictions: 'rows.txt' }, '', 'invalid', /has to end in \.csv/],
    [{ ...noChampion, predictions: null }, '', 'invalid', /needs a score or predictions/],
    [noChampion, 'label,challenger\n7,0.5\n', 'code', /./],
  ];
  for (const [work, content, cause, message] of cases) {
    const { result } = await challenge(work, (given) => writeFileSync(join(given.folder, 'predictions.csv'), content));
    assert.ok(result.kind === 'failed', JSON.stringify(result));
    assert.equal(result.cause, cause);
    assert.match(result.message, message);
  }
});
