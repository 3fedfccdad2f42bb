/** Predictions as columns of numbers, from tables and from what score functions return, and back as evidence. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { rowsMax } from '../src/verdict/check.ts';
import type { Predictions } from '../src/verdict/verdict.ts';
import { isEmpty, numberOf, textOf } from './cell.ts';
import { readTable, TableError } from './table.ts';

/** One model's answers, row by row. */
export interface Scored {
  readonly labels: readonly number[];
  readonly scores: readonly number[];
}

/** What stands in a predictions file. */
export interface PredictionTable {
  readonly labels: readonly number[];
  readonly challenger: readonly number[];
  readonly champion: readonly number[] | null;
  readonly ids: readonly string[] | null;
}

/** Reads numbers by the names of the columns. Throws TableError that names the row and the column. */
async function readColumns(
  path: string,
  name: string,
  required: readonly string[],
  optional: readonly string[],
): Promise<Map<string, unknown[]>> {
  const wanted = [...required, ...optional];
  const found = new Map<string, unknown[]>();
  let rows = 0;
  for await (const batch of readTable(path, name, wanted)) {
    rows += batch.rows.length;
    if (rows > rowsMax) throw new TableError(`${name} has more than ${rowsMax} rows`);
    for (const column of wanted) {
      const place = batch.columns.indexOf(column);
      if (place === -1) continue;
      const cells = found.get(column) ?? [];
      found.set(column, cells);
      for (const row of batch.rows) cells.push(row[place]);
    }
  }
  for (const column of required) {
    if (!found.has(column)) throw new TableError(`${name} has no column ${column}: it needs ${required.join(' and ')}`);
  }
  return found;
}

function toNumbers(cells: readonly unknown[], column: string, name: string): number[] {
  return cells.map((cell, row) => {
    const value = isEmpty(cell) ? Number.NaN : numberOf(cell);
    if (Number.isFinite(value)) return value;
    throw new TableError(
      `${name}: ${column} in row ${row + 1} is ${isEmpty(cell) ? 'empty or NaN' : JSON.stringify(textOf(cell).slice(0, 60))}, and has to be a number`,
    );
  });
}

/** The columns label, challenger, and where they are there champion and id. */
export async function readPredictions(path: string, name: string): Promise<PredictionTable> {
  const columns = await readColumns(path, name, ['label', 'challenger'], ['champion', 'id']);
  const numbers = (column: string): number[] => toNumbers(columns.get(column) ?? [], column, name);
  return {
    labels: numbers('label'),
    challenger: numbers('challenger'),
    champion: columns.has('champion') ? numbers('champion') : null,
    ids: columns.get('id')?.map(textOf) ?? null,
  };
}

/** The columns label and score. */
export async function readScores(path: string, name: string): Promise<Scored> {
  const columns = await readColumns(path, name, ['label', 'score'], []);
  return {
    labels: toNumbers(columns.get('label') ?? [], 'label', name),
    scores: toNumbers(columns.get('score') ?? [], 'score', name),
  };
}

/** `[{ label, score }]` as a score function returns it. */
export function scoresOfValue(value: unknown, whose: string): Scored {
  if (!Array.isArray(value))
    throw new TableError(`the score function returned no list for the ${whose}: it returns [{ label, score }, …]`);
  const labels: number[] = [];
  const scores: number[] = [];
  for (const [row, entry] of value.entries()) {
    const { label, score }: { label?: unknown; score?: unknown } =
      typeof entry === 'object' && entry !== null ? entry : {};
    const [one, other] = [numberOf(label), numberOf(score)];
    if (!Number.isFinite(one) || !Number.isFinite(other)) {
      throw new TableError(
        `the score function's row ${row + 1} for the ${whose} is ${JSON.stringify(entry)?.slice(0, 100)}, and needs the numbers label and score`,
      );
    }
    labels.push(one);
    scores.push(other);
  }
  return { labels, scores };
}

/** Champion and challenger say their words about the same rows, or there is nothing to compare. Throws TableError. */
export function pair(challenger: Scored, champion: Scored | null): Predictions {
  if (champion !== null) {
    if (champion.labels.length !== challenger.labels.length) {
      throw new TableError(
        `the challenger was scored on ${challenger.labels.length} rows and the champion on ${champion.labels.length}: they have to be the same rows`,
      );
    }
    const differs = challenger.labels.findIndex((label, row) => label !== champion.labels[row]);
    if (differs !== -1) {
      throw new TableError(
        `the labels of row ${differs + 1} differ: ${challenger.labels[differs]} with the challenger, ${champion.labels[differs]} with the champion; both have to be scored on the same rows in the same order`,
      );
    }
  }
  return { labels: challenger.labels, challenger: challenger.scores, champion: champion?.scores ?? null };
}

/**
 * The row of each id, from 0. Throws TableError where two rows have the same: `whose` says of which table, and `help` what to
 * do.
 */
export function rowsById(
  ids: readonly string[],
  whose: string,
  help = 'give each row an id of its own',
): ReadonlyMap<string, number> {
  const rowOf = new Map<string, number>();
  for (const [row, id] of ids.entries()) {
    const first = rowOf.get(id);
    if (first === undefined) rowOf.set(id, row);
    else
      throw new TableError(
        `${whose}: the id ${JSON.stringify(id.slice(0, 60))} is in row ${first + 1} and in row ${row + 1}, and ids join the predictions of two models; ${help}`,
      );
  }
  return rowOf;
}

/** The champion's answers in the order of the challenger's rows, found by id. Throws TableError. */
export function joinById(ours: PredictionTable, theirs: PredictionTable): Scored {
  if (ours.ids === null || theirs.ids === null) {
    throw new TableError(
      `there is no column champion, and the ${ours.ids === null ? "challenger's" : "champion's kept"} predictions have no column id to join them by`,
    );
  }
  const rowOf = rowsById(theirs.ids, "the champion's kept predictions", 'score both models with `score`');
  const rows = ours.ids.map((id) => rowOf.get(id) ?? -1);
  const absent = rows.filter((row) => row === -1).length;
  if (absent > 0) {
    throw new TableError(
      `the champion was not scored on ${absent} of the ${rows.length} rows, the first is ${ours.ids[rows.indexOf(-1)]}: score both models on the same rows`,
    );
  }
  // What was the challenger of its own run is the champion now.
  return {
    labels: rows.map((row) => theirs.labels[row] ?? Number.NaN),
    scores: rows.map((row) => theirs.challenger[row] ?? Number.NaN),
  };
}

/** Writes the evidence: label, challenger, champion where there is one, id where there was one. */
export async function writePredictions(
  path: string,
  { labels, challenger, champion }: Predictions,
  ids: readonly string[] | null,
): Promise<void> {
  function* lines(): Generator<string> {
    yield `label,challenger${champion === null ? '' : ',champion'}${ids === null ? '' : ',id'}\n`;
    let piece = '';
    for (const [row, label] of labels.entries()) {
      piece += `${label},${challenger[row]}${champion === null ? '' : `,${champion[row]}`}${ids === null ? '' : `,${quoted(ids[row] ?? '')}`}\n`;
      if (piece.length < 64 * 1024) continue;
      yield piece;
      piece = '';
    }
    yield piece;
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
