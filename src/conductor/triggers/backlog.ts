import type { Part } from '../../journal/journal.ts';

/** All that waits, each once, in pages: what has to wait longer stays, and hides nothing behind it. */
export async function* backlog<Row extends { readonly id: string }>(
  read: (part: Part) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  for (let page = await read({}); page.length > 0; page = await read({ after: page.at(-1)?.id ?? '' })) yield page;
}
