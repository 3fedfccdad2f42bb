/** The program in a few files: a server reads five hundred of ours else, for half of the time until it is ready. */
import { readFile } from 'node:fs/promises';
import * as esbuild from 'esbuild';

export interface ProgramOptions {
  /** Paths of modules. Each becomes a file of its own name in `folder`, and what they share is shared still. */
  readonly entries: readonly string[];
  readonly folder: string;
  /** An expression for the address of the module at a path, as seen from a file of the folder. */
  readonly urlOf: (path: string) => string;
  /** What the module at a path begins with. */
  readonly prologueOf?: (path: string) => string;
}

/** Bundles modules with all that they import of ours; what they load late comes late still, and packages stay where they are. */
export async function bundleProgram({ entries, folder, urlOf, prologueOf }: ProgramOptions): Promise<void> {
  await esbuild.build({
    entryPoints: [...entries],
    outdir: folder,
    entryNames: '[name]',
    chunkNames: 'program-[hash]',
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    plugins: [
      {
        name: 'modules',
        setup(build) {
          build.onLoad({ filter: /\.[jt]sx?$/ }, async ({ path }) => ({
            contents: `${prologueOf?.(path) ?? ''}${toAscii(keepPlace(await readFile(path, 'utf8'), urlOf(path)))}`,
            loader: 'default',
          }));
        },
      },
    ],
  });
}

/** Files that a module finds by its own place are where they were: it is told that place, and not that of the bundle. */
function keepPlace(text: string, url: string): string {
  if (!/\bimport\.meta\.(url|dirname|filename)\b/.test(text)) return text;
  const told = text
    .replaceAll(/\bimport\.meta\.url\b/g, 'placeUrl')
    .replaceAll(/\bimport\.meta\.dirname\b/g, 'placeFolder')
    .replaceAll(/\bimport\.meta\.filename\b/g, 'placePath');
  return (
    "import { fileURLToPath as toPath } from 'node:url'; import { dirname as toFolder } from 'node:path'; " +
    `const placeUrl = ${url}, placePath = toPath(placeUrl), placeFolder = toFolder(placePath);${told}`
  );
}

/**
 * V8 holds a text of one-byte characters in half of the memory. esbuild escapes the others in strings, but neither in regular
 * expressions nor in tagged templates, whatever its `charset`.
 */
function toAscii(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
