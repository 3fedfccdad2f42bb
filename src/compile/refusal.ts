/** A problem of one file on its way out of the stages of compilation. */
import type { ProblemCode } from '../std/problem-codes.ts';
import type { Place, Problem } from '../std/problem.ts';
import { compileLimits } from './compile.ts';

export function problem(code: ProblemCode, message: string, help: string, where: Place | null = null): Problem {
  return { code, message, where, help };
}

/** The beginning of a file, for problems of the file as a whole. */
export function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}

/** The other files of the commit took all of the time that it has. */
export function notReached(where: Place): Problem {
  const message = `the other pipelines of the commit take longer than ${compileLimits.commitMs / 1000} s`;
  return problem('definition-limit', message, 'Correct those first: they have problems of their own.', where);
}
