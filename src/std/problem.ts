/**
 * What a user did that cannot be accepted: a value, never an exception inside the system. Every code stands in the
 * catalogue (`problem-codes.ts`) and in docs/errors.md; a test proves that the two agree.
 */
import type { ProblemCode } from './problem-codes.ts';

export interface Place {
  /** Path inside the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface Problem {
  readonly code: ProblemCode;
  /** What is wrong, in one sentence, with the names and values at hand. */
  readonly message: string;
  readonly where: Place | null;
  /** What to do about it. */
  readonly help: string;
}

/** A problem on its way through code that can only throw: caught at the wall (CLI, server) and shown as a problem. */
export class ProblemError extends Error {
  readonly problem: Problem;
  /** What else is wrong at the same time. */
  readonly others: readonly Problem[];
  constructor(problem: Problem, others: readonly Problem[] = []) {
    super(problem.message);
    this.name = 'ProblemError';
    this.problem = problem;
    this.others = others;
  }
}

/** Of a warning, which has no code, too. */
export function formatProblem({ where, message, help, ...rest }: Omit<Problem, 'code'> | Problem): string {
  const place = where === null ? '' : `${where.file}:${where.line}:${where.column}: `;
  return `${place}${message}${'code' in rest ? ` [${rest.code}]` : ''}\n  ${help}`;
}
