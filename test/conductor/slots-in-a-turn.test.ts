/** Runs that wait for each other's slots, and how often the journal is asked to keep what becomes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConductorPorts } from '../../src/conductor/ports.ts';
import { Turns } from '../../src/conductor/runs/turns.ts';
import type { RunOpened } from '../../src/engine/event.ts';
import type { Commit, Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { MemoryQueue } from '../../src/queue/memory.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { at, openRun, opened, versionsWrite } from '../support/journal-values.ts';

const definition = pipelineOf([stepOf({ name: 'only' })], { name: 'churn', maxActiveRuns: 2 });
const clock = { now: () => at };

/** The same journal, that writes down what it was asked to keep before anything else had its turn. */
function watched(journal: Journal, together: (readonly Commit[])[]): Journal {
  let open = false;
  return {
    ...journal,
    commit(commits) {
      if (open) together.push([...(together.pop() ?? []), ...commits]);
      else together.push(commits);
      open = true;
      queueMicrotask(() => (open = false));
      return journal.commit(commits);
    },
  };
}

/** All that the turns of runs ask for whose repository nobody configures any more: their attempts end at once. */
function portsOf(journal: Journal, errors: unknown[]): ConductorPorts {
  const queue = (): MemoryQueue => new MemoryQueue({ clock, onError: (error) => errors.push(error) });
  const complain = (fields: object, message: string): void => void errors.push(message, fields);
  return {
    clock,
    journal,
    executor: { slots: 1, looksAtOnce: 1, release: () => undefined },
    notifier: { defaults: [] },
    pools: new Map(),
    projects: new Map(),
    runQueue: queue(),
    jobQueue: queue(),
    log: { info: () => undefined, warn: complain, error: complain },
  } as unknown as ConductorPorts;
}

test('the end of a step and the start in another run that its slot goes to are kept together', async () => {
  const together: (readonly Commit[])[] = [];
  const errors: unknown[] = [];
  const journal = watched(await openSqliteJournal({ directory: null, clock }), together);
  const runs: readonly RunOpened[] = [opened('one'), opened('other')];
  await journal.commit([
    [{ ...versionsWrite, definitions: new Map([[opened('one').digest, definition]]) }],
    ...runs.map(({ runId }) => [openRun(runId)]),
  ]);
  const ports = portsOf(journal, errors);
  const ended: string[] = [];
  const turns = new Turns(ports, { lack: null }, (runId, isEnd) => void (isEnd ? ended.push(runId) : null));
  turns.start();
  for (const run of runs) turns.enter(run, [], definition);
  while ((await journal.unfinishedRuns()).length > 0) await new Promise((resolve) => setImmediate(resolve));
  await ports.runQueue.stop();
  await journal.close();
  assert.deepEqual(errors, []);
  assert.deepEqual(ended, ['one', 'other'], 'each end is told once');
  const eventsOf = (commits: readonly Commit[]): readonly string[] =>
    commits.flat().flatMap((write) => (write.write === 'append' ? write.events.map(({ type }) => type) : []));
  const first = together.map(eventsOf).find((types) => types.includes('attempt-finished'));
  assert.ok(first?.includes('attempt-started'), String(first));
});
