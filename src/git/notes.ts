/**
 * Notes of commits under `refs/notes/contender…`: results beside the code, readable with plain `git notes`. Written as a
 * compare-and-set on the remote's notes, and tried again on top of what somebody else wrote in between.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, success, type Result } from '../std/result.ts';
import { commitAt, push } from './committing.ts';
import { localFailure } from './errors.ts';
import { asGitError, fetchRef } from './fetching.ts';
import type { GitError, NoteChange, Sha } from './git.ts';
import type { NotesRef } from './guards.ts';
import { gitLimits } from './limits.ts';
import type { ReadError } from './object-reader.ts';
import { readTree } from './tree.ts';
import type { Workshop } from './workshop.ts';

const author = 'Contender <contender@localhost>';

/** Only within `exclusive`. One commit and one push for all of them; the texts that are there already change nothing. */
export async function changeNotes(
  workshop: Workshop,
  ref: NotesRef,
  changes: ReadonlyMap<Sha, NoteChange>,
  at: number,
): Promise<Result<readonly Sha[], GitError>> {
  let problem: GitError = { kind: 'refused', message: 'the notes were not tried' };
  for (let attempt = 1; attempt <= gitLimits.noteAttemptsMax; attempt += 1) {
    const fetched = await fetchRef(workshop, 'the notes', ref);
    if (!fetched.ok) return fetched;
    const before = await commitAt(workshop, ref);
    if (!before.ok) return before;
    const changed = await changedNotes(workshop, ref, changes);
    if (!changed.ok) return changed;
    const { texts, missing } = changed.value;
    if (texts.size === 0) return success(missing);
    const pushed = await setNotes(workshop, { ref, texts, at, before: before.value });
    if (pushed.ok) return success(missing);
    problem = pushed.error;
    if (problem.kind === 'unreachable' || problem.kind === 'denied') break;
  }
  return failure(problem);
}

interface ChangedNotes {
  readonly texts: ReadonlyMap<Sha, string>;
  readonly missing: readonly Sha[];
}

async function changedNotes(
  workshop: Workshop,
  ref: NotesRef,
  changes: ReadonlyMap<Sha, NoteChange>,
): Promise<Result<ChangedNotes, GitError>> {
  const texts = new Map<Sha, string>();
  const missing: Sha[] = [];
  for (const [sha, change] of changes) {
    const commit = await workshop.reader.info(`${sha}^{commit}`);
    if (!commit.ok) return failure(asGitError(commit.error));
    if (commit.value === null) {
      missing.push(sha);
      continue;
    }
    const known = await readNote(workshop, ref, sha);
    if (!known.ok) return failure(asGitError(known.error));
    const text = change(known.value);
    if (text === '' || Buffer.byteLength(text) > gitLimits.noteBytesMax) {
      return failure({
        kind: 'refused',
        message: `a note is of at least 1 byte and at most ${gitLimits.noteBytesMax}`,
      });
    }
    if (text !== known.value) texts.set(sha, text);
  }
  return success({ texts, missing });
}

interface NotesCommit {
  readonly ref: NotesRef;
  readonly texts: ReadonlyMap<Sha, string>;
  readonly at: number;
  readonly before: Sha | null;
}

async function setNotes(workshop: Workshop, commit: NotesCommit): Promise<Result<void, GitError>> {
  const { ref, before } = commit;
  // One process for any number of notes, and their texts as they are, where `git notes add` tidies white space.
  const added = await workshop.local(['fast-import', '--quiet', '--done'], importOf(commit));
  if (added.kind !== 'exited' || added.code !== 0) {
    await removeCrashReports(workshop.directory);
    return localFailure('adding notes', added);
  }
  const after = await commitAt(workshop, ref);
  if (!after.ok) return after;
  if (after.value === null) return failure({ kind: 'refused', message: `${ref} was not written` });
  const pushed = await push(workshop, ref, after.value, before);
  if (pushed.ok) return pushed;
  // What the remote did not take must not be read here as written.
  await workshop.local(before === null ? ['update-ref', '-d', ref] : ['update-ref', ref, before]);
  return failure(pushed.error.error);
}

/** As `git fast-import` reads it. */
function importOf({ ref, texts, at, before }: NotesCommit): string {
  const from = before === null ? '' : `from ${before}\n`;
  const notes = [...texts].map(([sha, text]) => `N inline ${sha}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
  const committer = `committer ${author} ${Math.max(0, Math.floor(at / 1000))} +0000\n`;
  return `commit ${ref}\n${committer}data 0\n${from}${notes.join('')}done\n`;
}

/** `git fast-import` leaves one in the mirror whenever it fails, for its developers. */
async function removeCrashReports(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const reports = names.filter((name) => name.startsWith('fast_import_crash_'));
  await Promise.all(reports.map((name) => rm(join(directory, name), { force: true })));
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
