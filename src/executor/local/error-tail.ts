/** What standard error says at the end of a process about why it ended: its last line, and whether JavaScript's heap was full. */
import { createLastLine } from './last-line.ts';

export interface ErrorTail {
  push(chunk: Uint8Array): void;
  evidence(): { readonly lastError: string | null; readonly heapIsFull: boolean };
}

/** V8 says it, and a stack of native frames follows. */
const tailBytesMax = 16 * 1024;

export function createErrorTail(lineBytesMax: number): ErrorTail {
  const line = createLastLine(lineBytesMax);
  let tail = '';
  return {
    push(chunk) {
      line.push(chunk);
      const added = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
      tail = `${tail}${added}`.slice(-tailBytesMax);
    },
    evidence: () => ({ lastError: line.text(), heapIsFull: tail.includes('JavaScript heap out of memory') }),
  };
}
