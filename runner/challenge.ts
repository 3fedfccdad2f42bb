/**
 * Champion against challenger on the same rows, in the same attempt: both are scored here by the same code, or their
 * predictions are read. The rows that the verdict was made from are kept as its evidence.
 */
import { join } from 'node:path';
import type { AttemptWork, ChallengeOutput, RunnerResult } from '../src/executor/executor.ts';
import type { Artifact } from '../src/pipeline/definition.ts';
import { isJsonObject, type Json, type JsonObject } from '../src/std/json.ts';
import { judge } from '../src/verdict/decide.ts';
import type { Predictions } from '../src/verdict/verdict.ts';
import { invalid, type Attempt } from './attempt.ts';
import { callFunction } from './function.ts';
import { dataFileOf } from './gate.ts';
import {
  joinById,
  pair,
  readPredictions,
  readScores,
  rowsById,
  scoresOfValue,
  writePredictions,
  type Scored,
} from './predictions.ts';
import { succeeded } from './result.ts';
import { scoreWithCommand } from './score-command.ts';
import { isTable, TableError } from './table.ts';

type ChallengeAttemptWork = Extract<AttemptWork, { kind: 'challenge' }>;

interface Evidence {
  readonly predictions: Predictions;
  readonly ids: readonly string[] | null;
}

/** A challenge that cannot be held as it is defined. */
class InvalidChallenge extends Error {}

export async function runChallenge(work: ChallengeAttemptWork, attempt: Attempt): Promise<RunnerResult> {
  const { scratch } = attempt.task;
  try {
    const { predictions, ids } =
      work.score === null ? await readEvidence(work, attempt) : await scoreBoth(work, work.score, attempt);
    const judged = judge(predictions, work.rule);
    if (!judged.ok) return failure(judged.error);
    attempt.say(judged.value.reason);
    const path = join(scratch, 'predictions.csv');
    await writePredictions(path, predictions, ids);
    const output: ChallengeOutput = {
      model: work.rule.model,
      // A verdict is made of numbers, texts and lists.
      verdict: judged.value as unknown as JsonObject,
      challenger: withoutPath(work.challenger),
      championVersion: work.champion?.version ?? null,
      predictions: { ...(await attempt.keeper.keep(path, 'predictions.csv')) },
    };
    return succeeded(output, null, scratch);
  } catch (error) {
    if (error instanceof InvalidChallenge) return invalid(error.message);
    if (error instanceof TableError) return failure(error.message);
    throw error;
  }
}

async function scoreBoth(
  work: ChallengeAttemptWork,
  score: NonNullable<ChallengeAttemptWork['score']>,
  attempt: Attempt,
): Promise<Evidence> {
  const challenger = await scoreOne('challenger', pathOf(work.challenger), score, attempt);
  const champion =
    work.champion === null ? null : await scoreOne('champion', pathOf({ ...work.champion.artifact }), score, attempt);
  return { predictions: pair(challenger, champion), ids: null };
}

async function scoreOne(
  whose: 'challenger' | 'champion',
  model: string,
  score: NonNullable<ChallengeAttemptWork['score']>,
  attempt: Attempt,
): Promise<Scored> {
  attempt.say(`Scoring the ${whose}.`);
  if (score.kind === 'command') {
    const path = join(attempt.task.scratch, `${whose}-scores.csv`);
    // Arguments and variables are text by now.
    const environment = {
      ...(score.environment as { [name: string]: string }),
      CONTENDER_MODEL: model,
      CONTENDER_PREDICTIONS: path,
    };
    const problem = await scoreWithCommand(score.command as string[], environment, attempt.signal);
    if (problem !== null) throw new TableError(`scoring the ${whose} failed: ${problem}`);
    return readScores(path, `$CONTENDER_PREDICTIONS of the ${whose}, ${whose}-scores.csv`);
  }
  const input = isJsonObject(score.input) ? score.input : {};
  const called = await callFunction({ file: score.file, input: { ...input, model } }, attempt);
  if (!called.ok) throw new InvalidChallenge(called.error);
  return scoresOfValue(called.value, whose);
}

/** From a file with the predictions of both, or of the challenger alone, joined with what is kept of the champion. */
async function readEvidence(work: ChallengeAttemptWork, attempt: Attempt): Promise<Evidence> {
  const file = work.predictions === null ? null : dataFileOf(work.predictions, attempt.task.sourceTree);
  if (file === null) throw new InvalidChallenge('a challenge needs a score or predictions: a path or an artifact');
  if (!isTable(file.name))
    throw new InvalidChallenge(
      `${file.name} is no file of predictions: its name has to end in .csv, .jsonl or .parquet`,
    );
  const table = await readPredictions(file.path, file.name);
  const ours: Scored = { labels: table.labels, scores: table.challenger };
  // Kept beside a model that has none to be compared with, ids join it with the next.
  if (table.champion === null && table.ids !== null) rowsById(table.ids, file.name);
  if (work.champion === null) return { predictions: pair(ours, null), ids: table.ids };
  if (table.champion !== null)
    return { predictions: { ...pair(ours, null), champion: table.champion }, ids: table.ids };
  const kept = work.champion.predictions;
  if (kept === null) {
    throw new InvalidChallenge(
      `${file.name} has no column champion, and no predictions are kept with version ${work.champion.version} of ${work.rule.model}: score both models with \`score\``,
    );
  }
  const theirs = await readPredictions(pathOf({ ...kept }), kept.name);
  return { predictions: pair(ours, joinById(table, theirs)), ids: table.ids };
}

/** Where the executor has laid an artifact. */
function pathOf(artifact: Json): string {
  const path = isJsonObject(artifact) ? artifact['path'] : undefined;
  if (typeof path !== 'string') throw new InvalidChallenge('the model of a challenge is an artifact');
  return path;
}

function withoutPath(artifact: Json): JsonObject {
  if (!isJsonObject(artifact)) throw new InvalidChallenge('the model of a challenge is an artifact');
  const { $artifact, name, bytes } = artifact as JsonObject & Artifact;
  return { $artifact, name, bytes };
}

function failure(message: string): RunnerResult {
  return { kind: 'failed', cause: 'code', message, exitCode: null };
}
