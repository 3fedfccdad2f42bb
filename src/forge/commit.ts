/** A commit's id at the wall of a forge: what is none is answered, never sent on. */
import { failure, type Result } from '../std/result.ts';
import type { ForgeError } from './forge.ts';

export async function whenSha<T>(
  sha: string,
  call: () => Promise<Result<T, ForgeError>>,
): Promise<Result<T, ForgeError>> {
  return /^[0-9a-f]{40}$/.test(sha)
    ? call()
    : failure({ kind: 'final', message: `${JSON.stringify(sha.slice(0, 80))} is no commit` });
}
