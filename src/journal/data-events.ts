/**
 * News of datasets. What is told stands there before anybody decides whether it counts; then it gets the next number of
 * its dataset, unless its digest is that of the news before. The number is drawn from the row of the dataset, which is
 * held until the commit: so there is never a lower number to come, and who has seen one has seen all before it.
 */
import type { Query, RawRow, Step, Value } from './driver.ts';
import {
  dataEventStates,
  journalLimits,
  type DataEventRow,
  type DataListener,
  type Part,
  type Write,
} from './journal.ts';
import * as parse from './parse.ts';

const selectEvent = `
  select id, dataset, digest, run_id, step, told_by, depth, at, told_at, state, reason from data_event`;

function eventRow(row: RawRow): DataEventRow {
  return {
    id: parse.text(row, 'id'),
    dataset: parse.text(row, 'dataset'),
    digest: parse.textOrNull(row, 'digest'),
    runId: parse.textOrNull(row, 'run_id'),
    step: parse.textOrNull(row, 'step'),
    toldBy: parse.textOrNull(row, 'told_by'),
    depth: parse.integer(row, 'depth'),
    at: parse.integer(row, 'at'),
    toldAt: parse.integer(row, 'told_at'),
    state: parse.word(row, 'state', dataEventStates),
    reason: parse.textOrNull(row, 'reason'),
  };
}

export function dataEventById(id: string): Query<DataEventRow> {
  return { text: `${selectEvent} where id = $1`, values: [id], parse: eventRow };
}

/** Oldest first. */
export function openDataEvents(limit: number, { repository, after }: Part = {}): Query<DataEventRow> {
  const values: Value[] = [limit];
  const ofRepository =
    repository === undefined
      ? ''
      : `and (select r.repository from run r where r.id = data_event.run_id) = $${values.push(repository)}`;
  const further =
    after === undefined
      ? ''
      : `and (told_at, id) > (select told_at, id from data_event where id = $${values.push(after)})`;
  const text = `${selectEvent} where state = 'open' ${ofRepository} ${further} order by told_at, id limit $1`;
  return { text, values, parse: eventRow };
}

/** Newest first; of one dataset, or of all. */
export function newestDataEvents(dataset: string | null, limit: number): Query<DataEventRow> {
  const most = Math.min(limit, journalLimits.pageMax);
  return dataset === null
    ? { text: `${selectEvent} order by told_at desc, id desc limit $1`, values: [most], parse: eventRow }
    : {
        text: `${selectEvent} where dataset = $1 order by told_at desc, id desc limit $2`,
        values: [dataset, most],
        parse: eventRow,
      };
}

/** Newest first: those that count, by their numbers. */
export function newsOf(
  dataset: string,
  { after, upTo }: { readonly after: number; readonly upTo: number },
  limit: number,
): Query<DataEventRow> {
  return {
    text: `
      ${selectEvent} where dataset = $1 and state = 'news' and position > $2 and position <= $3
      order by position desc limit $4`,
    values: [dataset, after, upTo, limit],
    parse: eventRow,
  };
}

const selectListener = `
  select l.repository, l.pipeline, l.dataset, l.seen, d.position
  from data_listener l join dataset d on d.name = l.dataset`;

function listenerRow(row: RawRow): DataListener {
  return {
    repository: parse.text(row, 'repository'),
    pipeline: parse.text(row, 'pipeline'),
    dataset: parse.text(row, 'dataset'),
    seen: parse.integer(row, 'seen'),
    position: parse.integer(row, 'position'),
  };
}

export function listenersOfRepository(repository: string): Query<DataListener> {
  const text = `${selectListener} where l.repository = $1 order by l.repository, l.pipeline, l.dataset`;
  return { text, values: [repository], parse: listenerRow };
}

/** One statement, so that the numbers of several datasets are of the same moment. */
export function listenersWithNews(): Query<DataListener> {
  const text = `${selectListener} where d.position > l.seen order by l.repository, l.pipeline, l.dataset`;
  return { text, values: [], parse: listenerRow };
}

/** A second time is `duplicate-event`. */
export function putDataEvent({ event }: Extract<Write, { write: 'data-event' }>): Step[] {
  const { id, dataset, digest, runId, step, toldBy, depth, at, toldAt } = event;
  return [
    {
      text: `
        insert into data_event (id, dataset, digest, run_id, step, told_by, depth, at, told_at, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open') on conflict (id) do nothing returning id`,
      values: [id, dataset, digest, runId, step, toldBy, depth, at, toldAt],
      otherwise: 'duplicate-event',
    },
  ];
}

/** A second time, whatever the first was, is `changed`. */
export function decideDataEvent(write: Extract<Write, { write: 'data-event-decided' }>): Step[] {
  const { id, dataset, digest, evenIfSame, refused } = write;
  if (refused !== null)
    return [
      {
        text: `update data_event set state = 'refused', reason = $2 where id = $1 and state = 'open' returning id`,
        values: [id, refused],
        otherwise: 'changed',
      },
    ];
  return [
    putDataset(dataset),
    {
      text: `
        update dataset set position = position + 1, digest = $3, event_id = $1
        where name = $2 and exists (select 1 from data_event e where e.id = $1 and e.state = 'open')
          and (cast($4 as integer) = 1 or cast($3 as text) is null or digest is null or digest <> cast($3 as text))`,
      values: [id, dataset, digest, evenIfSame ? 1 : 0],
      otherwise: null,
    },
    {
      text: `
        update data_event set
          position = (select d.position from dataset d where d.name = $2),
          state = (select case when d.event_id = $1 then 'news' else 'same' end from dataset d where d.name = $2)
        where id = $1 and state = 'open' returning id`,
      values: [id, dataset],
      otherwise: 'changed',
    },
  ];
}

/** Who is there already listens as before: its news are not lost. */
export function setListening(write: Extract<Write, { write: 'data-listening' }>): Step[] {
  const { repository, pipeline, add, remove, at } = write;
  return [
    ...remove.map((dataset) => ({
      text: `delete from data_listener where repository = $1 and pipeline = $2 and dataset = $3`,
      values: [repository, pipeline, dataset],
      otherwise: null,
    })),
    ...add.flatMap((dataset) => [
      putDataset(dataset),
      {
        text: `
          insert into data_listener (repository, pipeline, dataset, seen, at)
          select $1, $2, name, position, cast($4 as bigint) from dataset where name = $3
          on conflict (repository, pipeline, dataset) do nothing`,
        values: [repository, pipeline, dataset, at],
        otherwise: null,
      },
    ]),
  ];
}

/** A compare-and-set (`changed` otherwise): whoever comes second opens no run of the same news. */
export function takeNews({ repository, pipeline, taken }: Extract<Write, { write: 'data-taken' }>): Step[] {
  return taken.map(({ dataset, seen, position }) => ({
    text: `
      update data_listener set seen = $5
      where repository = $1 and pipeline = $2 and dataset = $3 and seen = $4 returning dataset`,
    values: [repository, pipeline, dataset, seen, position],
    otherwise: 'changed',
  }));
}

function putDataset(name: string): Step {
  const text = `insert into dataset (name, position) values ($1, 0) on conflict (name) do nothing`;
  return { text, values: [name], otherwise: null };
}
