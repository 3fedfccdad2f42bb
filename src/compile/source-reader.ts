/** Reads files of one commit at most once. */
import { createHash } from 'node:crypto';
import type { SourceFiles } from './compile.ts';

export class SourceReader {
  readonly #source: SourceFiles;
  readonly #files = new Map<string, Promise<SourceText | null>>();
  #broken: { readonly error: unknown } | null = null;

  constructor(source: SourceFiles) {
    this.#source = source;
  }

  /** Reads many at once, so that the usual imports cost one call. */
  async preload(paths: readonly string[]): Promise<void> {
    const contents = await this.#source.read(paths);
    for (const path of paths) this.#files.set(path, Promise.resolve(sourceText(contents.get(path))));
  }

  /** Null where the commit has no such file. */
  read(path: string): Promise<SourceText | null> {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const reading = this.#source.read([path]).then(
      (contents) => sourceText(contents.get(path)),
      (error: unknown) => {
        this.#broken ??= { error };
        return null;
      },
    );
    this.#files.set(path, reading);
    return reading;
  }

  /** Throws what the source threw, if it did: the world failed then, and nothing may be said about the files. */
  throwIfBroken(): void {
    if (this.#broken !== null) throw this.#broken.error;
  }
}

export interface SourceText {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

function sourceText(bytes: Uint8Array | undefined): SourceText | null {
  if (bytes === undefined) return null;
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { bytes, hash };
}
