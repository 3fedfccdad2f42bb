/**
 * The words as one script for the sandbox. In the published package it lies prebuilt beside this file; in development
 * esbuild makes it once in the life of a process.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { makeImage } from './sandbox.ts';
import { packImage } from './words-image.ts';

export interface Guest {
  readonly code: string;
  /** What `contender` exports. */
  readonly words: readonly string[];
}

let made: Promise<Guest> | null = null;

export function guest(): Promise<Guest> {
  made ??= readPrebuilt().then((found) => found ?? bundleGuest());
  return made;
}

/** For the build of the package: puts the script, and the engine's memory with it, into the folder that holds this file's build. */
export async function writePrebuiltGuest(directory: string): Promise<void> {
  const bundled = await bundleGuest();
  await mkdir(join(directory, 'prebuilt'), { recursive: true });
  await writeFile(join(directory, 'prebuilt/guest.json'), JSON.stringify(bundled));
  await writeFile(join(directory, 'prebuilt/words.image'), packImage(await makeImage(bundled.code)));
}

async function readPrebuilt(): Promise<Guest | null> {
  try {
    // Written by the build of this very package.
    return JSON.parse(await readFile(new URL('prebuilt/guest.json', import.meta.url), 'utf8')) as Guest;
  } catch {
    return null;
  }
}

async function bundleGuest(): Promise<Guest> {
  const ending = extname(import.meta.url);
  const options = {
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2023',
    platform: 'neutral',
    minify: true,
    logLevel: 'silent',
    tsconfigRaw: '{}',
  } as const;
  const [script, words] = await Promise.all([
    build({ ...options, entryPoints: [fileURLToPath(new URL(`./guest${ending}`, import.meta.url))] }),
    build({
      ...options,
      format: 'esm',
      metafile: true,
      entryPoints: [fileURLToPath(new URL(`../pipeline/index${ending}`, import.meta.url))],
    }),
  ]);
  return {
    code: script.outputFiles[0]?.text ?? '',
    words: Object.values(words.metafile.outputs).flatMap((output) => output.exports),
  };
}
