/** The words as one script for the sandbox, bundled once in the life of a process. */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface Guest {
  readonly code: string;
  /** What `contender` exports. */
  readonly words: readonly string[];
  /** Of the code: a result of another one is no longer valid. */
  readonly digest: string;
}

let bundled: Promise<Guest> | null = null;

export function guest(): Promise<Guest> {
  bundled ??= bundleGuest();
  return bundled;
}

async function bundleGuest(): Promise<Guest> {
  const ending = extname(import.meta.url);
  const options = {
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'guest',
    target: 'es2023',
    platform: 'neutral',
    minify: true,
    logLevel: 'silent',
    tsconfigRaw: '{}',
  } as const;
  const built = await build({ ...options, entryPoints: [fileURLToPath(new URL(`./guest${ending}`, import.meta.url))] });
  const words = await build({
    ...options,
    format: 'esm',
    metafile: true,
    entryPoints: [fileURLToPath(new URL(`../pipeline/index${ending}`, import.meta.url))],
  });
  const code = `(() => {\n${built.outputFiles[0]?.text ?? ''}\nreturn guest; })()`;
  return {
    code,
    words: Object.values(words.metafile.outputs).flatMap((output) => output.exports),
    digest: createHash('sha256').update(code).digest('hex'),
  };
}
