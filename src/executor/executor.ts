/**
 * Where an attempt runs. `start` is idempotent under the attempt's id; reports may come more than once and in any
 * order, and the engine decides which of them count. An executor never judges: "cannot see" is not "dead". It ends what
 * takes more than `context.memoryBytes`, as far as it can see that, with the cause `out-of-memory`.
 */
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AttemptOutcome, LookOutcome, Usage } from '../engine/event.ts';
import type { StepContextData } from '../pipeline/context.ts';
import type { Artifact, ChallengeWork, ContainerWork, GateCheck, OutputType } from '../pipeline/definition.ts';
import type { Json, JsonObject } from '../std/json.ts';
import { agentFolder, placesIn } from './agent/places.ts';

export interface Executor {
  /** How many attempts it takes at once; the conductor admits no more. */
  readonly slots: number;
  /** Whether a container runs by its image, and not what its definition says with `local` in place of that. */
  readonly runsImages: boolean;
  /** Resolves when the attempt is accepted. Everything after that, a failed start too, is a report. */
  start(spec: AttemptSpec): Promise<void>;
  /**
   * Warns (SIGTERM), waits `graceMs`, kills; ends in a `finished` report with the cause given, when nothing of the
   * attempt is left. Resolves when the warning is out. Unknown ids are harmless.
   */
  stop(attemptId: string, cause: 'cancelled' | 'timeout', graceMs: number): Promise<void>;
  /**
   * After a restart: `attemptIds` were started by an earlier server. Each is adopted, or proved gone (every process of
   * it ended) and reported as finished, failed, `lost`.
   */
  recover(attemptIds: readonly string[]): Promise<void>;
  /**
   * Only these runs go on: what is kept for later tries of steps of any other is removed. Between two calls, `release`
   * says of a run that it has ended. Nothing waits for the removal, and what is left of one is removed by the next `retain`.
   */
  retain(runIds: ReadonlySet<string>): void;
  release(runId: string): void;
  /** What a step that it runs would find at that place now; null: nothing, or nothing that can be seen. */
  findFile(place: FilePlace): Promise<FoundFile | null>;
  /** How many looks it makes at once, beside the attempts; the conductor asks for no more, and for one of each wait. */
  readonly looksAtOnce: number;
  /**
   * Looks once with a function, which is no attempt and takes no slot. Resolves when nothing of the look is left, and
   * what it was is then known: its own failure too. Rejects where nothing is known, because `signal` ended it (which warns,
   * and kills after the grace) or the executor is closed.
   */
  look(spec: LookSpec, signal: AbortSignal): Promise<LookOutcome>;
  /** Begins nothing more, and ends everything that it started; resolves when nothing of it is left. `graceMs`: from warning to kill. */
  close(graceMs?: number): Promise<void>;
}

/** `impossible`: why no look will ever see one there. */
export type FoundFile = { readonly bytes: number } | { readonly impossible: string };

/** A relative path is one in the files of the commit. */
export interface FilePlace {
  readonly repository: string;
  readonly sha: string;
  readonly path: string;
}

export type AttemptReport =
  | { readonly type: 'running'; readonly attemptId: string; readonly at: number; readonly place: string }
  | {
      readonly type: 'finished';
      readonly attemptId: string;
      readonly at: number;
      readonly outcome: AttemptOutcome;
      readonly usage: Usage | null;
    };

export type ReportSink = (report: AttemptReport) => void;

/** `<runId>/<step>/<index>/<attempt>`; the step's own slashes are kept. */
export function attemptId(runId: string, key: { step: string; index: number; attempt: number }): string {
  return `${runId}/${key.step}/${key.index}/${key.attempt}`;
}

export function parseAttemptId(id: string): { runId: string; step: string; index: number; attempt: number } | null {
  const match = /^([^/]+)\/(.+)\/(\d+)\/(\d+)$/.exec(id);
  if (match === null) return null;
  return { runId: match[1] ?? '', step: match[2] ?? '', index: Number(match[3]), attempt: Number(match[4]) };
}

