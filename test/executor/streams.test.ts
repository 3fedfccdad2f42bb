import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createErrorTail } from '../../src/executor/local/error-tail.ts';
import { createLastLine } from '../../src/executor/local/last-line.ts';
import { createMarkSplitter } from '../../src/executor/local/mark-splitter.ts';

function pieces(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
const line = fc.string({ maxLength: 12, unit: 'grapheme' }).map((text) => text.replace(/[\n\0]/g, ''));

test('the last line that is not empty is found, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), sizes, (lines, ended, cuts) => {
      const last = createLastLine(1000);
      for (const part of pieces(lines.join('\n') + (ended ? '\n' : ''), cuts)) last.push(part);
      // Blank is what ASCII calls so: the stream is looked at as bytes.
      const expected = lines.map((one) => one.trim()).findLast((one) => one !== '') ?? null;
      assert.equal(last.text(), expected);
    }),
  );
});

test('a last line that is too long is none, and does not hide a shorter one behind it', () => {
  const last = createLastLine(10);
  for (let count = 0; count < 100; count += 1) last.push(Buffer.from('xxxx'));
  assert.equal(last.text(), null);
  last.push(Buffer.from('\n\n'));
  assert.equal(last.text(), null);
  last.push(Buffer.from('{"a":1}\n'));
  assert.equal(last.text(), '{"a":1}');
});

test('what stands before the mark is passed on and nothing behind it, however the stream is cut', () => {
  const mark = '\0contender 123\n';
  const text = fc.string({ maxLength: 20 }).map((one) => one + (one.length % 3 === 0 ? '\0conten' : ''));
  fc.assert(
    fc.property(text, text, fc.boolean(), sizes, (before, behind, marked, cuts) => {
      const splitter = createMarkSplitter(mark);
      const passed = pieces(before + (marked ? mark + behind : ''), cuts).map((part) =>
        Buffer.from(splitter.push(part)),
      );
      passed.push(Buffer.from(splitter.rest()));
      assert.equal(Buffer.concat(passed).toString(), before);
      assert.equal(splitter.ended, marked);
    }),
  );
});

function evidenceOf(text: string): ReturnType<ReturnType<typeof createErrorTail>['evidence']> {
  const tail = createErrorTail(64 * 1024);
  for (const part of pieces(text, [997])) tail.push(part);
  return tail.evidence();
}

const frames =
  'Traceback (most recent call last):\n  File "train.py", line 7, in <module>\n    fit(load())\n    ~~~^^^^^^^^\n';
const torchrun = `${frames.replaceAll('train.py', 'run.py')}    raise ChildFailedError(\ntorch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n`;
const elastic =
  'W1128 10:00:00.000 7 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 8 closing signal SIGTERM\n';
const exited = 'RuntimeError: DataLoader worker (pid(s) 1817) exited unexpectedly\n';
const cause = '\nThe above exception was the direct cause of the following exception:\n\n';
const cuda =
  'CUDA out of memory. Tried to allocate 192.00 MiB. GPU 0 has a total capacity of 15.69 GiB of which 3.71 GiB is free.';

