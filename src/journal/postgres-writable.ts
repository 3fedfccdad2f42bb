/**
 * Whether a new connection leads to where writes are taken, as `target_session_attrs=read-write` asks of libpq. A standby
 * answers with what was there a while ago, so nothing at all is read from one.
 */
import type { ClientBase } from 'pg';
import type { Problem } from '../std/problem.ts';

export class ReadOnlyServer extends Error {
  /** PostgreSQL's own, of a write that it refuses for that reason. */
  readonly code = '25006';

  constructor(isStandby: boolean) {
    super(`PostgreSQL takes no writes here: ${isStandby ? 'it is a standby' : 'default_transaction_read_only is on'}`);
    this.name = 'ReadOnlyServer';
  }
}

const question = `select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as closed`;

/** For a pool: of each new connection, before anybody has it. */
export async function demandWritable(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ standby: boolean; closed: boolean }>(question);
  if (rows[0]?.closed !== false) throw new ReadOnlyServer(rows[0]?.standby === true);
}

/** `place`: the database without its password. */
export function readOnlyDatabase(place: string, error: ReadOnlyServer): Problem {
  return {
    code: 'journal-read-only',
    message: `${place} cannot hold the journal: ${error.message}`,
    where: null,
    help: 'Name the address of the primary, or one that follows it, in the URL; or turn default_transaction_read_only off for this database and user.',
  };
}
