/**
 * Artifacts in a directory: `artifacts/ab/cd/<sha256>`, read-only files. Bytes are hashed while they are copied into a
 * temporary file, which is made durable and renamed, so that a name never stands for anything but all of its bytes.
 * Whoever reads gets verified bytes: a flipped bit is an error that names the artifact, never a wrong model.
 */
import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Artifact } from '../pipeline/definition.ts';
import {
  ArtifactDamagedError,
  artifactsNamed,
  type ArtifactStore,
  type ArtifactStream,
  type ArtifactStreams,
  type ArtifactUses,
} from './outputs.ts';
import { artifactName } from './safe-name.ts';
import { hasErrorCode } from '../std/error-message.ts';
import type { Json } from '../std/json.ts';

const chunkBytes = 1024 * 1024;

/** A file that cannot become an artifact: a folder, a device, or more bytes than are allowed. */
class ArtifactRefusedError extends Error {}

export interface DirectoryArtifactOptions {
  readonly directory: string;
  /** 64 GiB unless said. */
  readonly artifactBytesMax?: number;
}

export function artifactPath(directory: string, sha256: string): string {
  return join(directory, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
}

export function createDirectoryArtifactStore(
  options: DirectoryArtifactOptions,
): ArtifactStore & ArtifactStreams & ArtifactUses {
  const { directory, artifactBytesMax = 64 * 1024 ** 3 } = options;
  const temporary = join(directory, 'incoming');
  let prepared: Promise<void> | null = null;
  const prepare = (): Promise<void> => (prepared ??= prepareFolders(temporary));
  const pathOf = (sha256: string): string => artifactPath(directory, sha256);

  async function keep(
    name: string,
    fill: (target: FileHandle) => Promise<{ sha256: string; bytes: number }>,
  ): Promise<Artifact> {
    await prepare();
    const incoming = join(temporary, randomUUID());
    try {
      await using target = await open(incoming, 'wx', 0o444);
      const { sha256, bytes } = await fill(target);
      await target.sync();
      const path = pathOf(sha256);
      await mkdir(dirname(path), { recursive: true });
      // Over a file of the same name lie the same bytes, or damaged ones which this heals.
      await rename(incoming, path);
      await syncFolder(dirname(path));
      return { $artifact: sha256, name: artifactName(name), bytes };
    } catch (error) {
      await rm(incoming, { force: true });
      throw error;
    }
  }

  /** Only its owner may change the time of a file: a server under another user has a copy of its own. */
  async function putAgain(sha256: string): Promise<boolean> {
    await using source = await openKept(pathOf(sha256), sha256);
    if (source === null) return false;
    const { $artifact } = await keep('', (target) => copy(source, target, Number.POSITIVE_INFINITY));
    return $artifact === sha256;
  }

  return {
    putFile: (path, name) =>
      keep(name, async (target) => {
        // Not blocking, so that a named pipe is refused and not waited for.
        await using source = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
        if (!(await source.stat()).isFile()) throw new ArtifactRefusedError(`${path} is not a regular file`);
        return await copy(source, target, artifactBytesMax);
      }),
    putBytes: (bytes, name) =>
      keep(name, async (target) => {
        await target.writeFile(bytes);
        return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
      }),
    putStream: (content, name) => keep(name, (target) => drain(content, target, artifactBytesMax)),
    openStream: (sha256) => streamOf(pathOf(sha256), sha256),
    async openVerified(sha256) {
      const found = await streamOf(pathOf(sha256), sha256);
      return found === null ? null : { ...found, content: verified(sha256, found.content) };
    },
    getBytes: (sha256) => readVerified(pathOf(sha256), sha256),
    async namedIn(sha256) {
      try {
        const bytes = await readVerified(pathOf(sha256), sha256);
        if (bytes === null) return null;
        const value: Json = JSON.parse(bytes.toString());
        return [...artifactsNamed(value)].map((artifact) => artifact.sha256);
      } catch (error) {
        if (error instanceof ArtifactDamagedError || error instanceof SyntaxError) return null;
        throw error;
      }
    },
    async use(sha256) {
      if (!isHash(sha256)) return false;
      const now = new Date();
      try {
        await utimes(pathOf(sha256), now, now);
        return true;
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT')) return false;
        if (hasErrorCode(error, 'EPERM') || hasErrorCode(error, 'EACCES')) return putAgain(sha256);
        throw error;
      }
    },
    async getFile(sha256, path) {
      await using source = await openKept(pathOf(sha256), sha256);
      if (source === null) return false;
      const incoming = `${path}.${randomUUID()}`;
      try {
        await using target = await open(incoming, 'wx', 0o444);
        verifyHash(sha256, (await copy(source, target, Number.POSITIVE_INFINITY)).sha256);
        await rename(incoming, path);
        return true;
      } catch (error) {
        await rm(incoming, { force: true });
        throw error;
      }
    },
    async has(sha256) {
      if (!isHash(sha256)) return false;
      return stat(pathOf(sha256)).then(
        (found) => found.isFile(),
        () => false,
      );
    },
  };
}

/** What an earlier server was writing when it died is no artifact and never becomes one. */
async function prepareFolders(temporary: string): Promise<void> {
  await mkdir(temporary, { recursive: true });
  const hourAgo = (await stat(temporary)).mtimeMs - 3_600_000;
  for (const name of await readdir(temporary)) {
    const found = await stat(join(temporary, name)).catch(() => null);
    if (found !== null && found.mtimeMs < hourAgo) await rm(join(temporary, name), { force: true });
  }
}

async function copy(
  source: FileHandle,
  target: FileHandle,
  bytesMax: number,
): Promise<{ sha256: string; bytes: number }> {
  return drain(chunksOf(source), target, bytesMax);
}

/** One buffer, whose content counts until the next is asked for. */
async function* chunksOf(source: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, chunkBytes, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function drain(
  chunks: AsyncIterable<Uint8Array>,
  target: FileHandle,
  bytesMax: number,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw new ArtifactRefusedError(`it has more than the ${bytesMax} bytes that an artifact may have`);
    hash.update(chunk);
    for (let written = 0; written < chunk.length;) written += (await target.write(chunk, written)).bytesWritten;
  }
  return { sha256: hash.digest('hex'), bytes };
}

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

async function openKept(path: string, sha256: string): Promise<FileHandle | null> {
  if (!isHash(sha256)) return null;
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function readVerified(path: string, sha256: string): Promise<Buffer | null> {
  await using source = await openKept(path, sha256);
  if (source === null) return null;
  const bytes = await source.readFile();
  verifyHash(sha256, createHash('sha256').update(bytes).digest('hex'));
  return bytes;
}

async function streamOf(path: string, sha256: string): Promise<ArtifactStream | null> {
  const source = await openKept(path, sha256);
  if (source === null) return null;
  return { bytes: (await source.stat()).size, content: source.createReadStream() };
}

/** Whoever reads has all bytes only if all of them were right. */
async function* verified(sha256: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let last: Uint8Array | null = null;
  for await (const chunk of content) {
    hash.update(chunk);
    if (last !== null) yield last;
    last = chunk;
  }
  verifyHash(sha256, hash.digest('hex'));
  if (last !== null) yield last;
}

/** Throws where the bytes of an artifact have another hash than they should. */
export function verifyHash(sha256: string, found: string): void {
  if (sha256 !== found) throw new ArtifactDamagedError(sha256, found);
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
