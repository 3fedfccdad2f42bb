/** Layers of images, written by `tar` and kept under the digest of their bytes, as a store of OCI blobs. */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '../command.ts';

export interface Layer {
  /** Of its uncompressed bytes, in hexadecimal: there is no other form of it here. */
  readonly digest: string;
  readonly bytes: number;
}

/** `key` says what the layer is made of: the same key is the same layer, and nothing is read. */
export async function makeLayer(
  images: string,
  name: string,
  key: string,
  tarWords: readonly string[],
): Promise<Layer> {
  const note = join(images, 'layers', `${name}.json`);
  const known = readNote(note);
  if (known?.key === key && existsSync(blobOf(images, known.digest))) return known;
  const file = blobOf(images, `${name}.new`);
  for (const folder of [join(images, 'layers'), join(images, 'blobs', 'sha256')])
    mkdirSync(folder, { recursive: true });
  // Neither the clock nor the order of a folder is in the bytes, so that the same files are the same digest.
  await run('tar', ['--create', '--file', file, '--sort=name', '--mtime=@0', '--numeric-owner', ...tarWords]);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const layer: Layer & { readonly key: string } = { key, digest: hash.digest('hex'), bytes: statSync(file).size };
  if (known !== null) rmSync(blobOf(images, known.digest), { force: true });
  renameSync(file, blobOf(images, layer.digest));
  writeFileSync(note, JSON.stringify(layer));
  return layer;
}

export function blobOf(images: string, digest: string): string {
  return join(images, 'blobs', 'sha256', digest);
}

function readNote(file: string): (Layer & { readonly key: string }) | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Layer & { readonly key: string }) : null;
}
