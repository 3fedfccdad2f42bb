/** Steps that print what no log was made for, and what is expected of it, wherever they run. */
import assert from 'node:assert/strict';
import type { LogLine, LogStore } from '../../src/outputs/outputs.ts';

/** Programs for Node. */
export const torture = {
  /** A line without an end of a gibibyte, and a short one. */
  endlessLine: `
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let count = 0; count < 1024; count += 1) require('fs').writeSync(1, piece);
    require('fs').writeSync(1, '\\nafter\\n');`,
  /** Numbered lines, so many mebibytes in each of so many seconds. */
  talk: (seconds: number, mebibytes: number): string => `
    let [number, turns] = [0, 0];
    const timer = setInterval(() => {
      let text = '';
      while (text.length < ${mebibytes} * 1024 * 102.4) text += (number += 1) + ' ${'x'.repeat(24)}\\n';
      require('fs').writeSync(1, text);
      if ((turns += 1) < ${seconds * 10}) return;
      clearInterval(timer);
      console.log('end ' + number);
    }, 100);`,
  /** Every byte, pieces of characters, and what a terminal would obey. */
  bytes: `
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const parts = [all, Buffer.from([0xc3]), Buffer.from([0xe2, 0x82]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xf8, 0x88, 0xff]),
      Buffer.alloc(300), Buffer.from('\\x1b[2J\\x1b]0;title\\x07\\x1b[31mred\\x1b[0m'), Buffer.from('one\\rtwo\\r'), Buffer.from('\\u2028\\u202e€😀')];
    require('fs').writeSync(1, Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\\n')])));`,
} as const;

/** All lines of a log, however many. */
export async function* linesOf(logs: LogStore, key: string): AsyncGenerator<LogLine> {
  for (let from = 1; ;) {
    const { lines } = await logs.read(key, from, Number.MAX_SAFE_INTEGER);
    if (lines.length === 0) return;
    yield* lines;
    from = (lines.at(-1)?.number ?? from) + 1;
  }
}

export interface Heard {
  readonly numbers: number;
  /** The last number that the step has printed; null: the line that says it is not there. */
  readonly printed: number | null;
  readonly gaps: number;
  /** Lines of ours. */
  readonly told: readonly string[];
}

/** Of a log of numbered lines: each is whole, stands behind a smaller one, and so is there once. */
export async function hear(logs: LogStore, key: string): Promise<Heard> {
  let [numbers, last, gaps] = [0, 0, 0];
  let printed: number | null = null;
  const told: string[] = [];
  for await (const { stream, text } of linesOf(logs, key)) {
    if (stream === 'contender') {
      told.push(text);
      continue;
    }
    const [, word, rest] = /^(\d+|end) (\d+|x{24})$/.exec(text) ?? [];
    if (word === 'end') printed = Number(rest);
    else {
      const number = Number(word);
      assert.ok(number > last, `${text} stands behind ${last}`);
      if (number !== last + 1) gaps += 1;
      [last, numbers] = [number, numbers + 1];
    }
  }
  assert.ok(numbers > 0, 'it has no line');
  return { numbers, printed, gaps, told };
}

/** How much more memory this process takes at most while the work is done. */
export async function memoryGrowthDuring(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const sampler = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  try {
    await work();
  } finally {
    clearInterval(sampler);
  }
  return most - before;
}
