/** The server's artifacts, as an agent sees them: hashed on both sides, streamed, and the same bytes sent once. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Artifact } from '../../pipeline/definition.ts';
import { verifyHash } from '../../outputs/directory.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import type { Link, LinkBody } from './link.ts';

export function createRemoteArtifacts(link: Link): ArtifactStore {
  const put = async (sha256: string, name: string, body: () => LinkBody): Promise<Artifact> => {
    const address = `artifacts/${sha256}?name=${encodeURIComponent(name)}`;
    const kept = await link.ask('PUT', address, async (answer) => (await answer.json()) as Artifact, body);
    if (kept === null) throw new Error('the server takes no artifacts');
    return kept;
  };
  return {
    async putFile(path, name) {
      const sha256 = await hashOf(path);
      return put(sha256, name, () => ({
        type: 'application/octet-stream',
        content: Readable.toWeb(createReadStream(path)) as ReadableStream,
      }));
    },
    putBytes(bytes, name) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return put(sha256, name, () => ({ type: 'application/octet-stream', content: Buffer.from(bytes) }));
    },
    getBytes: (sha256) =>
      link.ask('GET', `artifacts/${sha256}`, async (answer) => {
        const bytes = new Uint8Array(await answer.arrayBuffer());
        verifyHash(sha256, createHash('sha256').update(bytes).digest('hex'));
        return bytes;
      }),
    async getFile(sha256, path) {
      const found = await link.ask('GET', `artifacts/${sha256}`, async ({ body }) => {
        if (body !== null) await keepFile(body, sha256, path);
        return body !== null;
      });
      return found === true;
    },
    async has(sha256) {
      const found = await link.ask('GET', `artifacts/${sha256}`, async ({ body }) => body?.cancel());
      return found !== null;
    },
  };
}

async function keepFile(body: ReadableStream<Uint8Array>, sha256: string, path: string): Promise<void> {
  const incoming = `${path}.${randomUUID()}`;
  try {
    const hash = createHash('sha256');
    const hashed = async function* (chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    };
    // It is there before anything can go wrong, so that what goes wrong removes it.
    await using target = await open(incoming, 'wx');
    await pipeline(body, hashed, target.createWriteStream());
    verifyHash(sha256, hash.digest('hex'));
    await chmod(incoming, 0o444);
    await rename(incoming, path);
  } finally {
    await rm(incoming, { force: true });
  }
}

async function hashOf(path: string): Promise<string> {
  if (!(await stat(path)).isFile()) throw new Error(`${path} is not a regular file`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
