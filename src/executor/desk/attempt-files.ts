/**
 * What must outlive the server about each attempt that runs elsewhere: what it is, whether an agent has begun it, and how
 * it ended. One small file each, in a folder of the run that goes with it. It is written before what it says can have an
 * effect: the file before the pod is asked for, the agent before it hears that it may begin, the end before it is reported.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStreams } from '../../outputs/outputs.ts';
import { formatBytes } from '../../std/bytes.ts';
import { safePath } from '../../outputs/safe-name.ts';
import type { AgentResult } from '../agent/contract.ts';
import type { AttemptReport, AttemptSpec } from '../executor.ts';
import { hasErrorCode } from '../../std/error-message.ts';

export type FinishedReport = Extract<AttemptReport, { type: 'finished' }>;

export interface KeptAttempt {
  readonly spec: AttemptSpec;
  /** `agent`: which one has begun it, where and when. `linesBefore`: of the log, when it began. */
  readonly begun: {
    readonly agent: string;
    readonly linesBefore: number;
    readonly place: string;
    readonly at: number;
  } | null;
  /** Of its pod, as the cluster has made it. */
  readonly uid?: string;
  /** What the helper of a container has brought: it counts when its container is seen to have ended well. */
  readonly told?: AgentResult;
  readonly finished: FinishedReport | null;
  /** Of what is finished, who said so (`PlacementEnd`); it is missing where an older server wrote it. */
  readonly end?: 'told' | 'seen' | 'stopped';
}

export type Bytes = NonNullable<Awaited<ReturnType<ArtifactStreams['openStream']>>>;

export class TooLarge extends Error {}

export interface AttemptFiles {
  read(attemptId: string): KeptAttempt | null;
  /** Throws where it cannot be written: then what it says must not have its effect. */
  write(attemptId: string, kept: KeptAttempt): void;
  /** What a try of this instance has left for the next one; null: nothing. */
  openCheckpoint(attemptId: string): Promise<Bytes | null>;
  /** Whole or not at all, in place of what was there; rejects with `TooLarge` where it has more than that. */
  keepCheckpoint(attemptId: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<void>;
  /** No further try will ask for it. */
  removeCheckpoint(attemptId: string): Promise<void>;
  /** Removes those of every run but these. */
  retain(runIds: ReadonlySet<string>): void;
  release(runId: string): void;
}

export function openAttemptFiles(directory: string): AttemptFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const placeOf = (key: string, ending: string): { readonly folder: string; readonly file: string } => {
    const { folder, name } = safePath(key);
    return { folder: join(directory, folder), file: join(directory, folder, `${name}${ending}`) };
  };
  const pathOf = (attemptId: string): ReturnType<typeof placeOf> => placeOf(attemptId, '.json');
  /** Of all tries of an instance. */
  const checkpointOf = (attemptId: string): ReturnType<typeof placeOf> =>
    placeOf(attemptId.slice(0, attemptId.lastIndexOf('/')), '.tar');
  const remove = (name: string): void => void rm(join(directory, name), { recursive: true, force: true });
  return {
    read(attemptId) {
      try {
        // Written by us, whole or not at all.
        return JSON.parse(readFileSync(pathOf(attemptId).file, 'utf8')) as KeptAttempt;
      } catch (error) {
        return unlessMissing(error);
      }
    },
    write(attemptId, kept) {
      const { folder, file } = pathOf(attemptId);
      const incoming = `${file}.${randomBytes(6).toString('hex')}`;
      mkdirSync(folder, { recursive: true });
      try {
        writeFileSync(incoming, JSON.stringify(kept), { mode: 0o600, flag: 'wx' });
        renameSync(incoming, file);
      } catch (error) {
        rmSync(incoming, { force: true });
        throw error;
      }
    },
    async openCheckpoint(attemptId) {
      const file = await open(checkpointOf(attemptId).file).catch(unlessMissing);
      if (file === null) return null;
      return { bytes: (await file.stat()).size, content: file.createReadStream() };
    },
    async keepCheckpoint(attemptId, content, bytesMax) {
      const { folder, file } = checkpointOf(attemptId);
      const incoming = `${file}.${randomBytes(6).toString('hex')}`;
      mkdirSync(folder, { recursive: true });
      try {
        // It is there before anything can go wrong, so that what goes wrong removes it.
        await using target = await open(incoming, 'wx', 0o600);
        await pipeline(content, atMost(bytesMax), target.createWriteStream());
        await rename(incoming, file);
      } finally {
        await rm(incoming, { force: true });
      }
    },
    removeCheckpoint: (attemptId) => rm(checkpointOf(attemptId).file, { force: true }),
    retain(runIds) {
      const kept = new Set([...runIds].map((runId) => safePath(runId).folder));
      for (const name of readdirSync(directory)) if (!kept.has(name)) remove(name);
    },
    release: (runId) => remove(safePath(runId).folder),
  };
}

function unlessMissing(error: unknown): null {
  if (hasErrorCode(error, 'ENOENT')) return null;
  throw error;
}

/** What comes after the limit is read and left, so that whoever sends it hears why. */
function atMost(bytesMax: number): (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array> {
  return async function* (chunks) {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes <= bytesMax) yield chunk;
    }
    if (bytes > bytesMax)
      throw new TooLarge(`it has ${formatBytes(bytes)}, and ${formatBytes(bytesMax)} are kept at most`);
  };
}
