import { parseSha, type Sha } from '../git/git.ts';

/** The SHA in `text`, or null: for what came from a forge or the journal and may be nothing of the kind. */
export function shaOf(text: string | null): Sha | null {
  if (text === null) return null;
  const parsed = parseSha(text);
  return parsed.ok ? parsed.value : null;
}
