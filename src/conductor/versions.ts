/** A commit's pipelines: compiled once, kept for good, read from the journal ever after. */
import type { Sha } from '../git/git.ts';
import type { VersionRow, Write } from '../journal/journal.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { nearest } from '../pipeline/nearest.ts';
import type { Problem } from '../std/problem.ts';
import { failure, success, type Result } from '../std/result.ts';
import { CompilerFailure, type SourceFiles } from '../compile/compile.ts';
import { brokenText, namesOfBroken, withLastNames } from './broken-files.ts';
import type { ConductorPorts, Project } from './ports.ts';

export interface CommitVersions {
  readonly versions: readonly VersionRow[];
  /** By digest. */
  readonly definitions: ReadonlyMap<string, PipelineDefinition>;
}

type CompilingPorts = Pick<ConductorPorts, 'journal' | 'compiler' | 'clock'>;

/** The error is a sentence about Git or the compiler, to be tried again; broken files are problems inside the versions. */
export async function versionsOf(
  ports: CompilingPorts,
  project: Project,
  sha: Sha,
): Promise<Result<CommitVersions, string>> {
  const known = await ports.journal.versions(project.name, sha);
  if (known !== null) return success({ versions: known, definitions: await definitionsOf(ports, known) });
  // Whoever asks may have seen it in another server's mirror.
  const here = await project.git.ensure(sha);
  if (!here.ok) return failure(here.error.message);
  const compiled = await compile(ports, project, sha);
  if (!compiled.ok) return compiled;
  const named = await withLastNames(ports, project, sha, compiled.value.versions);
  if (!named.ok) return named;
  const found = { ...compiled.value, versions: named.value };
  const write: Write = { write: 'versions', repository: project.name, sha, at: ports.clock.now(), ...found };
  await ports.journal.commit([[write]]);
  return success(found);
}

/** Of its pipelines, those of broken files too. */
export function namesIn(versions: readonly VersionRow[]): ReadonlySet<string> {
  const names = versions.flatMap(({ pipeline }) => (pipeline === null ? [] : [pipeline]));
  return new Set([...names, ...namesOfBroken(versions).values()]);
}

/** The project of that name; the error is a sentence. */
export function projectOf({ projects }: Pick<ConductorPorts, 'projects'>, repository: string): Result<Project, string> {
  const project = projects.get(repository);
  return project === undefined ? failure(`the repository ${repository} is not in the configuration`) : success(project);
}

/** The pipeline of that name at a commit; the error is a sentence, or the problem of its broken file. */
export async function pipelineAt(
  ports: CompilingPorts,
  project: Project,
  pipeline: string,
  sha: Sha,
): Promise<Result<{ readonly definition: PipelineDefinition; readonly digest: string }, Problem | string>> {
  const versions = await versionsOf(ports, project, sha);
  return versions.ok ? pipelineOf(versions.value, pipeline, sha) : versions;
}

function pipelineOf(
  { versions, definitions }: CommitVersions,
  pipeline: string,
  sha: Sha,
): Result<{ readonly definition: PipelineDefinition; readonly digest: string }, Problem | string> {
  const digest = versions.find((version) => version.digest !== null && version.pipeline === pipeline)?.digest ?? null;
  const definition = digest === null ? undefined : definitions.get(digest);
  if (digest !== null && definition !== undefined) return success({ definition, digest });
  const brokenNames = namesOfBroken(versions);
  const broken = versions.find(({ file }) => brokenNames.get(file) === pipeline);
  const known = [...definitions.values()].map(({ name }) => name);
  const names = known.join(', ') || 'none';
  const meant = nearest(pipeline, known);
  const others = brokenText(versions);
  const there = others === null ? names : `${names}; ${others}`;
  const missing = `there is no pipeline "${pipeline}" at ${sha.slice(0, 7)}`;
  const guess = meant === null ? '' : ` (did you mean "${meant}"?)`;
  return failure(broken?.problems[0] ?? `${missing}${guess}; there: ${there}`);
}

async function compile(ports: CompilingPorts, project: Project, sha: Sha): Promise<Result<CommitVersions, string>> {
  try {
    const compiled = await ports.compiler.compile(sourceFiles(project, sha));
    const definitions = new Map<string, PipelineDefinition>();
    const versions = compiled.map(({ file, version, problems }): VersionRow => {
      if (version !== null) definitions.set(version.digest, version.definition);
      return { file, pipeline: version?.definition.name ?? null, digest: version?.digest ?? null, problems };
    });
    return success({ versions, definitions });
  } catch (error) {
    if (error instanceof GitReadError || error instanceof CompilerFailure) return failure(error.message);
    throw error;
  }
}

class GitReadError extends Error {}

/** The compiler reads through this port; what Git says when it cannot read ends the compilation. */
function sourceFiles(project: Project, sha: Sha): SourceFiles {
  return {
    async list(folder) {
      const files = await project.git.files(sha, folder);
      if (!files.ok) throw new GitReadError(files.error.message);
      return files.value;
    },
    async read(paths) {
      const contents = await project.git.read(sha, paths);
      if (!contents.ok) throw new GitReadError(contents.error.message);
      return contents.value;
    },
  };
}

async function definitionsOf(
  ports: CompilingPorts,
  versions: readonly VersionRow[],
): Promise<ReadonlyMap<string, PipelineDefinition>> {
  const definitions = new Map<string, PipelineDefinition>();
  for (const { digest } of versions) {
    const definition = digest === null ? null : await ports.journal.definition(digest);
    if (digest !== null && definition !== null) definitions.set(digest, definition);
  }
  return definitions;
}
