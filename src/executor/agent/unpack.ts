/** Lays out the files of a commit, which come as a tar. */
import { mkdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** `folder` is made where it is not there. */
export async function unpack(tar: ReadableStream<Uint8Array>, folder: string): Promise<void> {
  const { extract } = await import('tar');
  mkdirSync(folder, { recursive: true });
  await pipeline(
    Readable.fromWeb(tar as Parameters<typeof Readable.fromWeb>[0]),
    extract({ cwd: folder, strict: true, filter: isOrdinary }),
  );
}

/** The server sends files and folders alone; nothing else is laid out. */
function isOrdinary(_path: string, entry: object): boolean {
  return 'type' in entry && (entry.type === 'File' || entry.type === 'Directory');
}
