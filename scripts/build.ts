/** `npm run build`: the package as it is published, in dist/: JavaScript, declarations, and the files that are read at run time. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { build } from 'esbuild';
import type * as Guests from '../src/compile/guest-bundle.ts';
import { writePrebuiltGuest } from '../src/compile/guest-bundle.ts';
import type * as Sandboxes from '../src/compile/sandbox.ts';
import { readImage } from '../src/compile/words-image.ts';
import { writePrebuiltAssets } from '../src/ui/assets.ts';
import { bundleProgram } from './program.ts';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

/** Folders whose TypeScript is data (a user's repository), copied as it is. */
const copiedWhole = ['src/demo/repository', 'src/demo/changes'];

for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  const whole = copiedWhole.some((folder) => path.startsWith(`${folder}/`));
  if (entry.isFile() && (whole || !/\.tsx?$/.test(entry.name))) cpSync(path, join('dist', path));
}
// What runs in the browser is bundled now, so that the package needs no sources for it.
await writePrebuiltAssets('dist/src/ui');
await writePrebuiltGuest('dist/src/compile');
// One file instead of ten: its process starts in half the time.
const sandbox = 'dist/src/compile/sandbox-process.js';
await build({
  entryPoints: [sandbox],
  outfile: sandbox,
  allowOverwrite: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifyWhitespace: true,
});
await proveImage();
const program = 'dist/src/cli/bin.js';
const agent = 'dist/runner/agent.js';
for (const entry of [program, agent].map((path) => resolve(path))) {
  const folder = dirname(entry);
  const urlOf = (path: string): string => `new URL(${JSON.stringify(relative(folder, path))}, import.meta.url).href`;
  await bundleProgram({ entries: [entry], folder, urlOf });
}
chmodSync(program, 0o755);

/** Each image holds the moment at which it was made, so the built sandbox gives the one of the file only if it began with it. */
async function proveImage(): Promise<void> {
  const folder = pathToFileURL(join(process.cwd(), 'dist/src/compile/'));
  // The build of the very modules that the types name.
  const { makeImage } = (await import(new URL('sandbox.js', folder).href)) as typeof Sandboxes;
  const { guest } = (await import(new URL('guest-bundle.js', folder).href)) as typeof Guests;
  const written = readImage(new URL('prebuilt/words.image', folder));
  if (isDeepStrictEqual(await makeImage((await guest()).code), written)) return;
  throw new Error('the built sandbox does not begin with prebuilt/words.image');
}
