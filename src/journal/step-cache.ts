/** What cached steps gave: by the key of what they were given, and the newest for telling what is different now. */
import type { StepOutput } from '../engine/event.ts';
import type { Query, RawRow, Step } from './driver.ts';
import type { CachedStep, CacheEntryRow, Write } from './journal.ts';
import * as parse from './parse.ts';

const selectEntry = 'select key, run_id, at, parts, output from step_cache';

function entryRow(row: RawRow): CacheEntryRow {
  return {
    key: parse.text(row, 'key'),
    runId: parse.text(row, 'run_id'),
    at: parse.integer(row, 'at'),
    parts: parse.json<CacheEntryRow['parts']>(row, 'parts'),
    output: parse.json<StepOutput>(row, 'output'),
  };
}

/** Of the scope, or of none. */
export function cacheEntry({ repository, pipeline, step, scope }: CachedStep, key: string): Query<CacheEntryRow> {
  return {
    text: `${selectEntry}
      where repository = $1 and pipeline = $2 and step = $3 and scope in ('', $4) and key = $5
      order by at desc limit 1`,
    values: [repository, pipeline, step, scope, key],
    parse: entryRow,
  };
}

export function newestCacheEntry(
  { repository, pipeline, step, scope }: CachedStep,
  index: number,
): Query<CacheEntryRow> {
  return {
    text: `${selectEntry}
      where repository = $1 and pipeline = $2 and step = $3 and scope = $4 and step_index = $5
      order by at desc limit 1`,
    values: [repository, pipeline, step, scope, index],
    parse: entryRow,
  };
}

/** The newest of a key stands. */
export function putCacheEntry(write: Extract<Write, { write: 'cache-entry' }>): Step[] {
  const { repository, pipeline, step, scope } = write.cached;
  return [
    {
      text: `
        insert into step_cache (repository, pipeline, step, scope, key, step_index, run_id, at, parts, output)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (repository, pipeline, step, scope, key) do update set
          step_index = excluded.step_index, run_id = excluded.run_id, at = excluded.at,
          parts = excluded.parts, output = excluded.output`,
      values: [
        repository,
        pipeline,
        step,
        scope,
        write.key,
        write.index,
        write.runId,
        write.at,
        JSON.stringify(write.parts),
        JSON.stringify(write.output),
      ],
      otherwise: null,
    },
  ];
}

/** Of all scopes together, the newest are kept. */
export function trimCache({ cached, entriesMax }: Extract<Write, { write: 'cache-trim' }>): Step[] {
  const place = 'repository = $1 and pipeline = $2 and step = $3';
  return [
    {
      text: `
        delete from step_cache where ${place}
          and at <= (select at from step_cache where ${place} order by at desc limit 1 offset $4)`,
      values: [cached.repository, cached.pipeline, cached.step, entriesMax],
      otherwise: null,
    },
  ];
}
