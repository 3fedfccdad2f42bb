/**
 * A Git remote with the commits that the script makes, and the mirror that a server keeps of it. The remote is one
 * truth; what a server sees is as old as its last fetch. It keeps the contract of `src/git/git.ts` as far as the conductor
 * uses it.
 */
import { createHash } from 'node:crypto';
import { parseSha, type Commit, type GitError, type GitRepository, type Sha } from '../../src/git/git.ts';
import { failure, success, type Result } from '../../src/std/result.ts';
import type { Random } from './random.ts';
import type { Wire } from './wire.ts';

export interface MadeCommit extends Commit {
  readonly files: ReadonlyMap<string, string>;
}

/** Keeps in mind where each ever stood. */
class Tags extends Map<string, Sha> {
  readonly #stood = new Set<string>();

  override set(name: string, sha: Sha): this {
    this.#stood.add(`refs/tags/${name} ${sha}`);
    return super.set(name, sha);
  }

  everStood(ref: string, sha: string): boolean {
    return this.#stood.has(`${ref} ${sha}`);
  }
}

export class Remote {
  readonly commits = new Map<Sha, MadeCommit>();
  readonly branches = new Map<string, Sha>();
  readonly tags = new Tags();
  hasTooManyTags = false;
  /** Commits that come under no limit. */
  readonly huge = new Set<Sha>();
  /** Heads of pull requests keep their commits reachable. */
  readonly pullRequestHeads = new Set<Sha>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  commit(parents: readonly Sha[], files: ReadonlyMap<string, string>, message: string, at: number): Sha {
    const sha = parsed(this.#random.hex(40));
    const tree = [...files]
      .map((file) => file.join('='))
      .toSorted()
      .join('\n');
    this.commits.set(sha, { sha, tree, parents, authorName: 'ada', committedAt: at, message, files });
    return sha;
  }

  get(sha: Sha): MadeCommit {
    const found = this.commits.get(sha);
    if (found === undefined) throw new Error(`no commit ${sha}`);
    return found;
  }

  isAncestor(ancestor: Sha, descendant: Sha): boolean {
    return this.ancestors(descendant).has(ancestor);
  }

  /** Itself and all before it. */
  ancestors(sha: Sha): ReadonlySet<Sha> {
    const seen = new Set<Sha>();
    const left = [sha];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      left.push(...(this.commits.get(next)?.parents ?? []));
    }
    return seen;
  }

  mergeBase(one: Sha, other: Sha): Sha | null {
    const first = this.ancestors(one);
    return [...this.ancestors(other)].find((sha) => first.has(sha)) ?? null;
  }

  changedPaths(from: Sha | null, to: Sha): readonly string[] {
    const before = from === null ? new Map<string, string>() : this.get(from).files;
    const after = this.get(to).files;
    return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
  }
}

/** On the disk of a server: it stays when the server dies. */
export class Mirror {
  readonly branches = new Map<string, Sha>();
  readonly known = new Set<Sha>();
  cloned = false;
}

const unreachable: GitError = { kind: 'unreachable', message: 'the remote does not answer' };

export function simulatedGit(remote: Remote, mirror: Mirror, wire: Wire): GitRepository {
  const answer = () => failure(unreachable);
  /** Needs the network. */
  const far = <T>(effect: () => Result<T, GitError>): Promise<Result<T, GitError>> =>
    wire.call<Result<T, GitError>>(effect, { before: 'git', after: 'git', answer });
  /** Reads the mirror. */
  const near = <T>(effect: () => Result<T, GitError>): Promise<Result<T, GitError>> =>
    wire.call<Result<T, GitError>>(
      () => (mirror.cloned ? effect() : failure({ kind: 'unreachable', message: 'there is no mirror yet' })),
      { answer },
    );
  const missing = (sha: string): GitError => ({ kind: 'missing', message: `${sha} is not there` });
  const known = <T>(sha: Sha, effect: (commit: MadeCommit) => T): Promise<Result<T, GitError>> =>
    near(() => (mirror.known.has(sha) ? success(effect(remote.get(sha))) : failure(missing(sha))));
  const both = <T>(one: Sha, other: Sha, effect: () => T): Promise<Result<T, GitError>> =>
    near(() => {
      const gone = [one, other].find((sha) => !mirror.known.has(sha));
      return gone === undefined ? success(effect()) : failure(missing(gone));
    });
  const fetchNow = (): Result<void, GitError> => {
    mirror.cloned = true;
    mirror.branches.clear();
    for (const [name, sha] of remote.branches) mirror.branches.set(name, sha);
    for (const tip of [...remote.branches.values(), ...remote.tags.values(), ...remote.pullRequestHeads])
      for (const sha of remote.ancestors(tip)) if (remote.commits.has(sha)) mirror.known.add(sha);
    return success(undefined);
  };
  const tags = (): Result<ReadonlyMap<string, Sha>, GitError> =>
    remote.hasTooManyTags ? failure({ kind: 'refused', message: 'too many tags' }) : success(new Map(remote.tags));
  const unused = (): never => {
    throw new Error('the conductor does not use this');
  };
  return {
    fetch: () => far(fetchNow),
    ensure: (sha, bytesMax) =>
      far(() => {
        if (bytesMax !== undefined && remote.huge.has(sha))
          return failure({ kind: 'refused', message: 'it is too large' });
        const tips = [...remote.branches.values(), ...remote.pullRequestHeads];
        if (!mirror.known.has(sha) && !tips.some((tip) => remote.isAncestor(sha, tip))) return failure(missing(sha));
        mirror.cloned = true;
        for (const each of remote.ancestors(sha)) mirror.known.add(each);
        return success(undefined);
      }),
    remoteBranches: () => far(() => success(new Map(remote.branches))),
    remoteRefs: () => far(() => success({ defaultBranch: 'main', branches: new Map(remote.branches), tags: tags() })),
    defaultBranch: () => far(() => success('main')),
    resolve: (revision) =>
      near(() => {
        const sha = parseSha(revision);
        const tip = sha.ok && mirror.known.has(sha.value) ? sha.value : mirror.branches.get(revision);
        return tip === undefined ? failure(missing(revision)) : success(tip);
      }),
    commit: (sha) => known(sha, ({ files: _files, ...commit }) => commit),
    isAncestor: (ancestor, descendant) => both(ancestor, descendant, () => remote.isAncestor(ancestor, descendant)),
    mergeBase: (one, other) => both(one, other, () => remote.mergeBase(one, other)),
    files: (sha, folder) =>
      known(sha, ({ files }) =>
        [...files]
          .filter(([path]) => folder === '' || path.startsWith(`${folder}/`))
          .map(([path, text]) => ({ path, objectId: createHash('sha1').update(text).digest('hex'), bytes: 1 })),
      ),
    read: (sha, paths) =>
      known(sha, ({ files }) => {
        const encoder = new TextEncoder();
        return new Map(
          paths.flatMap((path) => {
            const text = files.get(path);
            return text === undefined ? [] : [[path, encoder.encode(text)] as const];
          }),
        );
      }),
    changedPaths: (from, to) => both(from ?? to, to, () => remote.changedPaths(from, to)),
    branchTip: (branch) => far(() => (fetchNow(), success(remote.branches.get(branch) ?? null))),
    extract: unused,
    commitFiles: unused,
    changeNotes: unused,
    readNote: unused,
    close: () => Promise.resolve(),
  };
}

function parsed(text: string): Sha {
  const sha = parseSha(text);
  if (!sha.ok) throw new Error(sha.error.message);
  return sha.value;
}
