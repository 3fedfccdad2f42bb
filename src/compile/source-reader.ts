/** Reads files of one commit at most once. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { compileLimits, pipelinesFolder, type SourceFile, type SourceFiles } from './compile.ts';

export class SourceReader {
  readonly #source: SourceFiles;
  readonly #files = new Map<string, Promise<SourceText | null>>();
  /** Listings that were asked for because of a file: of all below a folder. */
  readonly #folders = new Map<string, Promise<readonly SourceFile[] | null>>();
  #broken: { readonly error: unknown } | null = null;

  constructor(source: SourceFiles) {
    this.#source = source;
  }

  /** Reads many at once, so that the usual imports cost one call. What is too large for a bundle is left alone. */
  async preload(files: readonly SourceFile[]): Promise<void> {
    const paths: string[] = [];
    let bytes = 0;
    for (const file of files) {
      if (isTooLarge(file)) this.#files.set(file.path, Promise.resolve(tooLarge));
      else if ((bytes += file.bytes) <= compileLimits.preloadBytesMax) paths.push(file.path);
    }
    const contents = await this.#source.read(paths);
    for (const path of paths) this.#files.set(path, Promise.resolve(sourceText(contents.get(path))));
  }

  /** Null where the commit has no such file. */
  read(path: string): Promise<SourceText | null> {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const reading = this.#source.read([path]).then(
      (contents) => sourceText(contents.get(path)),
      async (error: unknown) => await this.#refused(path, error),
    );
    this.#files.set(path, reading);
    return reading;
  }

  /** A source may refuse a file for what it is, which is a mistake of the commit, or for want of something. */
  async #refused(path: string, error: unknown): Promise<SourceText | null> {
    const folder = posix.dirname(path);
    const files = await this.#filesIn(folder === '.' ? '' : folder);
    const file = files?.find((each) => each.path === path);
    if (file !== undefined && isTooLarge(file)) return tooLarge;
    // A folder that no commit can have (`.git`), or one with too many files, cannot be listed, while this one can as before.
    if (file === undefined && (files ?? (await this.#filesIn(pipelinesFolder))) !== null) return null;
    this.#broken ??= { error };
    return null;
  }

  /** Null where the source refuses. */
  #filesIn(folder: string): Promise<readonly SourceFile[] | null> {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const listing = this.#source.list(folder).catch(() => null);
    this.#folders.set(folder, listing);
    return listing;
  }

  /** Throws what the source threw, if it did: the world failed then, and nothing may be said about the files. */
  throwIfBroken(): void {
    if (this.#broken !== null) throw this.#broken.error;
  }
}

export interface SourceText {
  /** Too large for a bundle, and without bytes. */
  readonly isTooLarge: boolean;
  readonly bytes: Uint8Array;
  readonly hash: string;
}

const tooLarge: SourceText = { isTooLarge: true, bytes: new Uint8Array(), hash: 'too large' };

function isTooLarge({ bytes }: { readonly bytes: number }): boolean {
  return bytes > compileLimits.fileBytesMax;
}

function sourceText(bytes: Uint8Array | undefined): SourceText | null {
  if (bytes === undefined) return null;
  if (isTooLarge({ bytes: bytes.length })) return tooLarge;
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { isTooLarge: false, bytes, hash };
}
