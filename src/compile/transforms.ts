import { transform, type BuildFailure } from 'esbuild';
import { compileLimits } from './compile.ts';

/** A file in TypeScript as JavaScript, with its source map inside and beside. */
interface Transformed {
  readonly code: string;
  readonly map: string;
}

export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/**
 * Files as the runner will load them: alone. The bundler would look into the files that each imports, and drop the names
 * that are only types there; Node cannot know, and asks them for each name that is not marked as a type. Those that were
 * used last are kept: what pipelines share changes less often than they do.
 */
export class Transforms {
  readonly #kept = new Map<string, Transformed>();
  #characters = 0;

  /** `hash`: of the contents. `source` is what the map calls the file. Rejects with a `BuildFailure` where it has mistakes. */
  async of(source: string, contents: string, hash: string): Promise<Transformed> {
    const key = `${source}\0${hash}`;
    const transformed = this.#kept.get(key) ?? (await withoutTypes(source, contents));
    this.#keep(key, transformed);
    return transformed;
  }

  #keep(key: string, transformed: Transformed): void {
    this.#forget(key);
    this.#kept.set(key, transformed);
    this.#characters += charactersOf(transformed);
    for (const oldest of this.#kept.keys()) {
      const isFull = this.#kept.size > compileLimits.cachedFilesMax;
      if (!isFull && this.#characters <= compileLimits.transformedCharactersMax) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key);
    if (kept !== undefined) this.#characters -= charactersOf(kept);
    this.#kept.delete(key);
  }
}

function charactersOf({ code, map }: Transformed): number {
  return code.length + map.length;
}

async function withoutTypes(source: string, contents: string): Promise<Transformed> {
  const { code, map } = await transform(contents, {
    loader: 'ts',
    sourcefile: source,
    sourcemap: 'both',
    sourcesContent: false,
    minifyWhitespace: true,
    logLevel: 'silent',
    logLimit: compileLimits.problemsMax,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  return { code, map };
}
