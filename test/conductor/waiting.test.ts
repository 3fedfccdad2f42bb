/** A step that waits for another pipeline, over a real journal in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookForPipeline } from '../../src/conductor/waiting.ts';
import { decide, open } from '../../src/engine/engine.ts';
import type { AttemptOutcome, RunOpened } from '../../src/engine/event.ts';
import type { Template, Work } from '../../src/pipeline/definition.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { finish, openRun, opened, runId, versionsWrite } from '../support/journal-values.ts';

const dayMs = 86_400_000;
const day = Date.UTC(2026, 2, 29);

async function journalOf(dates: readonly number[], state: (number: number) => boolean = () => true): Promise<Journal> {
  const journal = await openSqliteJournal({ directory: null, clock: { now: () => 0 } });
  await journal.commit([[versionsWrite]]);
  for (const [number, logicalDate] of dates.entries()) {
    await journal.commit([[openRun(runId(number), { logicalDate })]]);
    if (state(number)) await journal.commit([[finish(runId(number), 1)]]);
  }
  return journal;
}

/** What a wait in a run of that date sees. */
function look(
  journal: Journal,
  given: { readonly date?: Template; readonly shiftMs?: number; readonly logicalDate?: number; readonly work?: Work },
): Promise<AttemptOutcome | null> {
  const { date = [{ context: 'date' }], shiftMs = 0, logicalDate = day } = given;
  const work: Work = given.work ?? {
    kind: 'wait',
    for: { condition: 'pipeline', pipeline: 'churn', date, shiftMs, states: ['success'] },
    intervalMs: 1000,
    timeoutMs: 10_000,
    softFail: false,
  };
  const own: RunOpened = opened(runId(9999), { pipeline: 'example', logicalDate });
  const run = open(pipelineOf([stepOf({ name: 'wait', work })]), own);
  decide(run, { type: 'proceed', at: own.at, admit: () => true });
  return lookForPipeline(journal, run, { step: 'wait', index: 0, attempt: 1 });
}

test('a run of the same day in a state that counts is found, whatever its time of day', async () => {
  const journal = await journalOf([day + 3_600_000]);
  const found = await look(journal, { logicalDate: day + 20 * 3_600_000 });
  assert.deepEqual(found, {
    kind: 'succeeded',
    output: { inline: { runId: runId(0), state: 'success' } },
    control: null,
  });
});

test('a run of another day, or that goes on still, is waited for', async () => {
  for (const journal of [await journalOf([day - dayMs]), await journalOf([day], () => false)])
    assert.deepEqual(await look(journal, {}), { kind: 'not-yet', reason: 'no run of churn for 2026-03-29 is success' });
});

test('a shifted date is another day', async () => {
  const journal = await journalOf([day - dayMs]);
  assert.equal((await look(journal, { shiftMs: -dayMs }))?.kind, 'succeeded');
});

test('a run is found behind hundreds of newer ones', async () => {
  const journal = await journalOf([day, ...Array.from({ length: 450 }, (_, index) => day + (index + 1) * dayMs)]);
  const found = await look(journal, {});
  assert.deepEqual(found?.kind === 'succeeded' && found.output, { inline: { runId: runId(0), state: 'success' } });
});

test('a date that is none fails at once', async () => {
  const found = await look(await journalOf([]), { date: ['tomorrow'] });
  assert.deepEqual(found, {
    kind: 'failed',
    cause: 'invalid',
    message: 'the date of the wait is none: "tomorrow"',
    exitCode: null,
  });
});

test('other steps are none of its business', async () => {
  assert.equal(
    await look(await journalOf([]), { work: { kind: 'command', command: ['true'], environment: {} } }),
    null,
  );
});
