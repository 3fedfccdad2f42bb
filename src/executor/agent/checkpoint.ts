/**
 * What a try leaves in its checkpoint for the next one, which is somewhere else: brought to the server when the try has not
 * succeeded, and laid out again before the next begins.
 */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { formatBytes } from '../../std/bytes.ts';
import { agentLimits } from './contract.ts';
import { AttemptRevoked, type Link } from './link.ts';
import { failedReadReason, hasErrorCode } from '../../std/error-message.ts';

export interface CheckpointPorts {
  readonly link: Link;
  /** Lays the files of a tar out in a folder. */
  readonly unpack: (tar: ReadableStream<Uint8Array>, folder: string) => Promise<void>;
  /** For the log of the attempt. */
  readonly say: (text: string) => Promise<void>;
}

/** Into this folder, where an earlier try has left something. */
export async function bringCheckpoint(folder: string, { link, unpack, say }: CheckpointPorts): Promise<void> {
  await unlessRevoked(
    async () => {
      await link.ask('GET', 'checkpoint', async ({ body }) => {
        await rm(folder, { recursive: true, force: true });
        if (body !== null) await unpack(body, folder);
      });
    },
    (why) => say(`The checkpoint of the try before could not be laid out, and this one begins anew: ${why}`),
  );
}

/** Files and folders; nothing where there is no file. */
export async function sendCheckpoint(folder: string, { link, say }: Omit<CheckpointPorts, 'unpack'>): Promise<void> {
  await unlessRevoked(
    async () => {
      const { files, bytes } = await contentOf(folder);
      if (files === 0) return;
      if (bytes > agentLimits.checkpointBytesMax) {
        const most = formatBytes(agentLimits.checkpointBytesMax);
        throw new Error(`it has ${formatBytes(bytes)}, and ${most} are kept at most`);
      }
      const { create } = await import('tar');
      await link.ask(
        'PUT',
        'checkpoint',
        async (answer) => void (await answer.text()),
        () => ({
          type: 'application/octet-stream',
          content: Readable.toWeb(Readable.from(create({ cwd: folder, portable: true }, ['.']))) as ReadableStream,
        }),
      );
      await say(`Its checkpoint (${formatBytes(bytes)}) is kept for the next try.`);
    },
    (why) => say(`Its checkpoint could not be kept for the next try: ${why}`),
  );
}

async function unlessRevoked(work: () => Promise<void>, failed: (why: string) => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AttemptRevoked) throw error;
    await failed(failedReadReason(error));
  }
}

/** Throws where not all of it can be read: a part of a checkpoint is none. */
async function contentOf(folder: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  });
  let [files, bytes] = [0, 0];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    // One that cannot be opened would end the agent in the middle of the tar.
    await using file = await open(join(entry.parentPath, entry.name));
    files += 1;
    bytes += (await file.stat()).size;
  }
  return { files, bytes };
}
