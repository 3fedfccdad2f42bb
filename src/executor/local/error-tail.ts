/** What standard error says at the end of a process about why it ended: its last line, and whether memory ran out. */
import { createLastLine } from './last-line.ts';

export interface ErrorTail {
  push(chunk: Uint8Array): void;
  evidence(): {
    readonly lastError: string | null;
    readonly heapIsFull: boolean;
    readonly memoryError: string | null;
  };
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
    evidence: () => ({
      lastError: line.text(),
      heapIsFull: tail.includes('JavaScript heap out of memory'),
      memoryError: memoryErrorIn(Buffer.from(tail, 'latin1').toString()),
    }),
  };
}

/** What the line of an error says where memory ran out: that of the program, of an accelerator, or of a child that was killed. */
const memoryErrors: readonly RegExp[] = [
  // Python, NumPy, CuPy, PyTorch.
  /^(?:\w+\.)*(?:_Array)?MemoryError(?::|$)/,
  /^(?:\w+\.)*OutOfMemoryError(?::|$)/,
  /\bCUDA (?:error: )?out of memory\b/,
  /\bDefaultCPUAllocator: (?:can't allocate|not enough) memory\b/,
  // A worker of a DataLoader, of joblib, of torchrun.
  /\bis killed by signal: Killed\b/,
  /\bThe exit codes of the workers are \{[^}]*\bSIGKILL\(-9\)/,
  /\bSignal 9 \(SIGKILL\) received by PID\b/,
];

const traceback = 'Traceback (most recent call last)';
const directCause = 'The above exception was the direct cause of the following exception:';
/** What torchrun raises for the process whose error stands before. */
const childFailed = 'torch.distributed.elastic.multiprocessing.errors.ChildFailedError';

/**
 * The line that says so, where the error that the text ends with is one of memory; else null. That error is the exception of
 * the last traceback, or what that was raised from; of a program that shows none, the last line.
 */
function memoryErrorIn(tail: string): string | null {
  const text = tail.replaceAll(/^\[rank\d+\]: ?/gm, '').trimEnd();
  const parts = text.split(traceback);
  if (parts.length === 1) return memoryErrorOf(text.slice(text.lastIndexOf('\n') + 1));
  for (let place = parts.length - 1; place >= 1; place -= 1) {
    const error = errorAfter(parts[place] ?? '');
    const found = memoryErrorOf(error);
    if (found !== null) return found;
    const isRaisedFrom = (parts[place - 1] ?? '').trimEnd().endsWith(directCause);
    if (!isRaisedFrom && !error.startsWith(childFailed)) return null;
  }
  return null;
}

function memoryErrorOf(error: string): string | null {
  const lines = error.split('\n').map((line) => line.trim());
  return lines.find((line) => memoryErrors.some((one) => one.test(line))) ?? null;
}

/** What follows the frames of a traceback, which are indented or in a box. */
function errorAfter(frames: string): string {
  const lines = frames.split('\n').slice(1);
  const at = lines.findIndex((line) => line !== '' && !/^[\s│╭╰]/.test(line));
  return at === -1 ? '' : lines.slice(at).join('\n');
}
