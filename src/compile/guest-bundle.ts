/**
 * The words as one script for the sandbox. In the published package it lies prebuilt beside this file; in development
 * esbuild makes it once in the life of a process.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface Guest {
  readonly code: string;
  /** What `contender` exports. */
  readonly words: readonly string[];
}

const prebuiltName = 'prebuilt/guest.json';
let made: Promise<Guest> | null = null;

export function guest(): Promise<Guest> {
  made ??= readPrebuilt().then((found) => found ?? bundleGuest());
  return made;
}

/** For the build of the package: puts the script where `guest` finds it, in the folder that holds this file's build. */
export async function writePrebuiltGuest(directory: string): Promise<void> {
  const file = `${directory}/${prebuiltName}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(await bundleGuest()));
}

async function readPrebuilt(): Promise<Guest | null> {
  try {
    // Written by the build of this very package.
    return JSON.parse(await readFile(new URL(prebuiltName, import.meta.url), 'utf8')) as Guest;
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
    globalName: 'guest',
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
    code: `(() => {\n${script.outputFiles[0]?.text ?? ''}\nreturn guest; })()`,
    words: Object.values(words.metafile.outputs).flatMap((output) => output.exports),
  };
}
