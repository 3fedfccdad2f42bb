/** The lease of whoever conducts: one row, on the database's clock. Each statement stands for itself. */
import type { JsonObject } from '../std/json.ts';
import type { Dialect, Query, Sql } from './driver.ts';
import type { LeasePlace, LeaseRow } from './journal.ts';
import * as parse from './parse.ts';

const name = 'conductor';

export function leaseRow({ now }: Dialect): Query<LeaseRow> {
  return {
    text: `select epoch, place, said, taken_at, expires_at - ${now} as expires_in from lease where name = $1`,
    values: [name],
    parse: (row) => ({
      epoch: parse.integer(row, 'epoch'),
      place: parse.json<LeasePlace>(row, 'place'),
      said: parse.json<JsonObject>(row, 'said'),
      takenAt: parse.integer(row, 'taken_at'),
      expiresInMs: parse.integer(row, 'expires_in'),
    }),
  };
}

/** Gives the epoch; nothing where the lease has not expired. `alone`: nobody else can hold it, whatever the row says. */
export function takeLease(
  { now }: Dialect,
  { place, lastsMs, alone }: { readonly place: LeasePlace; readonly lastsMs: number; readonly alone: boolean },
): Query<number> {
  return {
    text: `
      insert into lease (name, epoch, place, said, taken_at, expires_at)
      values ($1, 1, $2, '{}', ${now}, ${now} + cast($3 as bigint))
      on conflict (name) do update set epoch = lease.epoch + 1, place = excluded.place, said = excluded.said,
        taken_at = excluded.taken_at, expires_at = excluded.expires_at
      where lease.expires_at <= ${now} or cast($4 as integer) = 1 returning epoch`,
    values: [name, JSON.stringify(place), lastsMs, alone ? 1 : 0],
    parse: (row) => parse.integer(row, 'epoch'),
  };
}

/** Gives nothing where the lease has been taken since. */
export function renewLease({ now }: Dialect, epoch: number, lastsMs: number, said: JsonObject): Query<number> {
  return {
    text: `
      update lease set expires_at = ${now} + cast($3 as bigint), said = $4
      where name = $1 and epoch = $2 returning epoch`,
    values: [name, epoch, lastsMs, JSON.stringify(said)],
    parse: (row) => parse.integer(row, 'epoch'),
  };
}

/** The next one need not wait until it has expired. */
export function releaseLease(epoch: number): Query<number> {
  return {
    text: `update lease set expires_at = 0 where name = $1 and epoch = $2 returning epoch`,
    values: [name, epoch],
    parse: (row) => parse.integer(row, 'epoch'),
  };
}

/** The first statement of each transaction under an epoch: no row, no transaction. Until its end nobody takes the lease. */
export function holdEpoch({ shareKey }: Dialect, epoch: number): Sql {
  return { text: `select epoch from lease where name = $1 and epoch = $2 ${shareKey}`, values: [name, epoch] };
}
