/** Random groups of random commits, on each store and on the model: the same answers, and the same rows after them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  backfillStates,
  type Commit,
  type EvaluationState,
  type Journal,
  type Write,
} from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import {
  append,
  at,
  backfill,
  dataEvent,
  evaluation,
  finish,
  openRun,
  outbox,
  request,
  runId,
  scheduled,
  versionsWrite,
} from '../support/journal-values.ts';
import { postgresMissing, startPostgres } from '../support/postgres.ts';
import { JournalModel } from './model.ts';

const clock = { now: () => 5 };
const farFuture = at + 1_000_000;

const few = fc.integer({ min: 0, max: 3 });
const key = few.map((number) => `key/${number}`);
const dueAt = fc.option(few.map((number) => at + number));
const evaluationState = fc.constantFrom<EvaluationState>('reported', 'promoting', 'promoted', 'refused');

const dataset = fc.constantFrom('a', 'b', 'c');
const backfillState = fc.constantFrom(...backfillStates);

/** Two runs are there from the start, so that most appends and evaluations have one; few keys, so that many collide. */
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ run: few, position: fc.integer({ min: 1, max: 6 }), count: few }).map(({ run, position, count }) =>
    append(
      runId(run),
      position,
      Array.from({ length: count }, (_, index) => scheduled('a', index)),
    ),
  ),
  fc
    .record({ run: few, position: fc.integer({ min: 1, max: 6 }) })
    .map(({ run, position }) => finish(runId(run), position)),
  fc
    .record({ id: key, run: few, whereEnded: fc.constantFrom('conflict' as const, 'nothing' as const) })
    .map(({ id, run, whereEnded }) => request(id, runId(run), { whereEnded })),
  key.map((id): Write => ({ write: 'request-done', id, at })),
  key.map((name) => outbox(name)),
  fc.record({ write: fc.constant('outbox-done' as const), key, sequence: few, at: fc.constant(at) }),
  fc.record({
    write: fc.constant('outbox-failed' as const),
    key,
    sequence: few,
    at: fc.constant(at),
    error: fc.string(),
    dueAt,
  }),
  fc.record({ id: key, semanticKey: fc.option(key) }).map(({ id, semanticKey }): Write => {
    return { write: 'delivery', id, repository: 'r', event: 'push', semanticKey, body: {}, at };
  }),
  key.map((id): Write => ({ write: 'delivery-done', id, state: 'done', note: '', at })),
  key.map((name): Write => ({ write: 'trigger-skipped', key: name, at, reason: 'r', coveredBy: null })),
  few.map((tick): Write => {
    return { write: 'tick', repository: 'r', pipeline: 'p', tick, at, decision: 'missed', reason: 'r', runId: null };
  }),
  fc
    .record({ id: key, skipped: fc.array(fc.option(fc.constant('r')), { maxLength: 3 }) })
    .map(({ id, skipped }) => backfill(id, skipped)),
  fc.record({ id: key, position: few }).map(({ id, position }): Write => {
    return { write: 'backfill-interval', id, position, decision: 'skipped', reason: 'r', runId: null, at };
  }),
  fc
    .record({ id: key, from: backfillState, to: fc.constantFrom('cancelling', 'cancelled', 'done') })
    .map(({ id, from, to }): Write => ({ write: 'backfill-state', id, from, to, reason: 'r', at })),
  fc.constantFrom(0, 1).map((run): Write => ({ write: 'run-end', runId: runId(run), at })),
  few.map((run): Write => ({ write: 'run-end-done', runId: runId(run), at })),
  fc.record({ id: key, dataset }).map(({ id, dataset: name }): Write => dataEvent(id, { dataset: name })),
  fc
    .record({
      id: key,
      dataset,
      digest: fc.option(fc.constantFrom('one', 'two')),
      evenIfSame: fc.boolean(),
      refused: fc.option(fc.constant('r'), { freq: 4 }),
    })
    .map((decided): Write => ({ write: 'data-event-decided', ...decided })),
  fc.record({ add: fc.uniqueArray(dataset), remove: fc.uniqueArray(dataset) }).map(({ add, remove }): Write => {
    return { write: 'data-listening', repository: 'r', pipeline: 'p', add, remove, at };
  }),
  fc
    .array(fc.record({ dataset, seen: few, position: few }), { maxLength: 2 })
    .map((taken): Write => ({ write: 'data-taken', repository: 'r', pipeline: 'p', taken })),
  fc.constantFrom(0, 1).map((run): Write => ({ write: 'evaluation', evaluation: evaluation(runId(run)) })),
  fc.record({ run: few, from: evaluationState, to: evaluationState }).map(({ run, from, to }): Write => {
    const id = `${runId(run)}/challenge`;
    return { write: 'evaluation-state', id, from, to, reason: null, version: null, at };
  }),
);

/** Run ids are never used twice, so those of opened runs are counted; their triggers collide with the skipped ones. */
const opening = fc.record({ trigger: key, pipeline: fc.constantFrom('churn', 'other') });

const groups = fc.array(
  fc.array(fc.record({ writes: fc.array(write, { maxLength: 4 }), opens: fc.option(opening, { freq: 3 }) }), {
    maxLength: 5,
  }),
  { maxLength: 6 },
);

async function agree(
  journal: Journal,
  script: typeof groups extends fc.Arbitrary<infer Value> ? Value : never,
): Promise<void> {
  const model = new JournalModel();
  const start: Commit = [openRun(runId(0)), openRun(runId(1))];
  await journal.commit([[versionsWrite, ...start]]);
  model.commit([start]);
  let next = 100;
  for (const group of script) {
    const commits = group.map(({ writes, opens }): Commit => {
      if (opens === null) return writes;
      next += 1;
      return [...writes, openRun(runId(next), { pipeline: opens.pipeline }, opens.trigger)];
    });
    assert.deepEqual(await journal.commit(commits), model.commit(commits));
    assert.equal(await model.difference(journal, farFuture), null);
  }
}

test('SQLite gives the answers and keeps the rows of the model', async () => {
  const property = fc.asyncProperty(groups, async (script) => {
    const journal = await openSqliteJournal({ directory: null, clock });
    try {
      await agree(journal, script);
    } finally {
      await journal.close();
    }
  });
  await fc.assert(property, { numRuns: 150 });
});

test('PostgreSQL gives the answers and keeps the rows of the model', { skip: postgresMissing() }, async () => {
  const server = await startPostgres();
  try {
    const property = fc.asyncProperty(groups, async (script) => {
      const journal = await openPostgresJournal({ url: await server.database(), clock });
      try {
        await agree(journal, script);
      } finally {
        await journal.close();
      }
    });
    await fc.assert(property, { numRuns: 10 });
  } finally {
    await server.stop();
  }
});
