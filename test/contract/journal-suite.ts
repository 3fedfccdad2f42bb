/** How the suite of the journal is written: each test has an empty journal of its own. */
import assert from 'node:assert/strict';
import type { CommitResult, Conflict, Journal, Write } from '../../src/journal/journal.ts';

/** A test with an empty journal, which is closed after it. */
export type Use = (title: string, body: (journal: Journal) => Promise<void>) => void;

export const kept: CommitResult = { ok: true };

export function conflict(kind: Conflict, write = 0): CommitResult {
  return { ok: false, conflict: kind, write };
}

/** One commit of its own. */
export async function commit(journal: Journal, ...writes: Write[]): Promise<CommitResult> {
  const [result] = await journal.commit([writes]);
  assert.ok(result);
  return result;
}

export async function mustKeep(journal: Journal, ...writes: Write[]): Promise<void> {
  assert.deepEqual(await commit(journal, ...writes), kept);
}
