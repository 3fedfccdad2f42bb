/**
 * The engine's memory as it was when the words were ready in it. To put it back takes less than a millisecond, where to
 * evaluate the words takes thirty, so each evaluation begins with it, and the package carries one for the first.
 *
 * It fits an engine that was brought to the same place: the same machine code, which then asked its memory for the same
 * pieces in the same order. `fits` proves both.
 */
import { readFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

export interface WordsImage {
  /** SHA-256 of the engine and the words, from `image-digest`. */
  readonly digest: string;
  /** Where the last piece before the words lies: the same only where all before it had the same sizes. */
  readonly origin: number;
  /** What is not zero, by page. */
  readonly pieces: readonly Piece[];
}

interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

const pageWords = 1024;

export function takeImage(memory: WebAssembly.Memory, digest: string, origin: number): WordsImage {
  const words = new Int32Array(memory.buffer);
  const pieces: Piece[] = [];
  let start: number | null = null;
  for (let page = 0; page <= words.length; page += pageWords) {
    const isUsed = page < words.length && hasContent(words, page);
    if (isUsed) start ??= page;
    if (isUsed || start === null) continue;
    const [at, end] = [start * words.BYTES_PER_ELEMENT, page * words.BYTES_PER_ELEMENT];
    pieces.push({ at, bytes: new Uint8Array(memory.buffer).slice(at, end) });
    start = null;
  }
  return { digest, origin, pieces };
}

/** In a loop, as a call for each of millions of words takes 80 ms. */
function hasContent(words: Int32Array, page: number): boolean {
  for (let index = page; index < page + pageWords; index += 1) if (words[index] !== 0) return true;
  return false;
}

export function fits(image: WordsImage, digest: string, origin: number): boolean {
  return image.digest === digest && image.origin === origin;
}

/** For a memory that has not been used since its engine was made: what is not of the image is zero, or below the stack. */
export function lay(memory: WebAssembly.Memory, { pieces }: WordsImage): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const piece of pieces) bytes.set(piece.bytes, piece.at);
}

/** All of the memory becomes as it was, also what was not used: to write that for the first time takes long. */
export function restore(memory: WebAssembly.Memory, image: WordsImage): void {
  lay(memory, image);
  const bytes = new Uint8Array(memory.buffer);
  let end = 0;
  for (const { at, bytes: piece } of image.pieces) {
    bytes.fill(0, end, at);
    end = at + piece.length;
  }
  bytes.fill(0, end);
}

export function packImage(image: WordsImage): Buffer {
  return serialize(image);
}

/** What `packImage` made. */
export function unpackImage(packed: Uint8Array): WordsImage {
  return deserialize(packed) as WordsImage;
}

/** Null where there is none, as in development. */
export function readImage(file: URL): WordsImage | null {
  try {
    // Written by the build of this very package.
    return unpackImage(readFileSync(file));
  } catch {
    return null;
  }
}
