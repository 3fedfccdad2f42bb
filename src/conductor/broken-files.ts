/**
 * Under which name a broken file is told of. A status that a branch requires must not hang because the file that gives it
 * does not compile: such a file goes by the name that its pipeline had at the nearest earlier commit, which is kept with
 * the versions of its own commit and so handed on from one broken commit to the next.
 */
import type { Sha } from '../git/git.ts';
import type { VersionRow } from '../journal/journal.ts';
import { failure, success, type Result } from '../std/result.ts';
import type { ConductorPorts, Project } from './ports.ts';
import { shaOf } from './sha.ts';

/** Commits that are looked at on the way back, the first parents of each other. */
const earlierCommitsMax = 50;

/** By file. Never the name of a pipeline that the commit has: its status is its own. */
export function namesOfBroken(versions: readonly VersionRow[]): ReadonlyMap<string, string> {
  const good = goodNames(versions);
  const broken = versions.filter(({ digest }) => digest === null);
  return new Map(
    broken.map(({ file, pipeline }) => {
      const base = file.replace(/^.*\//, '');
      // The name of a file has a dot, and no pipeline's has one.
      return [file, [pipeline, base.replace(/\.ts$/, '')].find((name) => name !== null && !good.has(name)) ?? base];
    }),
  );
}

/** The pipeline that somebody asks for may stand in a broken file: the first one, with its first problem; null: all are whole. */
export function brokenText(files: readonly Pick<VersionRow, 'file' | 'problems'>[]): string | null {
  const [first, ...others] = files.filter(({ problems }) => problems.length > 0);
  const problem = first?.problems[0];
  if (first === undefined || problem === undefined) return null;
  const more =
    others.length === 0
      ? ''
      : ` (nor ${others.length === 1 ? 'does 1 other file' : `do ${others.length} other files`})`;
  return `${first.file} does not compile${more}: ${problem.message}`;
}

/** The versions of `sha` with the last names of the broken ones, as far as they are known. The error is a sentence about Git. */
export async function withLastNames(
  ports: Pick<ConductorPorts, 'journal'>,
  project: Project,
  sha: Sha,
  versions: readonly VersionRow[],
): Promise<Result<readonly VersionRow[], string>> {
  const names = new LastNames(versions);
  let at = sha;
  for (let looked = 0; looked < earlierCommitsMax && !names.complete; looked += 1) {
    const commit = await project.git.commit(at);
    if (!commit.ok && commit.error.kind !== 'missing') return failure(commit.error.message);
    const parent = commit.ok ? commit.value.parents[0] : undefined;
    if (parent === undefined) break;
    names.learn((await ports.journal.versions(project.name, parent)) ?? []);
    at = parent;
  }
  if (!names.complete) names.learn(await versionsOfDefaultBranch(ports, project));
  return success(names.given());
}

/** For a branch that left the default one at a commit that nobody had looked at. */
async function versionsOfDefaultBranch(
  { journal }: Pick<ConductorPorts, 'journal'>,
  { name, git }: Project,
): Promise<readonly VersionRow[]> {
  const branch = await git.defaultBranch();
  const head = branch.ok ? shaOf(await journal.head(name, branch.value)) : null;
  return head === null ? [] : ((await journal.versions(name, head)) ?? []);
}

class LastNames {
  readonly #versions: readonly VersionRow[];
  readonly #wanted: Set<string>;
  readonly #taken: Set<string>;
  readonly #names = new Map<string, string>();

  constructor(versions: readonly VersionRow[]) {
    this.#versions = versions;
    this.#wanted = new Set(versions.filter(({ digest }) => digest === null).map(({ file }) => file));
    this.#taken = new Set(goodNames(versions));
  }

  get complete(): boolean {
    return this.#wanted.size === 0;
  }

  /** From the versions of an earlier commit; what was learnt before stands. */
  learn(earlier: readonly VersionRow[]): void {
    for (const { file, pipeline } of earlier) {
      if (pipeline === null || this.#taken.has(pipeline) || !this.#wanted.delete(file)) continue;
      this.#taken.add(pipeline);
      this.#names.set(file, pipeline);
    }
  }

  given(): readonly VersionRow[] {
    return this.#versions.map((row) => ({ ...row, pipeline: row.pipeline ?? this.#names.get(row.file) ?? null }));
  }
}

function goodNames(versions: readonly VersionRow[]): ReadonlySet<string> {
  return new Set(versions.flatMap(({ pipeline, digest }) => (digest === null || pipeline === null ? [] : [pipeline])));
}
