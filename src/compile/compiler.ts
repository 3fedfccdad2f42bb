/** The compiler: bundles, evaluates and judges each file, and remembers what it has seen. */
import { posix } from 'node:path';
import { createHash } from 'node:crypto';
import { bundle, restBundler, startBundler, type Bundled } from './bundle.ts';
import { refuseCircles } from './circles.ts';
import { canBeBundled } from './commit-files.ts';
import {
  CompilerFailure,
  compileLimits,
  pipelinesFolder,
  type Compiled,
  type Compiler,
  type SourceFiles,
} from './compile.ts';
import { endsProcesses, judge, refused, rehearse, type Outcome } from './evaluation.ts';
import { guest, type Guest } from './guest-bundle.ts';
import { Share } from './line.ts';
import { problem, startOf } from './refusal.ts';
import { Sandbox, type EvaluationTimes } from './sandbox.ts';
import { SourceReader } from './source-reader.ts';
import { Transforms } from './transforms.ts';

/** A result, and the files that it was made of: it holds for every commit in which they are the same. */
interface Remembered {
  readonly inputs: readonly (readonly [path: string, hash: string | null])[];
  readonly outcome: Outcome;
  /** Of the texts that it keeps; as objects they take about three times as much. */
  readonly characters: number;
}

/** Starts a sandbox. Tests, which have no time to lose, may give it less of it. */
export async function createCompiler(
  times: EvaluationTimes = compileLimits,
  idleMs: number = compileLimits.sandboxIdleMs,
): Promise<Compiler> {
  const words = await guest();
  const sandbox = new Sandbox(words.code, times, idleMs, () => void restBundler());
  const compiler = new SandboxCompiler(words, sandbox);
  compiler.wake();
  // While its processes start, this one has time to get ready for the first definition.
  setImmediate(rehearse);
  return compiler;
}

class SandboxCompiler implements Compiler {
  /** What bundles have in common. */
  readonly #ground: Parameters<typeof bundle>[2];
  readonly #sandbox: Sandbox;
  readonly #remembered = new Map<string, Remembered>();
  #charactersRemembered = 0;
  /** How often a process ended over a file, by its key. */
  readonly #endings = new Map<string, number>();

  constructor(words: Guest, sandbox: Sandbox) {
    this.#ground = { words: words.words, transforms: new Transforms() };
    this.#sandbox = sandbox;
  }

