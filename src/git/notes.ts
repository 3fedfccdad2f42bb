/**
 * Notes of commits under `refs/notes/contender…`: results beside the code, readable with plain `git notes`. Written as a
 * compare-and-set on the remote's notes, and tried again on top of what somebody else wrote in between.
 */
import { failure, success, type Result } from '../std/result.ts';
import { commitAt, identity, push } from './committing.ts';
import { localFailure } from './errors.ts';
import { asGitError, fetchRef } from './fetching.ts';
import type { GitError, Sha } from './git.ts';
import type { NotesRef } from './guards.ts';
import { gitLimits } from './limits.ts';
import type { ReadError } from './object-reader.ts';
import { readTree } from './tree.ts';
import type { Workshop } from './workshop.ts';

const author = { name: 'Contender', email: 'contender@localhost' };

/** Only within `exclusive`. The same text a second time changes nothing. */
export async function writeNote(
  workshop: Workshop,
  ref: NotesRef,
  sha: Sha,
  text: string,
  at: number,
): Promise<Result<void, GitError>> {
  if (Buffer.byteLength(text) > gitLimits.noteBytesMax || text === '') {
    return failure({ kind: 'refused', message: `a note is of at least 1 byte and at most ${gitLimits.noteBytesMax}` });
  }
  let problem: GitError = { kind: 'refused', message: 'the note was not tried' };
  for (let attempt = 1; attempt <= gitLimits.noteAttemptsMax; attempt += 1) {
    const fetched = await fetchRef(workshop, 'the notes', ref);
    if (!fetched.ok) return fetched;
    const before = await commitAt(workshop, ref);
    if (!before.ok) return before;
    const known = await readNote(workshop, ref, sha);
    if (!known.ok) return failure(asGitError(known.error));
    if (known.value === text) return success(undefined);
    const pushed = await setNote(workshop, ref, sha, text, at, before.value);
    if (pushed.ok) return pushed;
    problem = pushed.error;
    if (problem.kind === 'unreachable') break;
  }
  return failure(problem);
}

async function setNote(
  workshop: Workshop,
  ref: NotesRef,
  sha: Sha,
  text: string,
  at: number,
  before: Sha | null,
): Promise<Result<void, GitError>> {
  const blob = await workshop.local(['hash-object', '-w', '--stdin'], text);
  if (blob.kind !== 'exited' || blob.code !== 0) return localFailure('writing the note', blob);
  const id = blob.stdout.toString('utf8').trim();
  // `-C` takes the blob as it is, where `-F` would tidy its white space.
  const argv = ['notes', `--ref=${ref}`, 'add', '-f', '-C', id, '--', sha];
  const added = await workshop.local(argv, '', identity(author, at));
  if (added.kind !== 'exited' || added.code !== 0) return localFailure('adding the note', added);
  const after = await commitAt(workshop, ref);
  if (!after.ok) return after;
  if (after.value === null) return failure({ kind: 'refused', message: `${ref} was not written` });
  const pushed = await push(workshop, ref, after.value, before);
  if (pushed.ok) return pushed;
  // What the remote did not take must not be read here as written.
  await workshop.local(before === null ? ['update-ref', '-d', ref] : ['update-ref', ref, before]);
  return failure(pushed.error.error);
}

/** From the mirror as it was last fetched. A notes tree is flat or fanned out by pairs of digits: `ab/cd/ef…`. */
export async function readNote(workshop: Workshop, ref: NotesRef, sha: Sha): Promise<Result<string | null, ReadError>> {
  const reader = workshop.reader;
  const root = await reader.info(`${ref}^{tree}`);
  if (!root.ok) return root;
  let rest: string = sha;
  let tree = root.value?.id ?? null;
  while (tree !== null) {
    const entries = await readTree(reader, tree);
    if (!entries.ok) return entries;
    const named = (name: string) => entries.value.find((entry) => entry.name.toString('latin1') === name);
    const whole = named(rest);
    if (whole !== undefined) {
      const note = await reader.contents(whole.id, gitLimits.noteBytesMax);
      return note.ok ? success(note.value?.data.toString('utf8') ?? null) : note;
    }
    tree = named(rest.slice(0, 2))?.id ?? null;
    rest = rest.slice(2);
  }
  return success(null);
}
