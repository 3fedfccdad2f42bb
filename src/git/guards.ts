/**
 * What may reach Git. Branch names, revisions, note namespaces and paths come from events and from commits of
 * strangers; each is checked here once, by what Git itself accepts and what an argument may look like, never by a list
 * of bad options. Paths go no further than this program: objects are found by walking trees, so Git never sees them.
 */
import { sep } from 'node:path';
import { failure, success, type Result } from '../std/result.ts';
import { withoutEnd } from '../std/text.ts';
import type { GitError } from './git.ts';
import { gitLimits } from './limits.ts';

export type BranchName = string & { readonly brand: 'BranchName' };
export type RepositoryPath = string & { readonly brand: 'RepositoryPath' };
export type NotesRef = string & { readonly brand: 'NotesRef' };

/** A name as `git check-ref-format --branch` allows it, with no leading dash, of at most 255 bytes. */
export function parseBranchName(name: string): Result<BranchName, GitError> {
  return isRefName(name) && name !== 'HEAD' ? success(name as BranchName) : refuse(name, 'no branch name');
}

/** `contender`, or words of small letters and digits below or beside it: `contender/reports`, `contender-status`. */
export function parseNotesNamespace(namespace: string): Result<NotesRef, GitError> {
  const fits = namespace.length <= 100 && /^contender(?:[-/][a-z0-9]+)*$/.test(namespace);
  return fits ? success(`refs/notes/${namespace}` as NotesRef) : refuse(namespace, 'no namespace of our notes');
}

/**
 * The full names under which a revision is looked for, in order: no guessing by Git, so a branch that is called like a
 * commit never hides it.
 */
export function parseRevision(revision: string): Result<readonly string[], GitError> {
  if (revision === 'HEAD' || /^[0-9a-f]{40}$/.test(revision)) return success([revision]);
  if (!isRefName(revision)) return refuse(revision, 'no branch, tag or commit id');
  const names = [`refs/heads/${revision}`, `refs/tags/${revision}`];
  return success(/^[0-9a-f]{4,39}$/.test(revision) ? [...names, revision] : names);
}

/** A path inside the repository: relative, `/` between its parts, no part that leads out or into `.git`. */
export function parsePath(path: string): Result<RepositoryPath, GitError> {
  const fits =
    path.isWellFormed() &&
    Buffer.byteLength(path) <= gitLimits.pathBytesMax &&
    path.split('/').every((part) => isSafeEntryName(Buffer.from(part)));
  return fits ? success(path as RepositoryPath) : refuse(path, 'no path inside a repository');
}

/**
 * Whether a name found in a tree may become the name of a file. Git never writes the others, but a crafted tree can hold
 * them: `..`, `a/b`, `.git` in the spellings that some file systems take for it.
 */
export function isSafeEntryName(name: Buffer): boolean {
  if (name.length === 0 || name.length > gitLimits.pathBytesMax) return false;
  if (name.includes(0) || name.includes('/') || (sep === '\\' && name.includes(sep))) return false;
  if (isPlain(name)) return true;
  const text = name.toString('utf8');
  if (text === '.' || text === '..') return false;
  const folded = withoutEnd(text.normalize('NFKC').replaceAll(/\p{Cf}/gu, ''), '. ').toLowerCase();
  return folded !== '.git' && folded !== 'git~1' && !folded.startsWith('.git:');
}

/** ASCII that begins with neither a dot nor a g: nearly every name, settled without looking at its letters one by one. */
function isPlain(name: Buffer): boolean {
  const first = name[0] ?? 0;
  return first !== 0x2e && first !== 0x67 && first !== 0x47 && name.every((byte) => byte < 0x80);
}

function isRefName(name: string): boolean {
  if (!name.isWellFormed() || Buffer.byteLength(name) > gitLimits.refBytesMax) return false;
  if (name.startsWith('-') || name.endsWith('.') || name === '@') return false;
  if (name.includes('..') || name.includes('@{') || /[\p{Cc} ~^:?*[\\]/u.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

function refuse(value: string, what: string): Result<never, GitError> {
  return failure({ kind: 'refused', message: `${JSON.stringify(value.slice(0, 80))} is ${what}` });
}
