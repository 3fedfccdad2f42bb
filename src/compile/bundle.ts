/** One file of a commit, and all that it imports relatively, as one script. */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { posix } from 'node:path';
import { build, stop, transform, type BuildFailure, type BuildResult, type Location, type Message } from 'esbuild';
import { messageOfError } from '../std/error-message.ts';
import { failure, success, type Result } from '../std/result.ts';
import type { Place, Problem } from '../std/problem.ts';
import type { ProblemCode } from '../std/problem-codes.ts';
import { commitFiles, modulesHelp, type Reading } from './commit-files.ts';
import { CompilerFailure, compileLimits } from './compile.ts';
import { Line, type Share } from './line.ts';
import { notReached, problem, startOf } from './refusal.ts';
import type { SourceReader } from './source-reader.ts';
import { isBuildFailure, type Transforms } from './transforms.ts';

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

const line = new Line();

/** Starts the bundler's process, so that the first bundle finds it there. */
export async function startBundler(): Promise<void> {
  await transform('');
}

/** Ends the bundler's process, unless it is at work. The next bundle starts another. */
export async function restBundler(): Promise<void> {
  if (!line.isTaken) await stop();
}

/**
 * Bundles `entry`; `words` are the names that `contender` exports, and `transforms` keeps files between bundles. One at a time: the bundler has neither a limit of
 * time nor of memory, so it is watched, and its process ended when it takes too long. Refused where `share` is used up. Rejects with a
 * `CompilerFailure` where the process ended by itself, twice.
 */
export async function bundle(
  entry: string,
  reader: SourceReader,
  { words, transforms }: { readonly words: readonly string[]; readonly transforms: Transforms },
  share: Share,
): Promise<Bundled> {
  const reading: Reading = { reader, inputs: new Set(), transforms, maps: new Map(), tokens: 0 };
  const result = await line.inTurn(share, false, () => buildTwice(entry, reading, words));
  return { result: result ?? failure([notReached(startOf(entry))]), inputs: [...reading.inputs] };
}

async function buildTwice(...[entry, reading, words]: Parameters<typeof buildInTime>): Promise<Bundled['result']> {
  const once = await buildInTime(entry, reading, words);
  if (!(once instanceof CompilerFailure)) return once;
  reading.tokens = 0;
  const again = await buildInTime(entry, reading, words);
  if (again instanceof CompilerFailure) throw again;
  return again;
}

const isOver = Symbol('the time is over');

async function buildInTime(
  entry: string,
  reading: Reading,
  words: readonly string[],
): Promise<Bundled['result'] | CompilerFailure> {
  let timer: NodeJS.Timeout | undefined;
  // A build whose process is stopped never settles, so the clock has to.
  const timeIsOver = new Promise<typeof isOver>((resolve) => {
    timer = setTimeout(() => resolve(isOver), compileLimits.bundleMs);
  });
  const begunAt = performance.now();
  try {
    const built = await Promise.race([buildScript(entry, reading, words), timeIsOver]);
    if (built === isOver) return await tooSlow(entry, performance.now() - begunAt);
    const undefinedImports = built.warnings.filter((warning) => warning.id === 'import-is-undefined');
    if (undefinedImports.length > 0)
      return failure(undefinedImports.map((warning) => toProblem(entry, warning, reading.maps)));
    const texts = new Map(built.outputFiles.map((file) => [posix.extname(file.path), file.text]));
    return success({ code: texts.get('.js') ?? '', map: texts.get('.map') ?? '{}' });
  } catch (error) {
    if (isBuildFailure(error)) {
      const told = withoutConsequences(error).slice(0, compileLimits.problemsMax);
      return failure(told.map((message) => toProblem(entry, message, reading.maps)));
    }
    // Its process has ended by itself: the next build starts another.
    await stop();
    return new CompilerFailure(`the bundler ended: ${messageOfError(error)}`, true);
  } finally {
    clearTimeout(timer);
  }
}

async function tooSlow(entry: string, tookMs: number): Promise<Bundled['result'] | CompilerFailure> {
  await stop();
  const seconds = compileLimits.bundleMs / 1000;
  // A clock that is so late says that this process stood still, and the bundler with it.
  if (tookMs > 1.2 * compileLimits.bundleMs)
    return new CompilerFailure(`the machine was too busy to bundle a file within ${seconds} s`, false);
  const help = 'Write it simpler: functions, brackets or conditions are nested too deep.';
  const message = `the bundler cannot read the file within ${seconds} s`;
  return failure([problem('definition-limit', message, help, startOf(entry))]);
}

