/** A commit object, taken apart. Its text is a stranger's: bounded, decoded leniently, and never believed. */
import { failure, success, type Result } from '../std/result.ts';
import { parseSha, type Commit, type GitError, type Sha } from './git.ts';

/** Headers up to the first empty line, then the message. Of a broken date the time is 0. */
export function parseCommit(sha: Sha, data: Buffer): Result<Commit, GitError> {
  const text = data.toString('utf8');
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const parents: Sha[] = [];
  let tree = '';
  let authorName = '';
  let committedAt = 0;
  for (const line of head.split('\n')) {
    const [word = ''] = line.split(' ', 1);
    const value = line.slice(word.length + 1);
    if (word === 'tree') tree = value;
    if (word === 'author') authorName = nameIn(value);
    if (word === 'committer') committedAt = Number(/> (\d{1,12}) [+-]\d{4}$/.exec(value)?.[1] ?? 0) * 1000;
    const parent = word === 'parent' ? parseSha(value) : null;
    if (parent?.ok === true) parents.push(parent.value);
  }
  if (!/^[0-9a-f]{40}$/.test(tree)) return failure({ kind: 'refused', message: `commit ${sha} names no tree` });
  return success({ sha, tree, parents, authorName, committedAt, message: end < 0 ? '' : text.slice(end + 2) });
}

/** Of `name <address> seconds zone`. */
function nameIn(author: string): string {
  const at = author.indexOf('<');
  return at < 0 || !author.includes('>', at) ? '' : author.slice(0, at).trimEnd();
}