  async compile(source: SourceFiles): Promise<readonly Compiled[]> {
    const files = await source.list(pipelinesFolder);
    const entries = files
      .map(({ path }) => path)
      .filter(isEntry)
      .sort();
    if (files.length > compileLimits.filesMax || entries.length > compileLimits.pipelinesMax) {
      const message = `${pipelinesFolder} has ${files.length} files and ${entries.length} pipelines`;
      const help = `Up to ${compileLimits.filesMax} files and ${compileLimits.pipelinesMax} pipelines are read. Move data and code that is not about pipelines out of the folder.`;
      return [
        compiledOf(pipelinesFolder, refused(problem('definition-limit', message, help, startOf(pipelinesFolder)))),
      ];
    }
    const reader = new SourceReader(source);
    await reader.preload(files.filter(({ path }) => canBeBundled(path)));
    const share = new Share(compileLimits.commitMs);
    const outcomes = await Promise.all(
      entries.map(async (file) => ({ file, outcome: await this.#outcome(file, reader, share) })),
    );
    reader.throwIfBroken();
    return refuseCircles(refuseSameNames(outcomes.map(({ file, outcome }) => compiledOf(file, outcome))));
  }

  wake(): void {
    this.#sandbox.wake();
    void startBundler().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#sandbox.close();
  }

  async #outcome(file: string, reader: SourceReader, share: Share): Promise<Outcome> {
    const key = createHash('sha256')
      .update(`${file}\0${(await reader.read(file))?.hash ?? ''}`)
      .digest('hex');
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined && (await isSame(remembered, reader))) return remembered.outcome;
    try {
      const outcome = await this.#make(key, file, reader, share);
      this.#endings.delete(key);
      return outcome;
    } catch (error) {
      if (error instanceof CompilerFailure && error.wasAtWork && this.#isToBlame(key))
        return refused(endsProcesses(error, startOf(file)));
      throw error;
    }
  }

  /** A machine may end a process now and then, but not always over the same file. */
  #isToBlame(key: string): boolean {
    const endings = (this.#endings.get(key) ?? 0) + 1;
    if (this.#endings.size > compileLimits.cachedFilesMax) this.#endings.clear();
    this.#endings.set(key, endings);
    return endings >= compileLimits.endingsMax;
  }

  async #make(key: string, file: string, reader: SourceReader, share: Share): Promise<Outcome> {
    const { result, inputs } = await bundle(file, reader, this.#ground, share);
    const outcome = result.ok ? await this.#evaluate(file, result.value, share) : refused(...result.error);
    const hashes = await Promise.all(
      inputs.map(async (path) => [path, (await reader.read(path))?.hash ?? null] as const),
    );
    reader.throwIfBroken();
    // What was too slow may have been so because of the machine: it gets another chance.
    if (!outcome.problems.some(({ code }) => code === 'definition-limit'))
      this.#remember(key, { inputs: hashes, outcome, characters: charactersOf(outcome, result) });
    return outcome;
  }

  async #evaluate(file: string, bundled: Parameters<typeof judge>[1], share: Share): Promise<Outcome> {
    let judged: Outcome | undefined;
    // Judged while the second evaluation is under way, which only says whether the first one counts.
    const evaluation = await this.#sandbox.evaluate(bundled.code, share, (first) => {
      judged = judge(file, bundled, first);
    });
    return (evaluation.kind === 'json' ? judged : undefined) ?? judge(file, bundled, evaluation);
  }

  #remember(key: string, remembered: Remembered): void {
    this.#forget(key);
    this.#remembered.set(key, remembered);
    this.#charactersRemembered += remembered.characters;
    for (const oldest of this.#remembered.keys()) {
      const { size } = this.#remembered;
      const { cachedFilesMax, cachedCharactersMax } = compileLimits;
      if (size === 1 || (size <= cachedFilesMax && this.#charactersRemembered <= cachedCharactersMax)) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#charactersRemembered -= this.#remembered.get(key)?.characters ?? 0;
    this.#remembered.delete(key);
  }
}

function charactersOf({ version }: Outcome, bundled: Bundled['result']): number {
  return version === null || !bundled.ok ? 0 : version.canonical.length + bundled.value.map.length;
}

function compiledOf(file: string, outcome: Outcome): Compiled {
  return { file, where: () => startOf(file), ...outcome };
}

function isEntry(path: string): boolean {
  return posix.dirname(path) === pipelinesFolder && path.endsWith('.ts') && !/\.(?:d|test)\.ts$/.test(path);
}

async function isSame({ inputs }: Remembered, reader: SourceReader): Promise<boolean> {
  for (const [path, hash] of inputs) if (((await reader.read(path))?.hash ?? null) !== hash) return false;
  return true;
}

/** Two files with one name cannot both be right: neither is taken. */
function refuseSameNames(compiled: readonly Compiled[]): readonly Compiled[] {
  const files = new Map<string, string[]>();
  for (const { file, version } of compiled) {
    if (version !== null) files.set(version.definition.name, [...(files.get(version.definition.name) ?? []), file]);
  }
  return compiled.map((one) => {
    const { file, version } = one;
    const others = version === null ? [] : (files.get(version.definition.name) ?? []).filter((other) => other !== file);
    if (version === null || others.length === 0) return one;
    const message = `the pipeline "${version.definition.name}" is defined in ${others.join(', ')} too`;
    return {
      ...one,
      ...refused(
        problem(
          'definition-name',
          message,
          'Names of pipelines are unique in a repository: rename one.',
          startOf(file),
        ),
      ),
    };
  });
}
