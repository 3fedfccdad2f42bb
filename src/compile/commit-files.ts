/**
 * What a bundle may read: files of the commit by their relative paths, up to the limits. The words of `contender` come
 * from the sandbox; every other package is a stub that throws when it is touched while the pipeline is defined, because
 * there is no `npm install` on the server: the runner has the real one.
 */
import { posix } from 'node:path';
import {
  type Loader,
  type OnLoadResult,
  type OnResolveArgs,
  type OnResolveResult,
  type PartialMessage,
  type Plugin,
} from 'esbuild';
import { isJsonObject } from '../std/json.ts';
import type { ProblemCode } from '../std/problem-codes.ts';
import { compileLimits } from './compile.ts';
import { depthOf, parseGuarded } from './definition-text.ts';
import type { SourceReader, SourceText } from './source-reader.ts';
import { isBuildFailure, type Transforms } from './transforms.ts';

/** Where the sandbox keeps the words, and the name that the map gives to files of the commit. */
const wordsGlobal = 'contender:words';
export const repositoryNamespace = 'repository';
/** And the name that it gives to the words. */
export const wordsSource = 'words:contender';
/** Data of the commit, which a module of the same path exports: as in Node, that has a default export only. */
const dataNamespace = 'data';

const loaders: ReadonlyMap<string, Loader> = new Map([
  ['.ts', 'ts'],
  ['.mts', 'ts'],
  ['.js', 'js'],
  ['.mjs', 'js'],
  ['.json', 'json'],
]);

export function canBeBundled(path: string): boolean {
  return loaders.has(posix.extname(path));
}

/** What one bundle has read so far. */
export interface Reading {
  readonly reader: SourceReader;
  readonly inputs: Set<string>;
  readonly transforms: Transforms;
  /** From the JavaScript that a file in TypeScript became to what its author wrote: source maps in JSON, by path. */
  readonly maps: Map<string, string>;
  tokens: number;
}

/** The plugin that gives the bundler its files. */
export function commitFiles(reading: Reading, words: readonly string[]): Plugin {
  return {
    name: 'commit-files',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args) => await resolve(args, reading));
      build.onLoad({ filter: /.*/, namespace: repositoryNamespace }, async ({ path }) => await load(path, reading));
      build.onLoad({ filter: /.*/, namespace: dataNamespace }, async ({ path }) => await loadData(path, reading));
      build.onLoad({ filter: /.*/, namespace: 'words' }, () => ({
        contents: words
          .map((word) => `export const ${word} = globalThis[${JSON.stringify(wordsGlobal)}].${word};`)
          .join('\n'),
        loader: 'js',
      }));
      build.onLoad({ filter: /.*/, namespace: 'stub' }, ({ path }) => ({
        contents: `module.exports = globalThis[${JSON.stringify(wordsGlobal)}].packageStub(${JSON.stringify(path)});`,
        loader: 'js',
      }));
    },
  };
}

