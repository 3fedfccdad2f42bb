/**
 * Files of a commit in, versions or problems out. A definition is a pure function of the commit: bundled from Git
 * objects, evaluated in a sandbox without clock, randomness, files or network, twice, and validated from the outside.
 */
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';

export interface Compiler {
  /** One entry for each `.pipelines/*.ts` of the commit, in the order of their names; a broken file harms no other. */
  compile(files: SourceFiles): Promise<readonly Compiled[]>;
  /** Ends the worker that it keeps warm. */
  close(): Promise<void>;
}

/** The files of one commit. */
export interface SourceFiles {
  /** Paths of the regular files below `folder`, from the root of the repository. */
  list(folder: string): Promise<readonly string[]>;
  /** Contents by path; what is not there is left out. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
}

export interface Compiled {
  readonly file: string;
  readonly version: PipelineVersion | null;
  readonly problems: readonly Problem[];
}

export interface PipelineVersion {
  readonly definition: PipelineDefinition;
  /** Canonical JSON of the definition. */
  readonly canonical: string;
  /** SHA-256 of `canonical`, hex. */
  readonly digest: string;
}
