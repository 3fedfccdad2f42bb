/** A definition that uses the words wrongly: thrown where it happens, so that its stack names the line of the user's file. */
import { ProblemError } from '../std/problem.ts';
import type { ProblemCode } from '../std/problem-codes.ts';

/**
 * Throws a problem. `at` is an error made earlier, at the call that is to blame when the mistake shows only later (a
 * branch's choices are checked when the pipeline is complete).
 */
export function misuse(code: ProblemCode, message: string, help: string, at: Error | null = null): never {
  const error = new ProblemError({ code, message, where: null, help });
  if (at?.stack !== undefined) error.stack = at.stack;
  throw error;
}

const plainName = /^[\w/-]{0,77}$/;

/** A value as a message shows it: short, and safe for whatever it is. */
export function shown(value: unknown): string {
  // Every label passes here, and most are names.
  if (typeof value === 'string' && plainName.test(value)) return `"${value}"`;
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'bigint') return `${String(value)}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
