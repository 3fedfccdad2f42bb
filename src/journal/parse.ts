/**
 * The wall between rows and values. The rows are ours alone, written by the statements of this folder, so a column of
 * the wrong type is a bug or a broken database and throws; the one cast, of JSON that we wrote ourselves, stands here.
 */
import type { RawRow } from './driver.ts';
import { JournalMistake } from './rows.ts';
import { messageOfError } from '../std/error-message.ts';

export function text(row: RawRow, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw wrong(column, 'text', value);
}

export function textOrNull(row: RawRow, column: string): string | null {
  return isNull(row, column) ? null : text(row, column);
}

export function integer(row: RawRow, column: string): number {
  const value = row[column];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw wrong(column, 'an integer', value);
}

export function integerOrNull(row: RawRow, column: string): number | null {
  return isNull(row, column) ? null : integer(row, column);
}

export function flag(row: RawRow, column: string): boolean {
  return integer(row, column) === 1;
}

/** One of a closed list of words. */
export function word<Word extends string>(row: RawRow, column: string, words: readonly Word[]): Word {
  const value = text(row, column);
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw wrong(column, `one of ${words.join(', ')}`, value);
  return found;
}

/** JSON that this folder wrote from a `Type`. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what it wrote
export function json<Type>(row: RawRow, column: string): Type {
  const value = text(row, column);
  try {
    return JSON.parse(value) as Type;
  } catch (error) {
    throw new JournalMistake(`column ${column} of the journal is no JSON: ${messageOfError(error)}`, { cause: error });
  }
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what it wrote
export function jsonOrNull<Type>(row: RawRow, column: string): Type | null {
  return isNull(row, column) ? null : json<Type>(row, column);
}

function isNull(row: RawRow, column: string): boolean {
  return row[column] === null;
}

function wrong(column: string, expected: string, value: unknown): JournalMistake {
  return new JournalMistake(`column ${column} of the journal is not ${expected}: ${JSON.stringify(value)}`);
}
