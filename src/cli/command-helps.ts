/** What to do about problems that commands find themselves, or are told by the server, which speaks of requests. */
import type { ProblemCode } from '../std/problem-codes.ts';

export const commandHelps = {
  'run-unknown': '`contender runs` lists ids and numbers.',
  'step-unknown': '`contender graph PIPELINE` shows the steps.',
  'run-not-asked': '`contender runs --state running` lists the runs that go on; their pages say what they wait for.',
  'backfill-unknown': '`contender backfills` lists their ids.',
  'backfill-ended': '`contender backfills` lists those that go on.',
} as const satisfies { readonly [code in ProblemCode]?: string };

/** Null: what the server says holds for commands too. */
export function commandHelp(code: ProblemCode | undefined): string | null {
  const helps: { readonly [code in ProblemCode]?: string } = commandHelps;
  return code === undefined ? null : (helps[code] ?? null);
}
