/** Bytes of steps: artifacts by content hash, never overwritten, and the logs of attempts. */
import type { Artifact } from '../pipeline/definition.ts';
import { writeDuration } from '../std/duration.ts';
import { isJsonObject, type Json } from '../std/json.ts';

/** The bytes that are kept are not the bytes that were put: the disk or somebody changed them. */
export class ArtifactDamagedError extends Error {
  readonly sha256: string;
  constructor(sha256: string, found: string) {
    super(
      `artifact ${sha256} is damaged: its bytes have the hash ${found}; restore it from a copy or run its step again`,
    );
    this.name = 'ArtifactDamagedError';
    this.sha256 = sha256;
  }
}

export interface ArtifactStore {
  /** Streams a file in; the same bytes are kept once. Whole or not at all. */
  putFile(path: string, name: string): Promise<Artifact>;
  putBytes(bytes: Uint8Array, name: string): Promise<Artifact>;
  /** Null where it is not here. The bytes are verified against the hash while they are read. */
  getBytes(sha256: string): Promise<Uint8Array | null>;
  /** A read-only file with the verified bytes at `path`; false where the artifact is not here. */
  getFile(sha256: string, path: string): Promise<boolean>;
  has(sha256: string): Promise<boolean>;
}

/** For whoever hands on what was made earlier. */
export interface ArtifactUses {
  /** It counts as new from now on, so that it is kept; false where it is not here. */
  use(sha256: string): Promise<boolean>;
  /** The artifacts that a kept output names; null where it is not here, or is damaged or no JSON. */
  namedIn(sha256: string): Promise<readonly string[] | null>;
}

/** Artifacts that may be removed for their age. */
export interface OldArtifactStore {
  /** Bytes by hash of what was neither put nor used since `before` (milliseconds since the epoch). */
  old(before: number): Promise<Map<string, number>>;
  /** False: it was used since, and stays. Whether it does is decided at once, so that nothing comes between. */
  remove(sha256: string, before: number): Promise<boolean>;
}

export interface NamedArtifact {
  readonly sha256: string;
  /** It is an output that is too large to stand where it is named. */
  readonly isOutput: boolean;
}

/** All artifacts that `json` names, at any depth. */
export function* artifactsNamed(json: Json, key = ''): Generator<NamedArtifact> {
  if (json === null || typeof json !== 'object') return;
  if (isJsonObject(json) && typeof json['$artifact'] === 'string')
    yield { sha256: json['$artifact'], isOutput: key === 'stored' || key === '$stored' };
  for (const [name, inner] of Object.entries(json)) yield* artifactsNamed(inner, name);
}

/** The same store as streams, for whoever passes its bytes on. */
export interface ArtifactStreams {
  /** As `putFile`. Rejects, and keeps nothing, where the stream breaks off. */
  putStream(content: AsyncIterable<Uint8Array>, name: string): Promise<Artifact>;
  /** Null where it is not here. The bytes are not verified: whoever gets them compares the hash. */
  openStream(sha256: string): Promise<ArtifactStream | null>;
  /** The same for whoever cannot compare it: the stream ends with an `ArtifactDamagedError`, and without its last bytes, where they are damaged. */
  openVerified(sha256: string): Promise<ArtifactStream | null>;
}

export interface ArtifactStream {
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** One log for each attempt, addressed by its key. Lines are numbered from 1. */
export interface LogStore {
  /** Opens for appending (the open one again, if there is one); the caller closes. Lines are capped at `lineBytesMax`, logs at `logBytesMax`: a longer one keeps its beginning and its last lines, which stand there when it is closed. */
  writer(key: string): LogWriter;
  /** Another process may write it from now on: it is let go as it stands, without its end, and its writer writes no more. */
  release(key: string): void;
  /** Lines `from` to `to` (both included, from 1) as far as they exist, and how many there are now; at most `pageLinesMax` lines at once. */
  read(key: string, from: number, to: number): Promise<LogPage>;
  /** How many lines there are now, and outlive this process. */
  size(key: string): number;
  /** Called after lines were added to `key`; returns the function that ends it. */
  watch(key: string, listener: () => void): () => void;
}

/** Logs that may be removed for their age. */
export interface OldLogStore {
  /** What was not written to since `before` (milliseconds since the epoch), in order of time. */
  old(before: number): Promise<readonly OldLogs[]>;
}

/** Logs that are removed together. */
export interface OldLogs {
  /** Whose they are; of what is left of an earlier removal, nobody's. */
  readonly runIds: readonly string[];
  size(): Promise<Freed>;
  remove(): Promise<Freed>;
}

export interface Freed {
  readonly files: number;
  readonly bytes: number;
}

/** What became of a log of which nothing is here, of a run that ended at `finishedAt`; null: its age is not why. */
export function removedText(finishedAt: number | null, keptMs: number | null, now: number): string | null {
  if (finishedAt === null || keptMs === null || now - finishedAt < keptMs) return null;
  return `removed ${writeDuration(keptMs)} after the end of the run`;
}

export interface LogLine {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly stream: 'out' | 'err' | 'contender';
  readonly text: string;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  readonly total: number;
  /** The writer has closed it; nothing follows. */
  readonly closed: boolean;
}

export interface LogWriter {
  /** Whole lines or parts of them, as they come; the stream's last partial line is completed by `close`. */
  write(stream: LogLine['stream'], chunk: Uint8Array | string): void;
  /** One whole line, of the time that it says. */
  line(line: Omit<LogLine, 'number'>): void;
  /** The same of a log that was brought within its limit where it was written: its lines keep their numbers. `not now`: those before it could not be written, and are to come again with it. */
  copy(line: Omit<LogLine, 'number'>): 'taken' | 'full' | 'not now';
  close(): Promise<void>;
}

export const logLimits = {
  lineBytesMax: 16 * 1024,
  logBytesMax: 256 * 1024 * 1024,
  tailBytesMax: 1024 * 1024,
  pageLinesMax: 10_000,
} as const;
