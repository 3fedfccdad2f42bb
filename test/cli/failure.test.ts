import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemOf } from '../../src/cli/failure.ts';
import { compilePatiently } from '../../src/cli/sources.ts';
import { outcomeLines, statusOf } from '../../src/cli/outcome.ts';
import { harmless, oneLine } from '../../src/cli/terminal.ts';
import { CompilerFailure, compileLimits, type Compiler } from '../../src/compile/compile.ts';
import type { RunReport } from '../../src/forge/forge.ts';

function refusal(code: string): Error {
  return Object.assign(new Error(`${code}: said the system`), { code });
}

test('what the operating system refuses is a problem with what to do', () => {
  for (const code of ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOTDIR', 'EISDIR']) {
    const problem = problemOf(refusal(code));
    assert.equal(problem?.code, 'system-refused');
    assert.match(problem?.message ?? '', new RegExp(code));
    assert.ok((problem?.help.length ?? 0) > 20);
  }
});

test('a folder that cannot be made is a problem of its disk, though Node says that it is not there', () => {
  const help = problemOf(refusal('EROFS'))?.help;
  assert.equal(problemOf(Object.assign(refusal('ENOENT'), { syscall: 'mkdir' }))?.help, help);
  assert.equal(problemOf(Object.assign(refusal('ENOENT'), { syscall: 'open' })), null);
});

test('what SQLite refuses is about the journal', () => {
  assert.equal(problemOf(refusal('ERR_SQLITE_ERROR'))?.code, 'journal-unreachable');
});

test('what is a fault of ours stays one', () => {
  for (const error of [
    new Error('bug'),
    new TypeError('bug'),
    refusal('ERR_INVALID_ARG_TYPE'),
    refusal('ENOENT'),
    'text',
    null,
  ]) {
    assert.equal(problemOf(error), null);
  }
});

const nothing = { list: () => Promise.resolve([]), read: () => Promise.resolve(new Map()) };

/** A compiler that the machine disturbs so often; it counts the tries. */
function disturbed(times: number): { readonly compiler: Compiler; readonly tries: () => number } {
  let tries = 0;
  const compile = (): ReturnType<Compiler['compile']> =>
    (tries += 1) > times
      ? Promise.resolve([])
      : Promise.reject(new CompilerFailure('the machine was too busy to evaluate a file', false));
  return { compiler: { compile, wake() {}, close: () => Promise.resolve() }, tries: () => tries };
}

test('a compilation that the machine disturbs is tried again, and then told as no fault of ours or of the files', async () => {
  const { endingsMax } = compileLimits;
  const { compiler, tries } = disturbed(endingsMax - 1);
  assert.deepEqual(await compilePatiently(compiler, nothing), []);
  assert.equal(tries(), endingsMax);
  const always = disturbed(Number.POSITIVE_INFINITY);
  const error = await compilePatiently(always.compiler, nothing).catch((thrown: unknown) => thrown);
  assert.equal(always.tries(), endingsMax);
  const problem = problemOf(error);
  assert.equal(problem?.code, 'compilation-disturbed');
  assert.match(problem?.message ?? '', /\.pipelines could not be compiled .* says nothing about its files: .*too busy/);
});

test('text of others cannot steer the terminal', () => {
  assert.equal(harmless('a\u001b[31mb\u009b2Jc\u0007\r\u202ed\te\nf'), 'abcd\te\nf');
  assert.equal(oneLine(' a\n\u001b[1Ab\t c '), 'a b c');
});

const report: RunReport = {
  pipeline: 'churn',
  sha: 'a'.repeat(40),
  runId: '01',
  runNumber: 1,
  isAsked: true,
  url: null,
  state: 'success',
  summary: 'well',
  startedAt: 0,
  finishedAt: 1,
  steps: [],
  gates: [],
  challenges: [],
  problems: [],
  mentions: [],
  baseSha: null,
  change: null,
};

test('a run ends the command by what it came to; a signal counts only where the run was cancelled', () => {
  assert.deepEqual([statusOf('success', null), statusOf('success', 'SIGINT')], [0, 0]);
  assert.deepEqual([statusOf('failed', null), statusOf('failed', 'SIGINT'), statusOf('refused', null)], [1, 1, 1]);
  assert.deepEqual(
    [statusOf('cancelled', null), statusOf('cancelled', 'SIGINT'), statusOf('cancelled', 'SIGTERM')],
    [1, 130, 143],
  );
});

test('gates that failed and steps that failed are told, and nothing of the others', () => {
  const failed: RunReport = {
    ...report,
    state: 'failure',
    steps: [
      { name: 'good', state: 'success', durationMs: 1, message: null, log: null },
      { name: 'bad', state: 'failed', durationMs: 1, message: 'exit code 3', log: null },
    ],
    gates: [
      {
        step: 'validate',
        passed: false,
        path: 'data.csv',
        checks: [
          { check: 'rows', column: null, value: 3, limit: 'min 10', passed: false, message: '3 rows, at least 10' },
          { check: 'nulls', column: 'a', value: 0, limit: 'max 0', passed: true, message: 'no nulls' },
        ],
      },
    ],
  };
  const gate = '  gate validate: 3 rows, at least 10';
  assert.deepEqual(outcomeLines(failed, process.stdout, true), [gate, '  bad: exit code 3']);
  // Where its line has said why, it is not said again.
  assert.deepEqual(outcomeLines(failed, process.stdout, false), [gate]);
});
