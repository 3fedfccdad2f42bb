/** Steps that print what no log was made for, and what is expected of it, wherever they run. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LogLine, LogStore } from '../../src/outputs/outputs.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Programs for Node. */
export const torture = {
  /** A line without an end of a gibibyte, and a short one. */
  endlessLine: `
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let count = 0; count < 1024; count += 1) require('fs').writeSync(1, piece);
    require('fs').writeSync(1, '\\nafter\\n');`,
  /** Numbered lines, so many mebibytes at first and in each of so many seconds; it pauses in the middle of a line. */
  talk: (seconds: number, mebibytes: number, atFirst = 0): string => `
    let [number, turns, text] = [0, 0, ''];
    const timer = setInterval(() => {
      const mebibytes = ${mebibytes} / 10 + (turns === 0 ? ${atFirst} : 0);
      while (text.length < mebibytes * 1024 * 1024) text += '#' + (number += 1) + ' ${'x'.repeat(24)}\\n';
      require('fs').writeSync(1, text.slice(0, -12));
      text = text.slice(-12);
      if ((turns += 1) < ${seconds * 10}) return;
      clearInterval(timer);
      console.log(text + 'end ' + number);
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
  /** Places where lines, or the beginning of one, are missing. */
  readonly gaps: number;
  /** Lines of ours. */
  readonly told: readonly string[];
}

/**
 * Of a log of numbered lines: each is whole, or the end of one whose beginning is missing, stands behind a smaller one, and
 * so is there once.
 */
export async function hear(logs: LogStore, key: string): Promise<Heard> {
  let [numbers, last, gaps] = [0, 0, 0];
  let isBehindPart = false;
  let printed: number | null = null;
  const told: string[] = [];
  for await (const { stream, text } of linesOf(logs, key)) {
    if (stream === 'contender') {
      told.push(text);
      continue;
    }
    const words = /^(?:#(\d+) x{24}|end (\d+)|\d* ?x{0,24})$/.exec(text) ?? assert.fail(`what is ${text}?`);
    const [, number, end] = words.map(Number);
    if (number) {
      assert.ok(number > last, `${text} stands behind ${last}`);
      if (number !== last + 1 && !isBehindPart) gaps += 1;
      [last, numbers] = [number, numbers + 1];
    } else if (end) printed = end;
    else gaps += 1;
    isBehindPart = !number;
  }
  assert.ok(numbers > 0, 'it has no line');
  return { numbers, printed, gaps, told };
}

/**
 * How many bytes more this process holds at most while the work is done. What is garbage is not counted: how much of that
 * there is depends on how busy the machine is.
 */
export async function memoryGrowthDuring(work: () => Promise<unknown>): Promise<number> {
  const before = heldBytes();
  let most = before;
  const sampler = setInterval(() => (most = Math.max(most, heldBytes())), 250);
  try {
    await work();
  } finally {
    clearInterval(sampler);
  }
  return most - before;
}

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
