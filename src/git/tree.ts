/**
 * Trees, read as objects and walked here. A path is never given to Git: it is taken apart and looked up name by name,
 * so no file name can be an option or a pathspec, links are seen as links, and a crafted tree meets our limits.
 */
import { failure, success, type Result } from '../std/result.ts';
import type { Sha, TreeFile } from './git.ts';
import { isSafeEntryName } from './guards.ts';
import { gitLimits } from './limits.ts';
import type { ObjectReader, ReadError } from './object-reader.ts';

export type EntryKind = 'file' | 'executable' | 'folder' | 'link' | 'submodule';

export interface TreeEntry {
  /** As it is in the tree: any bytes. */
  readonly name: Buffer;
  readonly kind: EntryKind;
  readonly id: string;
}

/** A regular file of a commit. */
export interface BlobEntry {
  readonly path: Buffer;
  readonly kind: 'file' | 'executable';
  readonly id: string;
}

/** The tree of a commit; `missing` where the commit is not here. */
export async function rootTree(reader: ObjectReader, sha: Sha): Promise<Result<string, ReadError>> {
  const found = await reader.info(`${sha}^{tree}`);
  if (!found.ok) return found;
  if (found.value !== null) return success(found.value.id);
  const commit = await reader.info(sha);
  if (commit.ok && commit.value?.type === 'commit') return corrupt(`the tree of ${sha}`);
  return failure({ kind: 'missing', message: `commit ${sha} is not in the mirror` });
}

/** Entries of one tree whose id stands in another object, so that its absence means a broken mirror. */
export async function readTree(reader: ObjectReader, id: string): Promise<Result<readonly TreeEntry[], ReadError>> {
  const tree = await reader.contents(id, gitLimits.objectBytesMax);
  if (!tree.ok) return tree;
  if (tree.value === null) return corrupt(`tree ${id}`);
  if (tree.value.type !== 'tree')
    return failure({ kind: 'refused', message: `${id} is a ${tree.value.type}, no tree` });
  return parseTree(tree.value.data);
}

/** A tree object is a row of `mode name NUL id`, the id in 20 bytes. */
export function parseTree(data: Buffer): Result<readonly TreeEntry[], ReadError> {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(32, at);
    const end = data.indexOf(0, space);
    if (space < 0 || end < 0 || end + 21 > data.length) return refuse('a tree object is cut short');
    const kind = kindOf(data.toString('latin1', at, space));
    const name = data.subarray(space + 1, end);
    if (kind === null) return refuse('a tree entry has a mode that Git does not write');
    if (!isSafeEntryName(name))
      return refuse(`a tree holds the name ${JSON.stringify(name.toString('utf8').slice(0, 80))}`);
    entries.push({ name, kind, id: data.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return success(entries);
}

/** As Git reads modes: old trees hold more than the five that it writes now (`100664`, `100640`). */
function kindOf(mode: string): EntryKind | null {
  const bits = /^[0-7]{5,6}$/.test(mode) ? Number.parseInt(mode, 8) : 0;
  switch (bits & 0o170000) {
    case 0o100000:
      return (bits & 0o100) === 0 ? 'file' : 'executable';
    case 0o040000:
      return 'folder';
    case 0o120000:
      return 'link';
    case 0o160000:
      return 'submodule';
    default:
      return null;
  }
}

type Trees = (id: string) => Promise<Result<readonly TreeEntry[], ReadError>>;

/** `readTree` that reads each tree once. */
function treeCache(reader: ObjectReader): Trees {
  const known = new Map<string, ReturnType<Trees>>();
  return (id) => {
    const entries = known.get(id) ?? readTree(reader, id);
    known.set(id, entries);
    return entries;
  };
}

/** Looks paths up, reading each tree on the way once. */
export function treeLookup(
  reader: ObjectReader,
  root: string,
): (path: string) => Promise<Result<TreeEntry | null, ReadError>> {
  const entriesOf = treeCache(reader);
  return async (path) => {
    let entry: TreeEntry = { name: Buffer.alloc(0), kind: 'folder', id: root };
    for (const part of path === '' ? [] : path.split('/')) {
      if (entry.kind !== 'folder') return success(null);
      const entries = await entriesOf(entry.id);
      if (!entries.ok) return entries;
      const name = Buffer.from(part);
      const next = entries.value.find((candidate) => candidate.name.equals(name));
      if (next === undefined) return success(null);
      entry = next;
    }
    return success(entry);
  };
}

interface Folder {
  readonly path: Buffer;
  readonly id: string;
}

const treesAtOnce = 256;

/** Every regular file below the tree `root`, whose own path is `prefix`; level by level, many trees asked at once. */
export async function walkTree(
  reader: ObjectReader,
  root: string,
  prefix: Buffer,
): Promise<Result<readonly BlobEntry[], ReadError>> {
  const files: BlobEntry[] = [];
  const treeOf = treeCache(reader);
  let level: readonly Folder[] = [{ path: prefix, id: root }];
  let seen = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > gitLimits.treeDepthMax) return refuse(`the tree is deeper than ${gitLimits.treeDepthMax} folders`);
    const below: Folder[] = [];
    for (let at = 0; at < level.length; at += treesAtOnce) {
      const some = level.slice(at, at + treesAtOnce);
      const trees = await Promise.all(some.map(({ id }) => treeOf(id)));
      for (const [index, entries] of trees.entries()) {
        if (!entries.ok) return entries;
        // Counted before they are looked at: the same small tree a thousand times is how a bomb is built.
        seen += entries.value.length;
        if (seen > gitLimits.filesMax) return refuse(`the tree has more than ${gitLimits.filesMax} entries`);
        const added = addEntries(entries.value, some[index]?.path ?? prefix, files, below);
        if (!added.ok) return added;
      }
    }
    level = below;
  }
  return success(files.sort((one, other) => Buffer.compare(one.path, other.path)));
}

function addEntries(
  entries: readonly TreeEntry[],
  folder: Buffer,
  files: BlobEntry[],
  below: Folder[],
): Result<void, ReadError> {
  for (const { name, kind, id } of entries) {
    const path = folder.length === 0 ? name : Buffer.concat([folder, slash, name]);
    if (path.length > gitLimits.pathBytesMax) return refuse(`a path is longer than ${gitLimits.pathBytesMax} bytes`);
    if (kind === 'folder') below.push({ path, id });
    else if (kind === 'file' || kind === 'executable') files.push({ path, kind, id });
  }
  return success(undefined);
}

const slash = Buffer.from('/');

/** Adds the sizes. A name that is no UTF-8 is shown with replacement characters, and cannot be read by that name. */
export async function withSizes(
  reader: ObjectReader,
  entries: readonly BlobEntry[],
): Promise<Result<readonly TreeFile[], ReadError>> {
  const files: TreeFile[] = [];
  for (const found of await Promise.all(
    entries.map(async (entry) => ({ entry, header: await reader.info(entry.id) })),
  )) {
    if (!found.header.ok) return found.header;
    if (found.header.value === null) return corrupt(`file ${found.entry.id}`);
    files.push({ path: found.entry.path.toString('utf8'), objectId: found.entry.id, bytes: found.header.value.bytes });
  }
  return success(files);
}

function refuse(message: string): Result<never, ReadError> {
  return failure({ kind: 'refused', message });
}

function corrupt(what: string): Result<never, ReadError> {
  return failure({ kind: 'corrupt', message: `${what} is missing from the mirror` });
}
