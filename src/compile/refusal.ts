/** A problem of one file on its way out of the stages of compilation. */
import type { ProblemCode } from '../std/problem-codes.ts';
import type { Place, Problem } from '../std/problem.ts';

export function problem(code: ProblemCode, message: string, help: string, where: Place | null = null): Problem {
  return { code, message, where, help };
}

/** The beginning of a file, for problems of the file as a whole. */
export function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}
