/**
 * One file and all that it imports relatively, as one script. The words come from the sandbox; every other package is a
 * stub that throws when it is touched while the pipeline is defined, because there is no `npm install` on the server:
 * the runner has the real one.
 */
import { posix } from 'node:path';
import {
  build,
  type Loader,
  type Message,
  type OnLoadResult,
  type OnResolveArgs,
  type OnResolveResult,
  type PartialMessage,
  type Plugin,
} from 'esbuild';
import { failure, success, type Result } from '../std/result.ts';
import type { Problem } from '../std/problem.ts';
import type { ProblemCode } from '../std/problem-codes.ts';
import { compileLimits } from './compile.ts';
import { problem } from './refusal.ts';
import type { SourceReader } from './source-reader.ts';

export interface Bundle {
  readonly code: string;
  /** A source map in JSON; its sources are `repository:<path>`. */
  readonly map: string;
}

export interface Bundled {
  readonly result: Result<Bundle, readonly Problem[]>;
  /** Paths that were looked at, those that do not exist too: the result holds as long as they stay the same. */
  readonly inputs: readonly string[];
}

/** Where the sandbox keeps the words, and the name that the map gives to files of the commit. */
export const wordsGlobal = 'contender:words';
export const repositoryNamespace = 'repository';

const loaders: ReadonlyMap<string, Loader> = new Map([
  ['.ts', 'ts'],
  ['.mts', 'ts'],
  ['.js', 'js'],
  ['.mjs', 'js'],
  ['.json', 'json'],
]);

/** Bundles `entry`; `words` are the names that `contender` exports. */
export async function bundle(entry: string, reader: SourceReader, words: readonly string[]): Promise<Bundled> {
  const inputs = new Set<string>();
  try {
    const built = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      outfile: 'definition.js',
      format: 'iife',
      globalName: 'definition',
      banner: { js: '(() => {' },
      footer: { js: 'return definition; })()' },
      target: 'es2023',
      platform: 'neutral',
      sourcemap: 'external',
      sourcesContent: false,
      logLevel: 'silent',
      logLimit: compileLimits.problemsMax,
      tsconfigRaw: '{}',
      plugins: [commitFiles(reader, words, inputs)],
    });
    const texts = new Map(built.outputFiles.map((file) => [posix.extname(file.path), file.text]));
    const missing = built.warnings.filter((warning) => warning.id === 'import-is-undefined');
    if (missing.length > 0) return { result: failure(missing.map(toProblem)), inputs: [...inputs] };
    return { result: success({ code: texts.get('.js') ?? '', map: texts.get('.map') ?? '{}' }), inputs: [...inputs] };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return { result: failure(error.errors.slice(0, compileLimits.problemsMax).map(toProblem)), inputs: [...inputs] };
  }
}

function commitFiles(reader: SourceReader, words: readonly string[], inputs: Set<string>): Plugin {
  return {
    name: 'commit-files',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args) => await resolve(args, reader, inputs));
      build.onLoad({ filter: /.*/, namespace: repositoryNamespace }, async ({ path }) => await load(path, reader));
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

async function resolve(args: OnResolveArgs, reader: SourceReader, inputs: Set<string>): Promise<OnResolveResult> {
  if (args.kind === 'entry-point') {
    // esbuild writes "./" in front where the working directory happens to have such a file.
    const path = posix.normalize(args.path);
    inputs.add(path);
    return { path, namespace: repositoryNamespace };
  }
  if (args.kind !== 'import-statement') {
    const help =
      'Import at the top of the file: packages are only stubs while the pipeline is defined, and real in the function of a step.';
    return refuse(
      'definition-import',
      `${args.kind === 'dynamic-import' ? 'import()' : 'require()'} of ${JSON.stringify(args.path)} is not allowed`,
      help,
    );
  }
  if (args.path === 'contender') return { path: args.path, namespace: 'words' };
  if (/^\.\.?\//.test(args.path)) return await resolveRelative(args, reader, inputs);
  if (/^(?:node:)?[@a-zA-Z0-9][\w@/.-]*$/.test(args.path))
    return { path: args.path, namespace: 'stub', sideEffects: false };
  return refuse(
    'definition-import',
    `${JSON.stringify(args.path)} cannot be imported`,
    'Import a file of the repository by its relative path ("./shared/features.ts"), or a package by its name.',
  );
}

async function resolveRelative(
  args: OnResolveArgs,
  reader: SourceReader,
  inputs: Set<string>,
): Promise<OnResolveResult> {
  const path = posix.normalize(posix.join(posix.dirname(args.importer), args.path));
  if (path.startsWith('../') || path === '..')
    return refuse(
      'definition-import',
      `${JSON.stringify(args.path)} is outside of the repository`,
      'Import files of this repository only.',
    );
  inputs.add(path);
  if (inputs.size > compileLimits.importsMax)
    return refuse(
      'definition-limit',
      `more than ${compileLimits.importsMax} files are imported`,
      'Import less; data belongs into the steps.',
    );
  const loader = loaders.get(posix.extname(path));
  if (loader !== undefined && (await reader.read(path)) !== null) return { path, namespace: repositoryNamespace };
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

async function load(path: string, reader: SourceReader): Promise<OnLoadResult> {
  const file = await reader.read(path);
  if (file === null) return refuse('definition-import', `there is no file ${JSON.stringify(path)}`, 'Check the path.');
  if (file.tooLarge)
    return refuse(
      'definition-limit',
      `${path} has more than ${compileLimits.fileBytesMax} bytes`,
      'Data belongs into the steps, not into the definition.',
    );
  return { contents: file.bytes, loader: loaders.get(posix.extname(path)) ?? 'ts' };
}

function refuse(code: ProblemCode, text: string, help: string): { errors: PartialMessage[] } {
  return { errors: [{ text, detail: { code, help } }] };
}

function toProblem(message: Message): Problem {
  const { location } = message;
  const where =
    location === null
      ? null
      : {
          file: location.file.replace(`${repositoryNamespace}:`, ''),
          line: location.line,
          // esbuild counts bytes of UTF-8; editors and forges count characters.
          column: Buffer.from(location.lineText).subarray(0, location.column).toString().length + 1,
        };
  const detail: unknown = message.detail;
  if (typeof detail === 'object' && detail !== null && 'code' in detail && 'help' in detail) {
    // Written by `refuse` above.
    const refusal = detail as { code: ProblemCode; help: string };
    return problem(refusal.code, message.text, refusal.help, where);
  }
  if (message.text.startsWith('Top-level await')) {
    return problem(
      'definition-promise',
      'a definition cannot await at the top of the file',
      'A definition is complete at once. Await inside the function of a step.',
      where,
    );
  }
  const unknownWord = /^No matching export in "words:contender" for import ("\w+")/.exec(message.text)?.[1];
  if (unknownWord !== undefined) {
    const meant = message.notes[0]?.text ?? 'docs/authoring.md lists the words.';
    return problem('definition-import', `"contender" has no word ${unknownWord}`, meant, where);
  }
  return problem(
    'definition-syntax',
    message.text,
    message.notes[0]?.text ?? 'Correct the file; your editor shows the same place.',
    where,
  );
}

function isBuildFailure(error: unknown): error is { errors: Message[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}
