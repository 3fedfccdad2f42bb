/**
 * Loads a definition file from the source tree as the user wrote it. `contender` is this SDK, so a repository needs no
 * installed copy; other packages come from the source tree's own node_modules, or from the folder that the server was
 * given for them. TypeScript that Node cannot strip (enums) is transformed, and imports may leave out the ending.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { functionOf } from '../src/pipeline/functions.ts';
import { failure, success, type Result } from '../src/std/result.ts';

const sdk = new URL(`../src/pipeline/index${extname(import.meta.url)}`, import.meta.url).href;
const endings = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'];

export type StepFunction = (input: unknown, context: unknown) => unknown;

export interface SourceOfStep {
  readonly sourceTree: string;
  readonly nodeModules: string | null;
  /** From the root of the source tree. */
  readonly file: string;
  readonly step: string;
}

const modules = new Map<string, Promise<unknown>>();
let hooked: string | null = null;

/**
 * The function of a step, or the sentence that says why there is none. What the file throws while loading is thrown.
 * `spoil` is called where it does not load: Node keeps that for the life of the process, though a server may be back or a
 * package installed.
 */
export async function loadFunction(source: SourceOfStep, spoil: () => void): Promise<Result<StepFunction, string>> {
  hook(source.sourceTree, source.nodeModules);
  const path = join(source.sourceTree, source.file);
  const loading = modules.get(path) ?? import(pathToFileURL(path).href);
  modules.set(path, loading);
  let module: unknown;
  try {
    module = await loading;
  } catch (error) {
    spoil();
    const why = describeLoadError(error, source);
    if (why === null) throw error;
    return failure(why);
  }
  const pipeline = typeof module === 'object' && module !== null && 'default' in module ? module.default : null;
  const found = functionOf(pipeline, source.step);
  return found === null ? failure(`${source.file} has no function for the step "${source.step}"`) : success(found);
}

function hook(sourceTree: string, nodeModules: string | null): void {
  if (hooked === sourceTree) return;
  if (hooked !== null) throw new Error(`this process belongs to ${hooked}`);
  hooked = sourceTree;
  const root = pathToFileURL(`${sourceTree}/`).href;
  const packages = nodeModules === null ? null : pathToFileURL(join(nodeModules, '..', 'contender.mjs')).href;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'contender') return { url: sdk, shortCircuit: true };
      const inTree = context.parentURL?.startsWith(root) === true;
      if (inTree && /^\.{1,2}\/.*\.json$/.test(specifier)) {
        const importAttributes = { type: 'json' };
        return { ...next(specifier, { ...context, importAttributes }), importAttributes };
      }
      const attempts = [() => next(specifier, context)];
      if (inTree && /^\.{1,2}\//.test(specifier)) {
        const bare = specifier.replace(/\.[cm]?js$/, '');
        for (const ending of endings) attempts.push(() => next(`${bare}${ending}`, context));
      } else if (inTree && packages !== null && /^[@a-z0-9]/i.test(specifier)) {
        attempts.push(() => next(specifier, { ...context, parentURL: packages }));
      }
      return firstFound(attempts);
    },
    load(url, context, next) {
      if (!url.startsWith(root) || !/\.m?ts$/.test(url)) return next(url, context);
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'), {
        mode: 'transform',
        sourceMap: true,
        sourceUrl: url,
      });
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

/** The first that resolves; the error of the first where none does, since it speaks of what the user wrote. */
function firstFound<T>(attempts: readonly (() => T)[]): T {
  let first: unknown;
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Null where the file's own code threw. */
function describeLoadError(error: unknown, source: SourceOfStep): string | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const first = error.message.split('\n')[0] ?? '';
  const missing = /Cannot find package '([^']+)'/.exec(first)?.[1];
  if (missing !== undefined) {
    const where =
      source.nodeModules === null
        ? 'the repository has no node_modules with it, and `executor.nodeModules` (of a worker, `--node-modules`) names no folder of packages'
        : `it is neither in the repository nor in ${source.nodeModules}`;
    return `the package "${missing}" that ${source.file} imports is not installed: ${where}`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ENOENT')
    return `${source.file} cannot be loaded: ${first.replaceAll(`${source.sourceTree}/`, '')}`;
  if (/does not provide an export named|is not defined in module/.test(first))
    return `${source.file} cannot be loaded: ${first}; for a type, write \`import type\` or \`export type\``;
  if (error instanceof SyntaxError || code.startsWith('ERR_INVALID_TYPESCRIPT') || code.startsWith('ERR_UNSUPPORTED'))
    return `${source.file} cannot be loaded: ${first}`;
  return null;
}
