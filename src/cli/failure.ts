/**
 * Why a command ended early, for the person in front of it: what the user, the machine or the database did wrong is a
 * problem with what to do and status 2; anything else is a fault of ours, shown with its stack and status 70.
 */
import { formatProblem, ProblemError, type Problem } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { harmless, paint } from './terminal.ts';

/** Says why on standard error. */
export function sayFailure(error: unknown): ExitStatus {
  const problem = problemOf(error);
  if (problem === null) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${label()}: a fault in Contender itself, please report it with these lines:\n${stack}\n`);
    return exitStatus.fault;
  }
  const others = error instanceof ProblemError ? error.others : [];
  for (const each of [problem, ...others]) process.stderr.write(`${label()}: ${harmless(formatProblem(each))}\n`);
  return problem.code === 'folder-locked' ? exitStatus.locked : exitStatus.usage;
}

function label(): string {
  return paint('red', 'error', process.stderr);
}

/** Null where nobody but us can mend it. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  if (error.code === 'ERR_SQLITE_ERROR') return journalProblem(error.message);
  // To make a folder with those above it ends so where the disk is read-only, as Node hides why the topmost could not be made.
  const isUnmakable = error.code === 'ENOENT' && 'syscall' in error && error.syscall === 'mkdir';
  const help = systemHelp[isUnmakable ? 'EROFS' : error.code];
  if (help === undefined) return null;
  return { code: 'system-refused', message: `the operating system refused: ${error.message}`, where: null, help };
}

function journalProblem(message: string): Problem {
  return {
    code: 'journal-unreachable',
    message: `the journal cannot be used: ${message}`,
    where: null,
    help: 'Check that its disk has room and works, and that this user may read and write the state folder.',
  };
}

/** What to do, by the name that the operating system gives to its refusal. */
const systemHelp: Readonly<Record<string, string>> = {
  EACCES: 'Give this user the right to read and write there, or choose another folder with -C or `state`.',
  EPERM: 'Give this user the right to do that, or choose another folder with -C or `state`.',
  EROFS: 'Choose a folder on a disk that can be written, with -C or `state`.',
  ENOSPC: 'Make room on that disk; nothing that was acknowledged is lost.',
  EDQUOT: 'Make room within the quota of this user; nothing that was acknowledged is lost.',
  EIO: 'The disk does not work: look at the log of the operating system, and restore a backup elsewhere.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
  ENFILE: 'Raise the limit of open files of the whole system.',
  ENOTDIR: 'A part of that path is a file: choose another folder.',
  EISDIR: 'That path is a folder: choose another one.',
  ENAMETOOLONG: 'Choose a folder with a shorter path.',
};
