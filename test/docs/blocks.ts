/** The fenced blocks of a page, and what is shown after a command, as a pattern. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const docs = join(import.meta.dirname, '../../docs');

export function pageOf(name: string): string {
  return readFileSync(join(docs, name), 'utf8');
}

export interface Example {
  readonly line: number;
  readonly commands: string;
  /** What the page shows right after it; null where it shows nothing. */
  readonly shown: string | null;
}

/** The blocks in TypeScript, in order. */
export function sourcesOf(page: string): readonly { readonly line: number; readonly source: string }[] {
  return [...page.matchAll(/^```ts(?: run)?\n([\s\S]*?)^```$/gm)].map(({ index, 1: source = '' }) => ({
    line: page.slice(0, index).split('\n').length,
    source,
  }));
}

/** The blocks that are marked `sh test`, in order. */
export function examplesOf(page: string): readonly Example[] {
  const blocks = page.matchAll(/^```sh test\n([\s\S]*?)^```\n(?:```text\n([\s\S]*?)^```\n)?/gm);
  return [...blocks].map((match) => ({
    line: page.slice(0, match.index).split('\n').length,
    commands: match[1] ?? '',
    shown: match[2] ?? null,
  }));
}

/** The block that follows the marker `<!-- example: NAME -->`. */
export function exampleOf(page: string, name: string): string {
  const found = new RegExp(`<!-- example: ${name} -->\n\`\`\`json\n([\\s\\S]*?)\`\`\``).exec(page);
  if (found?.[1] === undefined) throw new Error(`the page has no example ${name}`);
  return found[1];
}

/** The lines of `shown` that are not in `output` in their order; `…` stands for anything. */
export function missingLines(shown: string, output: string): readonly string[] {
  const lines = output.split('\n');
  return shown
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '…')
    .filter((line) => {
      const pattern = new RegExp(`^${line.split('…').map(escaped).join('.*')}\\s*$`);
      const at = lines.findIndex((said) => pattern.test(said));
      if (at >= 0) lines.splice(0, at + 1);
      return at < 0;
    });
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
