/** What an error of PostgreSQL, or of the way to it, says about going on. */

/**
 * `again`: nothing was kept, and another try may go well (a deadlock, a lost or refused connection, a fail-over).
 * `refused`: this statement can never go well. `broken`: the rest, which is for a person to see.
 */
export type ErrorKind = 'again' | 'refused' | 'broken';

/** Serialization failure, deadlock, too many connections, idle too long in a transaction, a standby after fail-over. */
const passing = ['40001', '40P01', '53300', '25P03', '25006'];
/** Ended by an operator, by a crash, or still starting. */
const goneServer = ['57P01', '57P02', '57P03'];
const goneNetwork = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'];
const againCodes: ReadonlySet<string> = new Set([...passing, ...goneServer, ...goneNetwork]);

/** The connection itself is gone; pg gives these without a code. */
const lostConnection =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect)/;

export function kindOfError(error: unknown): ErrorKind {
  const code = codeOf(error);
  if (code === null) return error instanceof Error && lostConnection.test(error.message) ? 'again' : 'broken';
  if (againCodes.has(code) || code.startsWith('08')) return 'again';
  // Data exceptions, integrity violations, syntax errors and missing things.
  return /^(?:22|23|42)/.test(code) ? 'refused' : 'broken';
}

/** Whether the server answered with this error, so that what became of the statement is known. */
export function isAnswer(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && /^[0-9A-Z]{5}$/.test(code) && !/^(?:08|57P)/.test(code);
}

/** A write where none are taken: a standby, or what became one. */
export function isReadOnly(error: unknown): boolean {
  return codeOf(error) === '25006';
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
