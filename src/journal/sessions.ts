/** Who has logged in, for every server: the digest of what the browser holds, and until when it counts. */
import type { Query, Step } from './driver.ts';
import type { SessionRow, Write } from './journal.ts';
import * as parse from './parse.ts';

export function sessionByDigest(digest: string): Query<SessionRow> {
  return {
    text: 'select ends_at, used_at from session where digest = $1',
    values: [digest],
    parse: (row) => ({ endsAt: parse.integer(row, 'ends_at'), usedAt: parse.integer(row, 'used_at') }),
  };
}

/** Those whose time is over go with the next that comes. */
export function putSession({ digest, endsAt, at }: Extract<Write, { write: 'session' }>): Step[] {
  return [
    { text: 'delete from session where ends_at <= $1', values: [at], otherwise: null },
    {
      text: 'insert into session (digest, ends_at, used_at) values ($1, $2, $3) on conflict (digest) do nothing',
      values: [digest, endsAt, at],
      otherwise: null,
    },
  ];
}

export function useSession({ digest, at }: Extract<Write, { write: 'session-used' }>): Step[] {
  return [
    {
      text: 'update session set used_at = $2 where digest = $1 and used_at < $2',
      values: [digest, at],
      otherwise: null,
    },
  ];
}

export function endSession({ digest }: Extract<Write, { write: 'session-ended' }>): Step[] {
  return [{ text: 'delete from session where digest = $1', values: [digest], otherwise: null }];
}
