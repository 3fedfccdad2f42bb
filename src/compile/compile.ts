/**
 * Files of a commit become versions of pipelines, or problems.
 *
 *   .pipelines/*.ts ─► bundle (esbuild, from memory) ─► sandbox (QuickJS, twice) ─► JSON ─► schema ─► rules ─► version
 *
 * Nothing that a commit holds runs with any authority: the bundle reads only files of the commit, the sandbox knows no
 * clock, randomness, file or network, and what leaves it is text that has to prove what it is. One broken file never
 * stops the others.
 */
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Place, Problem } from '../std/problem.ts';

/** The files of one commit. Regular files only: a symbolic link or submodule is not there. */
export interface SourceFiles {
  list(folder: string): Promise<readonly SourceFile[]>;
  /** Contents by path; a path that is not there is left out. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
}

export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly bytes: number;
}

export interface PipelineVersion {
  readonly definition: PipelineDefinition;
  /** Canonical JSON of the definition. */
  readonly canonical: string;
  /** SHA-256 of `canonical`, 64 hex digits: commits with the same definition share it. */
  readonly digest: string;
}

export interface Compiled {
  /** `.pipelines/name.ts`. */
  readonly file: string;
  /** Null where there are problems. */
  readonly version: PipelineVersion | null;
  readonly problems: readonly Problem[];
  /** The call of a step that names something of the settings, else that of `pipeline`; where there is no version, the beginning. */
  readonly where: (step: string | null) => Place;
}

/** The machine is at fault, and nothing is known of the commit: to be tried again. The message is a sentence. */
export class CompilerFailure extends Error {
  /** Whether a process ended over a file, which may be why. */
  readonly wasAtWork: boolean;

  constructor(message: string, wasAtWork: boolean) {
    super(message);
    this.wasAtWork = wasAtWork;
  }
}

export interface Compiler {
  /**
   * One result for each `.ts` file directly in `.pipelines`, in the order of their names. Rejects where `source` does, and
   * with a `CompilerFailure`: never for what a commit holds.
   */
  compile(source: SourceFiles): Promise<readonly Compiled[]>;
  /** There will be work soon: makes the processes ready, which rest when they have had none for a while. */
  wake(): void;
  /** Ends the sandbox. */
  close(): Promise<void>;
}

export { changeSentences } from './change-text.ts';
export { diffVersions } from './difference.ts';

export const pipelinesFolder = '.pipelines';

export const compileLimits = {
  filesMax: 200,
  fileBytesMax: 1024 * 1024,
  /** Of the files that are read at once, before it is known which are imported. */
  preloadBytesMax: 32 * 1024 * 1024,
  pipelinesMax: 100,
  importsMax: 500,
  /** Words and signs of all code in one bundle: what bounds the bundler's recursion, which keeps no limit of its own. */
  bundleTokensMax: 40_000,
  jsonDepthMax: 64,
  /** Nested functions can keep the bundler busy for minutes. */
  bundleMs: 5000,
  problemsMax: 20,
  /** Of the first try, as below: what takes longer is tried once more with its whole time, when the others had theirs. */
  firstTryMs: 100,
  firstTryKillMs: 500,
  /** The sandbox interrupts itself after so much of the processor's time, which tells the line, */
  evaluationMs: 1000,
  /** and is ended from outside after this, by the clock, if it had as much of the processor: native loops do not listen. */
  evaluationKillMs: 2000,
  /** So many times as long is waited where the machine gives the definition no time of the processor. */
  stalledFactor: 15,
  sandboxStartMs: 30_000,
  /** A file over which a process of the compiler ends so often is taken for the reason, whoever ended it. */
  endingsMax: 3,
  /** After this without work the processes of sandbox and bundler end, and give their memory back. */
  sandboxIdleMs: 10_000,
  /** Of all bundles of one commit, by the clock, and all its evaluations, of the processor. */
  commitMs: 30_000,
  memoryBytes: 64 * 1024 * 1024,
  stackBytes: 192 * 1024,
  /** Inputs may be nested in sixteen levels, each of which takes two where a handle stands in it. */
  resultDepthMax: 48,
  cachedFilesMax: 512,
  /** Of all files that are kept without their types, with their source maps. */
  transformedCharactersMax: 4 * 1024 * 1024,
  /** Of all definitions that are kept, with their source maps. */
  cachedCharactersMax: 16 * 1024 * 1024,
} as const;
