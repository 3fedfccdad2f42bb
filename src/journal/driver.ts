/**
 * The seam to the database. Every statement is data: its text, in the subset of SQL that SQLite and PostgreSQL share,
 * and its values, `$1` the first. A write has no logic of its own: each of its steps is one statement, and a step that
 * gives no row although it should (`otherwise`) is a conflict, so a driver may send all steps of many commits at once.
 */
import { JournalMistake, type CommitResult, type Conflict } from './journal.ts';
import { messageOfError } from '../std/error-message.ts';

export type Value = string | number | null;

export interface Sql {
  readonly text: string;
  readonly values: readonly Value[];
}

export type RawRow = { readonly [column: string]: unknown };

/** A statement that reads, and what its rows become. */
export interface Query<Row> extends Sql {
  readonly parse: (row: RawRow) => Row;
}

/** A statement that writes. `otherwise`: the conflict that it is when no row comes back; null where that is fine. */
export interface Step extends Sql {
  readonly otherwise: Conflict | null;
}

/** A commit as steps; `write` is the place of the write, in its commit, that the step belongs to. */
export type Plan = readonly (Step & { readonly write: number })[];

/** Where the two databases have no word in common. */
export interface Dialect {
  /** The time of the database's own clock, in milliseconds: for leases, which no server's clock may judge. */
  readonly now: string;
  /** At the end of a select: until the end of the transaction nobody changes the keys of the rows. */
  readonly shareKey: string;
}

export interface Driver {
  readonly dialect: Dialect;
  /** One statement by itself; one that writes may be sent again where no answer came. */
  read<Row>(query: Query<Row>): Promise<readonly Row[]>;
  /**
   * All plans in one transaction. One that conflicts leaves nothing; the others stand. Never called twice at a time.
   * `guard`, where given, comes first: where it finds no row, nothing is kept and this rejects with `LeaseLost`.
   */
  transact(plans: readonly Plan[], guard: Sql | null): Promise<readonly CommitResult[]>;
  close(): Promise<void>;
}

/** A statement that the database refused: a bug of whoever made it, and no reason to refuse the others. */
export class StatementRefused extends JournalMistake {
  constructor(text: string, cause: unknown) {
    super(`the journal refused "${text}": ${messageOfError(cause)}`, { cause });
    this.name = 'StatementRefused';
  }
}

/** PostgreSQL's text cannot hold NUL; both stores keep the replacement character in its place. */
export function storable(value: Value): Value {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u{FFFD}') : value;
}