test('standard error ends with an error of memory, by the words of the programs that train', () => {
  const ends: readonly (readonly [string, string])[] = [
    [`${frames}MemoryError\n`, 'MemoryError'],
    [`${frames}MemoryError: Unable to allocate 7.91 GiB\n`, 'MemoryError: Unable to allocate 7.91 GiB'],
    [
      `epoch 1\n${frames}numpy.core._exceptions._ArrayMemoryError: Unable to allocate 58.0 GiB for an array with shape (176351, 176460) and data type uint16\nwandb: run finished\n`,
      'numpy.core._exceptions._ArrayMemoryError: Unable to allocate 58.0 GiB for an array with shape (176351, 176460) and data type uint16',
    ],
    [
      `${frames}RuntimeError: [enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 132426121216 bytes. Error code 12 (Cannot allocate memory)`,
      `RuntimeError: [enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 132426121216 bytes. Error code 12 (Cannot allocate memory)`,
    ],
    [
      `${frames}RuntimeError: DataLoader worker (pid 1817) is killed by signal: Killed. \n${cause}${frames}${exited}`,
      'RuntimeError: DataLoader worker (pid 1817) is killed by signal: Killed.',
    ],
    [
      `${frames}joblib.externals.loky.process_executor.TerminatedWorkerError: A worker process managed by the executor was unexpectedly terminated.\n\nThe exit codes of the workers are {SIGKILL(-9), EXIT(1)}\n`,
      'The exit codes of the workers are {SIGKILL(-9), EXIT(1)}',
    ],
    [
      `${`${frames}MemoryError\n`.replaceAll(/^(?=.)/gm, '[rank0]: ')}${elastic}${torchrun}train.py FAILED\n`,
      'MemoryError',
    ],
    [
      `${torchrun}train.py FAILED\n  exitcode  : -9 (pid: 77)\n  traceback : Signal 9 (SIGKILL) received by PID 77\n`,
      'traceback : Signal 9 (SIGKILL) received by PID 77',
    ],
    [
      `╭───── Traceback (most recent call last) ─────╮\n│ train.py:7 in <module>   │\n╰──────╯\nMemoryError: no room\n`,
      'MemoryError: no room',
    ],
    [`loading\nMemoryError: std::bad_alloc\n`, 'MemoryError: std::bad_alloc'],
  ];
  for (const [text, expected] of ends) assert.equal(evidenceOf(text).memoryError, expected);
});

test('an accelerator that is full is no error of memory, and its line is still the one that is told', () => {
  const ends: readonly (readonly [string, string])[] = [
    [`${frames}torch.cuda.OutOfMemoryError: ${cuda}\n`, `torch.cuda.OutOfMemoryError: ${cuda}`],
    [`${frames}RuntimeError: ${cuda}\n`, `RuntimeError: ${cuda}`],
    [
      `${frames}RuntimeError: CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call.\n`,
      'RuntimeError: CUDA error: out of memory',
    ],
    [
      `${`${frames}torch.OutOfMemoryError: ${cuda}\n`.replaceAll(/^(?=.)/gm, '[rank0]: ')}${elastic}${torchrun}train.py FAILED\n`,
      `torch.OutOfMemoryError: ${cuda}`,
    ],
    [
      `${frames}MemoryError: std::bad_alloc: CUDA error at: cuda.hpp\n`,
      'MemoryError: std::bad_alloc: CUDA error at: cuda.hpp',
    ],
  ];
  for (const [text, lastError] of ends)
    assert.deepEqual(evidenceOf(text), { lastError, heapIsFull: false, memoryError: null });
});

test('an error of memory that was dealt with, that is of something else, or only spoken of, is none', () => {
  const others = [
    '',
    `${frames}ValueError: labels are missing\n`,
    `${frames}MemoryError\n\nDuring handling of the above exception, another exception occurred:\n\n${frames}KeyError: 'batch'\n`,
    `${frames}torch.OutOfMemoryError: ${cuda}\nsmaller batch\n${frames}KeyError: 'batch'\n`,
    `MemoryError\nno rows\n`,
    `CUDA out of memory, trying a batch of 8\n${frames}ValueError: no rows\n`,
    `${frames}${exited}`,
    `ERROR fold 3\n${frames}MemoryError\nINFO a smaller fold\nINFO done\nerror: accuracy 0.71 is below 0.80\n`,
    `${frames}MemoryError\nINFO a smaller fold\n${torchrun}train.py FAILED\n`,
    `hint: a worker is killed by signal: Killed where memory is short\n`,
    `see DefaultCPUAllocator: can't allocate memory\n`,
    `Signal 9 (SIGKILL) received by PID 7\n`,
    `${frames}RuntimeError: DataLoader worker (pid 1) is killed by signal: Segmentation fault. \n`,
    `${frames}MyMemoryErrorHandler: no\n`,
    `${frames}ValueError: caught a MemoryError: no rows\n`,
  ];
  for (const text of others) assert.equal(evidenceOf(text).memoryError, null, text);
});
