/**
 * What an image of the engine's memory belongs to. The server tells it to the sandbox's process while that starts, which would
 * have to load `node:crypto` for it: that is a tenth of its start.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function imageDigest(engine: Uint8Array, words: string): string {
  return createHash('sha256').update(engine).update(words).digest('hex');
}

/** For the engine that is installed. */
export function installedImageDigest(words: string): string {
  return imageDigest(
    readFileSync(fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'))),
    words,
  );
}
