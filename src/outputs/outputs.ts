/** Bytes of steps: artifacts by content hash, never overwritten, and the logs of attempts. */
import type { Artifact } from '../pipeline/definition.ts';

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

/** One log for each attempt, addressed by its key. Lines are numbered from 1. */
export interface LogStore {
  /** Opens for appending (the open one again, if there is one); the caller closes. Lines are capped at `lineBytesMax`, logs at `logBytesMax` with a closing marker line. */
  writer(key: string): LogWriter;
  /** Lines `from` to `to` (both included, from 1) as far as they exist, and how many there are now; at most `pageLinesMax` lines at once. */
  read(key: string, from: number, to: number): Promise<LogPage>;
  /** Called after lines were added to `key`; returns the function that ends it. */
  watch(key: string, listener: () => void): () => void;
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
  close(): Promise<void>;
}

export const logLimits = { lineBytesMax: 16 * 1024, logBytesMax: 256 * 1024 * 1024, pageLinesMax: 10_000 } as const;