/**
 * Path in the commit of a file that an attempt names: relative, or as its executor laid the commit out, in a folder whose
 * name ends in its SHA or beside a container. Null: it lies elsewhere.
 */
export function pathInCommit(path: string, sha: string): string | null {
  const plain = path.startsWith('file://') ? pathOfUrl(path) : path;
  const folder = [`${sha}/`, `${placesIn(agentFolder).source}/`].find((each) => plain.includes(each));
  const inside = folder === undefined ? plain : plain.slice(plain.indexOf(folder) + folder.length);
  const normal = posix.normalize(inside);
  return normal.startsWith('/') || normal.startsWith('..') || normal === '.' ? null : normal;
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** All that the runner needs; plain JSON. References are resolved: what is left to load are artifacts. */
export interface AttemptSpec {
  readonly attemptId: string;
  readonly repository: string;
  readonly sha: string;
  readonly work: AttemptWork;
  /** Of the workers that carry it out; null: that of the configuration, and for every executor without workers. */
  readonly queue: string | null;
  /** From the wish for a pod or worker until it has begun; null: what the configuration says. */
  readonly startMs: number | null;
  /**
   * What the definition says of the step's pod, in the words of `PodOptions`; null where it says nothing, and for every
   * executor without pods. Of a field that is null, the configuration's default is taken away.
   */
  readonly pod: InputValue | null;
  readonly context: StepContextData;
  readonly outputs: { readonly [key: string]: OutputType };
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly graceMs: number;
}

/** One look of a function, of the instance that the attempt's id names: its log is that of a first attempt. */
export interface LookSpec extends Omit<AttemptSpec, 'work' | 'outputs'> {
  readonly work: LookWork;
  /** From 1, since this server looks. */
  readonly number: number;
}

export interface LookWork {
  readonly kind: 'wait';
  readonly file: string;
  readonly input: InputValue;
}

export type AttemptWork =
  | {
      readonly kind: 'function' | 'branch' | 'short-circuit';
      readonly file: string;
      readonly input: InputValue;
    }
  | {
      readonly kind: 'command';
      readonly command: readonly InputValue[];
      readonly environment: { readonly [name: string]: InputValue };
    }
  | {
      readonly kind: 'container';
      readonly image: InputValue;
      /** Empty: the entry point of the image. */
      readonly command: readonly InputValue[];
      readonly args: readonly InputValue[];
      readonly environment: { readonly [name: string]: InputValue };
      readonly resources: ContainerWork['resources'];
      /** What an executor without containers runs in its place; null: it ends the attempt as `invalid`. */
      readonly localCommand: readonly InputValue[] | null;
    }
  | { readonly kind: 'gate'; readonly data: InputValue; readonly checks: readonly GateCheck[] }
  | {
      readonly kind: 'challenge';
      readonly rule: Pick<
        ChallengeWork,
        | 'model'
        | 'task'
        | 'metric'
        | 'threshold'
        | 'minAbsoluteChange'
        | 'minRelativeChange'
        | 'confidence'
        | 'guardrails'
        | 'promote'
      >;
      readonly challenger: InputValue;
      /** Null: there is none. */
      readonly champion: ChampionOfAttempt | null;
      readonly score:
        | { readonly kind: 'function'; readonly file: string; readonly input: InputValue }
        | {
            readonly kind: 'command';
            readonly command: readonly InputValue[];
            readonly environment: { readonly [name: string]: InputValue };
          }
        | null;
      readonly predictions: InputValue | null;
    };

export interface ChampionOfAttempt {
  readonly version: number;
  readonly artifact: Artifact;
  readonly predictions: Artifact | null;
}

/**
 * JSON in which an object `{ "$artifact": … }` is an artifact, given to the step as a local file, and an object
 * `{ "$stored": Artifact, "path": [...] }` is the value at `path` inside a JSON output that was too large to stand
 * inline; with `"element": n, "elementPath": [...]` it is, of the list or record at `path`, what a mapped step is given
 * for its n-th element (of a record `{ key, value }`), at `elementPath` in that. `{ "$text": InputValue[] }` is text put
 * together from parts (an artifact becomes its local path).
 */
export type InputValue = Json;

/** What a challenge gives as its output; the conductor reads it to decide on the promotion. */
export interface ChallengeOutput extends JsonObject {
  readonly model: string;
  readonly verdict: JsonObject;
  readonly challenger: JsonObject;
  readonly championVersion: number | null;
  /** CSV with label, challenger and champion: the evidence. */
  readonly predictions: JsonObject;
}

/** What executors are given by the composition root. */
export interface ExecutorPorts {
  readonly report: ReportSink;
  /** A directory with the files of the commit, shared by the attempts of that commit and not to be written to. */
  readonly sourceTree: (repository: string, sha: string) => Promise<string>;
  /** Value of a named secret, or null. */
  readonly secret: (name: string) => string | null;
}

/**
 * What an executor says to the program beside the user's code (`runner/main.ts`) and hears from it. One attempt at a
 * time; when it has ended, the runner writes `endMark` to both of its streams, so that each line has its attempt.
 */
export type RunnerRequest =
  | { readonly type: 'run'; readonly task: RunnerTask }
  /** The step is to end: its `context.signal` is aborted. It is killed when its grace is over. */
  | { readonly type: 'abort'; readonly reason: string }
  /** The answer to a `keep`. */
  | { readonly type: 'kept'; readonly request: number; readonly artifact: Artifact }
  | { readonly type: 'not-kept'; readonly request: number; readonly message: string };

export interface RunnerTask {
  readonly attemptId: string;
  /** The files of the commit. */
  readonly sourceTree: string;
  /** A `node_modules` folder for packages that the source tree does not have itself; or null. */
  readonly nodeModules: string | null;
  /** Of the process, and empty. */
  readonly scratch: string;
  /** What the tries of an instance hand on to each other; null: this work has none. */
  readonly checkpoint: string | null;
  /** The whole environment of this attempt: CONTENDER_* and the secrets that the step names. */
  readonly environment: { readonly [name: string]: string };
  readonly context: StepContextData;
  /** Every artifact in it has become `{ $artifact, name, bytes, path }`, with the path of a local, read-only file. */
  readonly work: Exclude<AttemptWork, { readonly kind: 'command' | 'container' }> | LookWork;
  /** Lists in the input of its function that are too long for memory; null stands in their place. */
  readonly lists: readonly ListFile[];
  readonly endMark: string;
}

/** A list as a file of its items as JSON, with their artifacts as in the work. */
export interface ListFile {
  /** Its place in the input of the function. */
  readonly at: readonly string[];
  readonly path: string;
  /** Where each item ends in the file, in bytes. */
  readonly ends: readonly number[];
}

export type RunnerReport =
  | { readonly type: 'ready' }
  /** Put this file into the artifact store. */
  | { readonly type: 'keep'; readonly request: number; readonly path: string; readonly name: string }
  | {
      readonly type: 'finished';
      readonly result: RunnerResult;
      readonly usage: { readonly cpuMs: number; readonly memoryBytesMax: number };
      /** The attempt left nothing behind in the process: the next one may use it. */
      readonly reusable: boolean;
      /** Nothing is in the scratch directory: the next attempt may use it. */
      readonly scratchEmpty: boolean;
      /** No further try asks for the checkpoint, and it was empty. */
      readonly checkpointGone: boolean;
    };

/** The outcome of an attempt, where an output that is too large for a message is canonical JSON in a file. */
export type RunnerResult =
  | {
      readonly kind: 'succeeded';
      readonly output:
        | { readonly inline: Json }
        | { readonly file: string; readonly lengths: { readonly [path: string]: number } };
      readonly control: Extract<AttemptOutcome, { kind: 'succeeded' }>['control'];
    }
  | Extract<AttemptOutcome, { kind: 'failed' | 'skipped' }>
  /** Of a look. */
  | Extract<LookOutcome, { kind: 'not-yet' }>;
