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
    evidence() {
      const text = Buffer.from(tail, 'latin1').toString();
      return {
        lastError: endOf(text, acceleratorErrors) ?? line.text(),
        heapIsFull: tail.includes('JavaScript heap out of memory'),
        memoryError: endOf(text, memoryErrors),
      };
    },
  };
}

/** The first line of an error where the memory of the machine ran out, for the program or a child of it that was killed. */
const memoryErrors: readonly RegExp[] = [
  // Python and NumPy. RAPIDS calls its own of a GPU so too, and names CUDA.
  /^(?:\w+\.)*(?:_Array)?MemoryError(?:$|:(?!.*\bCUDA\b))/,
  // PyTorch.
  /^(?:(?:\w+\.)*\w*Error: )?(?:\[enforce fail at .*)?DefaultCPUAllocator: (?:can't allocate|not enough) memory\b/,
  // A worker of a DataLoader.
  /^(?:\w+\.)*\w*Error: .*\bis killed by signal: Killed\b/,
];
/** The same of an accelerator, which more memory of the machine does not help. */
const acceleratorErrors: readonly RegExp[] = [
  /^(?:\w+\.)*OutOfMemoryError(?::|$)/,
  /^(?:\w+\.)*\w*Error: .*\b(?:CUDA|HIP) (?:error: )?out of memory\b/,
];
/** What joblib and torchrun say of a worker that was killed, in the lines after the first. */
const killedWorkers: readonly RegExp[] = [
  /^The exit codes of the workers are \{[^}]*\bSIGKILL\(-9\)/,
  /^traceback : Signal 9 \(SIGKILL\) received by PID\b/,
];

const traceback = 'Traceback (most recent call last)';
const directCause = 'The above exception was the direct cause of the following exception:';
/** What torchrun raises for the process whose error stands before. */
const childFailed = 'torch.distributed.elastic.multiprocessing.errors.ChildFailedError';
const workerTerminated = /^(?:\w+\.)*TerminatedWorkerError: /;

/** Lines that may follow the first of an error, though the program ends by it. */
const continuations: readonly RegExp[] = [
  /^$/,
  // PyTorch, and torchrun before it raises its own.
  /^CUDA kernel errors might be |^For debugging consider passing |^Compile with /,
  /\btorch[./]distributed[./]elastic\b|\bProcessGroup\w+\.cpp:/,
  // Said while Python ends.
  /^wandb: /,
  /\bresource_tracker\b|^warnings\.warn\(/,
];
const joblibBlock = /^The exit codes of the workers are |^Detailed tracebacks of the workers /;
const torchrunBlock = /^[=-]+$| FAILED$|^(?:Other )?Failures:$|^Root Cause |^<NO_OTHER_FAILURES>$|^\[\d+\]:$|^\w+ *: /;

/**
 * The line that says so, where the error that the text ends with is one of these; else null. That error is the exception of the
 * last traceback, or what that was raised from, unless the program went on after it; where there is none, it is the last line.
 */
function endOf(tail: string, errors: readonly RegExp[]): string | null {
  const text = tail.replaceAll(/^\[rank\d+\]: ?/gm, '').trimEnd();
  const parts = text.split(traceback);
  const isOne = (line: string): boolean => errors.some((one) => one.test(line));
  if (parts.length === 1) {
    const last = text.slice(text.lastIndexOf('\n') + 1);
    return isOne(last) ? last : null;
  }
  for (let place = parts.length - 1; place >= 1; place -= 1) {
    const [first = '', ...rest] = errorAfter(parts[place] ?? '');
    const isOfTorchrun = first.startsWith(childFailed);
    const isOfJoblib = workerTerminated.test(first);
    const block = isOfTorchrun ? torchrunBlock : isOfJoblib ? joblibBlock : null;
    const goesOn = rest.some((line) => !(block?.test(line) ?? false) && !continuations.some((one) => one.test(line)));
    if (goesOn) return null;
    if (isOne(first)) return first;
    const killed = rest.find((line) => killedWorkers.some((one) => one.test(line)));
    if (killed !== undefined) return errors === memoryErrors ? killed : null;
    const isRaisedFrom = (parts[place - 1] ?? '').trimEnd().endsWith(directCause);
    if (!isRaisedFrom && !isOfTorchrun) return null;
  }
  return null;
}

/** The lines after the frames of a traceback, which are indented or in a box. */
function errorAfter(frames: string): readonly string[] {
  const lines = frames.replace(directCause, '').split('\n').slice(1);
  const at = lines.findIndex((line) => line !== '' && !/^[\s│╭╰]/.test(line));
  return at === -1 ? [] : lines.slice(at).map((line) => line.trim());
}