async function buildScript(
  entry: string,
  reading: Reading,
  words: readonly string[],
): Promise<BuildResult<{ write: false }>> {
  return await build({
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
    // Indentation of deep nesting would be quadratic.
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    logLimit: compileLimits.problemsMax,
    tsconfigRaw: '{}',
    // Neither Node nor the sandbox has them: the sandbox names the place.
    supported: { decorators: true },
    plugins: [commitFiles(reading, words)],
  });
}

const commonJs = 'commonjs-variable-in-esm';

/** What a file in CommonJS seems not to export is no news beside that it is one. */
function withoutConsequences({ errors, warnings }: BuildFailure): readonly Message[] {
  const scripts = warnings.filter(({ id }) => id === commonJs);
  const isOfScript = (message: Message): boolean => {
    const { namespace, target } = missingExport(message) ?? {};
    return scripts.some(({ location }) => location?.file === `${namespace}:${target}`);
  };
  return [...scripts, ...errors.filter((message) => !isOfScript(message))];
}

interface MissingExport {
  readonly namespace: string;
  readonly target: string;
  readonly name: string;
}

/** What the bundler says where a file does not export what another imports, or uses of it as a namespace. */
function missingExport({ text }: Message): MissingExport | null {
  const { namespace, target, name } =
    /^No matching export in "(?<namespace>\w+):(?<target>.+)" for import "(?<name>.+)"$/.exec(text)?.groups ??
    /^Import "(?<name>.+)" will always be undefined because (?:there is no matching export in|the file) "(?<namespace>\w+):(?<target>.+)"(?: has no exports)?$/.exec(
      text,
    )?.groups ??
    {};
  return namespace === undefined || target === undefined || name === undefined ? null : { namespace, target, name };
}

function toProblem(entry: string, message: Message, maps: Reading['maps']): Problem {
  const where = message.location === null ? startOf(entry) : placeOfMessage(message.location, maps);
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
  const missing = missingExport(message);
  if (missing !== null) return notExported(missing, noteOf(message), where);
  if (message.id === commonJs)
    return problem('definition-import', `${where.file} is in CommonJS (module.exports)`, modulesHelp, where);
  return problem(
    'definition-syntax',
    message.text,
    noteOf(message) ?? 'Correct the file; your editor shows the same place.',
    where,
  );
}

/** None of those that speak of the bundler itself, or point at another place. */
function noteOf({ notes }: Message): string | undefined {
  return notes.find(({ text }) => !/^The plugin |:$/.test(text))?.text;
}

/** `similar` is what the bundler thinks was meant. */
function notExported({ namespace, target, name }: MissingExport, similar: string | undefined, where: Place): Problem {
  const isWords = namespace === 'words';
  const isDefault = name === 'default';
  const what = isDefault
    ? 'has no default export'
    : `${isWords ? 'has no word' : 'exports no'} ${JSON.stringify(name)}`;
  const message = `${isWords ? '"contender"' : target} ${what}`;
  if (!isWords && posix.extname(target) === '.json') {
    const help = 'JSON has a default export alone: import that, and take what you need from it.';
    return problem('definition-import', message, help, where);
  }
  const byName = 'Import what you need by its name: `import { name } from`.';
  const types = 'If it is a type, write `import type` (or `export type`) for it: Node loads each file alone.';
  const list = isWords ? ' docs/authoring.md lists the words.' : '';
  return problem('definition-import', message, similar ?? `${isDefault ? `${byName} ` : ''}${types}${list}`, where);
}

/** In what the author wrote: the bundler sees files in TypeScript as what they became. */
function placeOfMessage({ file, lineText, line, column }: Location, maps: Reading['maps']): Place {
  const path = file.replace(/^\w+:/, '');
  // esbuild counts bytes of UTF-8; editors and forges count characters.
  const characters = Buffer.from(lineText).subarray(0, column).toString().length;
  const written = { file: path, line, column: characters + 1 };
  const map = maps.get(path);
  if (map === undefined) return written;
  // Written by esbuild.
  const entry = new SourceMap(JSON.parse(map) as SourceMapPayload).findEntry(line - 1, characters);
  if (!('originalSource' in entry)) return written;
  return { file: path, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}