async function resolve(args: OnResolveArgs, reading: Reading): Promise<OnResolveResult> {
  if (args.kind === 'entry-point') {
    // esbuild writes "./" in front where the working directory happens to have such a file.
    const path = posix.normalize(args.path);
    reading.inputs.add(path);
    return { path, namespace: repositoryNamespace };
  }
  if (args.importer.endsWith('.json')) return { path: args.importer, namespace: dataNamespace };
  if (args.kind !== 'import-statement') {
    const help = args.path.startsWith('.')
      ? modulesHelp
      : 'Import at the top of the file: packages are only stubs while the pipeline is defined, and real in the function of a step.';
    return refuse(
      'definition-import',
      `${args.kind === 'dynamic-import' ? 'import()' : 'require()'} of ${JSON.stringify(args.path)} is not allowed`,
      help,
    );
  }
  if (args.path === 'contender') return { path: args.path, namespace: 'words' };
  if (/^\.\.?\//.test(args.path)) return await resolveRelative(args, reading);
  if (/^(?:node:)?[@a-zA-Z0-9][\w@/.-]*$/.test(args.path))
    return { path: args.path, namespace: 'stub', sideEffects: false };
  return refuse(
    'definition-import',
    `${JSON.stringify(args.path)} cannot be imported`,
    'Import a file of the repository by its relative path ("./shared/features.ts"), or a package by its name.',
  );
}

async function resolveRelative(args: OnResolveArgs, reading: Reading): Promise<OnResolveResult> {
  const path = posix.normalize(posix.join(posix.dirname(args.importer), args.path));
  if (path.startsWith('../') || path === '..')
    return refuse(
      'definition-import',
      `${JSON.stringify(args.path)} is outside of the repository`,
      'Import files of this repository only.',
    );
  const { reader, inputs } = reading;
  inputs.add(path);
  if (inputs.size > compileLimits.importsMax)
    return refuse(
      'definition-limit',
      `more than ${compileLimits.importsMax} files are imported`,
      'Import less; data belongs into the steps.',
    );
  const loader = loaders.get(posix.extname(path));
  if (loader !== undefined && (await reader.read(path)) !== null) {
    const commonJs = await packageOfScripts(path, reading);
    if (commonJs === null) return { path, namespace: repositoryNamespace };
    const message = `${path} is CommonJS for Node: ${commonJs} says "type": "commonjs"`;
    return refuse('definition-import', message, `Call it ${posix.basename(path, '.js')}.mjs, or say "type": "module".`);
  }
  if (/^\.c[jt]s$/.test(posix.extname(path)) && (await reader.read(path)) !== null)
    return refuse('definition-import', `${path} is in CommonJS, by its ending`, modulesHelp);
  for (const ending of ['.ts', '.js', '/index.ts']) {
    const candidate =
      posix.extname(path) === '.js' && ending === '.ts' ? `${path.slice(0, -3)}.ts` : `${path}${ending}`;
    if ((await reader.read(candidate)) === null) continue;
    const written = `${args.path.startsWith('./') ? './' : ''}${posix.relative(posix.dirname(args.importer), candidate)}`;
    return refuse(
      'definition-import',
      `there is no file ${JSON.stringify(path)}`,
      `Write the whole name of the file: ${JSON.stringify(written)}.`,
    );
  }
  const help =
    loader === undefined
      ? `Import files that end in ${[...loaders.keys()].join(', ')}.`
      : 'Check the path; it is relative to the file that imports. Links and submodules are not followed.';
  return refuse('definition-import', `there is no file ${JSON.stringify(path)} that can be imported`, help);
}

export const modulesHelp =
  'Files of a definition are ES modules: write `export` and, at the top of the file, `import … from`; end its name in .ts, .mts or .mjs.';

/** The nearest `package.json`, where that has Node take the file for CommonJS; its loader for TypeScript asks none. */
async function packageOfScripts(path: string, { reader, inputs }: Reading): Promise<string | null> {
  if (posix.extname(path) !== '.js') return null;
  for (let folder = posix.dirname(path); ; folder = posix.dirname(folder)) {
    const file = posix.join(folder, 'package.json');
    inputs.add(file);
    const found = await reader.read(file);
    if (found !== null) return isOfScripts(found) ? file : null;
    if (folder === '.') return null;
  }
}

function isOfScripts({ bytes }: SourceText): boolean {
  const read = parseGuarded(new TextDecoder().decode(bytes));
  return read.ok && isJsonObject(read.value) && read.value['type'] === 'commonjs';
}

const dataHelp = 'Data and code that only the steps need belong into files that the steps read and start.';

async function load(path: string, reading: Reading): Promise<OnLoadResult> {
  if (posix.extname(path) === '.json') return { contents: `export { default } from './data';`, loader: 'js' };
  const read = await contentsOf(path, reading);
  if ('errors' in read) return read;
  reading.tokens += countTokens(read.contents);
  if (reading.tokens > compileLimits.bundleTokensMax) {
    const message = `the definition, with what it imports, has more than ${compileLimits.bundleTokensMax} words and signs`;
    return refuse('definition-limit', message, dataHelp);
  }
  if (loaders.get(posix.extname(path)) === 'js') return { contents: asModule(read.contents), loader: 'js' };
  return await withoutTypes(path, read, reading);
}

/** The bundler takes what neither imports nor exports for CommonJS, of which it believes anything. */
function asModule(code: string): string {
  return `${code}\nexport {};`;
}

async function withoutTypes(path: string, { contents, hash }: Contents, reading: Reading): Promise<OnLoadResult> {
  try {
    const { code, map } = await reading.transforms.of(`${repositoryNamespace}:${path}`, contents, hash);
    reading.maps.set(path, map);
    return { contents: asModule(code), loader: 'js' };
  } catch (error) {
    if (isBuildFailure(error)) return { errors: error.errors };
    throw error;
  }
}

async function loadData(path: string, reading: Reading): Promise<OnLoadResult> {
  const read = await contentsOf(path, reading);
  if ('errors' in read) return read;
  const { contents } = read;
  if (depthOf(contents) <= compileLimits.jsonDepthMax) return { contents, loader: 'json' };
  const message = `${path} is nested deeper than ${compileLimits.jsonDepthMax} levels`;
  return refuse('definition-limit', message, 'Flatten it.');
}

interface Contents {
  readonly contents: string;
  readonly hash: string;
}

async function contentsOf(path: string, reading: Reading): Promise<Contents | ReturnType<typeof refuse>> {
  const file = await reading.reader.read(path);
  if (file === null) return refuse('definition-import', `there is no file ${JSON.stringify(path)}`, 'Check the path.');
  if (!file.isTooLarge) return { contents: new TextDecoder().decode(file.bytes), hash: file.hash };
  return refuse('definition-limit', `${path} has more than ${compileLimits.fileBytesMax} bytes`, dataHelp);
}

/** Words and signs, those in comments and strings too: nothing nests deeper than this. */
function countTokens(text: string): number {
  let tokens = 0;
  let inWord = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const isWord =
      (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      (code >= 48 && code <= 57) ||
      code === 95 ||
      code > 127;
    if (code > 32 && !(isWord && inWord)) tokens++;
    inWord = isWord;
  }
  return tokens;
}

function refuse(code: ProblemCode, text: string, help: string): { errors: PartialMessage[] } {
  return { errors: [{ text, detail: { code, help } }] };
}
