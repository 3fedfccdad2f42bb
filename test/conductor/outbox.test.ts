/** The outbox over a real journal in memory, with a forge that does what the test says and a clock that it sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../src/conductor/reports/outbox.ts';
import type { ConductorPorts, Project } from '../../src/conductor/ports.ts';
import { reportWithoutRun, type RunlessReport } from '../../src/conductor/reports/report-writes.ts';
import type { Forge, ForgeError, RunReport } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openMemoryRegistry } from '../../src/registry/memory.ts';
import { failure, success, type Result } from '../../src/std/result.ts';

const sha = 'a'.repeat(40);

interface Bench {
  readonly outbox: Outbox;
  readonly journal: Journal;
  /** Summaries of the statuses that the forge took. */
  readonly said: string[];
  /** Errors that were logged. */
  readonly logged: unknown[];
  now: number;
  /** What the forge answers to the next statuses; then it takes them. */
  readonly answers: (() => Promise<Result<void, ForgeError>>)[];
  /** A status of the pipeline is to be said. */
  ask(summary: string): Promise<void>;
  /** Until nothing is due that is not told. */
  work(): Promise<void>;
}

async function setBench(): Promise<Bench> {
  const journal = await openSqliteJournal({ directory: null, clock: { now: () => 0 } });
  const said: string[] = [];
  const logged: unknown[] = [];
  const answers: Bench['answers'] = [];
  const setStatus = async (report: RunReport): Promise<Result<void, ForgeError>> => {
    const answer = await (answers.shift()?.() ?? success(undefined));
    if (answer.ok) said.push(report.summary);
    return answer;
  };
  const local = createLocalForge({
    changeNotes: () => Promise.resolve(success([])),
    clock: { now: () => bench.now },
    pause: () => Promise.resolve(),
    print: () => undefined,
  });
  const forge: Forge = { ...local, setStatus };
  const bench: Bench = {
    journal,
    said,
    logged,
    answers,
    now: 1_000_000,
    outbox: new Outbox(portsOf(journal, forge, () => bench.now, logged)),
    async work() {
      do await bench.outbox.work();
      while (await bench.outbox.settled());
    },
    async ask(summary) {
      const [status] = reportWithoutRun({ ...report, summary }, bench.now);
      assert.ok(status !== undefined);
      await journal.commit([[status]]);
    },
  };
  return bench;
}

const report: RunlessReport = {
  repository: 'shop/models',
  pipeline: 'churn',
  sha,
  pullRequest: null,
  baseSha: null,
  state: 'neutral',
  summary: '',
  problems: [],
  coveredBy: null,
};

/** Git, executor and compiler have no part in reports: whoever asked for one would fail. */
function portsOf(journal: Journal, forge: Forge, now: () => number, logged: unknown[]): ConductorPorts {
  const nothing = (): undefined => undefined;
  const queue = { wake: nothing, start: nothing, stop: () => Promise.resolve() };
  const project: Pick<Project, 'name' | 'forge' | 'registry' | 'pollMs' | 'pollWithHooksMs'> = {
    name: 'shop/models',
    forge,
    registry: openMemoryRegistry(),
    pollMs: 1,
    pollWithHooksMs: 1,
  };
  const ports = {
    clock: { now },
    journal,
    projects: new Map([[project.name, project]]),
    runQueue: queue,
    jobQueue: queue,
    newId: () => 'x',
    runUrl: () => null,
    log: { info: nothing, warn: nothing, error: ({ error }: { readonly error?: unknown }) => logged.push(error) },
  };
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the ports that are left out are not used
  return ports as unknown as ConductorPorts;
}

const no = (refusal: ForgeError) => async () => failure(refusal);
const unreachable = no({ kind: 'unreachable', message: 'it is down', retryAt: null });

test('what was asked for several times is said once, as it is now', async () => {
  const bench = await setBench();
  for (const summary of ['first', 'second', 'third']) await bench.ask(summary);
  await bench.work();
  await bench.work();
  assert.deepEqual(bench.said, ['third']);
});

test('what is asked for while its forerunner is under way is said after it', async () => {
  const bench = await setBench();
  await bench.ask('old');
  bench.answers.push(async () => {
    await bench.ask('new');
    return success(undefined);
  });
  await bench.work();
  assert.deepEqual(bench.said, ['old', 'new']);
  assert.equal(await bench.journal.nextOutboxAt(), null);
});

test('what fails comes again after a wait that doubles, up to five minutes, and is shown', async () => {
  const bench = await setBench();
  await bench.ask('patient');
  const waits: number[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    bench.answers.push(unreachable);
    await bench.work();
    const next = await bench.journal.nextOutboxAt();
    assert.ok(next !== null);
    waits.push((next - bench.now) / 1000);
    const [row] = await bench.journal.troubledOutbox(1);
    assert.deepEqual([row?.error, row?.attempts], ['it is down', attempt + 1]);
    bench.now = next - 1;
    await bench.work();
    bench.now = next;
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  await bench.work();
  assert.deepEqual(bench.said, ['patient']);
  assert.deepEqual(await bench.journal.troubledOutbox(1), []);
});

test('a forge that names a time is asked then, and not before', async () => {
  const bench = await setBench();
  await bench.ask('limited');
  const retryAt = bench.now + 3_600_000;
  bench.answers.push(no({ kind: 'rate-limited', message: 'later', retryAt }));
  await bench.work();
  assert.equal(await bench.journal.nextOutboxAt(), retryAt);
});

test('what the forge refuses for good is given up, stays to be seen, and does not keep its successor back', async () => {
  const bench = await setBench();
  await bench.ask('hopeless');
  bench.answers.push(no({ kind: 'final', message: 'it is forbidden' }));
  await bench.work();
  assert.equal(await bench.journal.nextOutboxAt(), null);
  const [row] = await bench.journal.troubledOutbox(1);
  assert.deepEqual([row?.error, row?.dueAt], ['it is forbidden', null]);
  await bench.ask('hopeful');
  await bench.work();
  assert.deepEqual(bench.said, ['hopeful']);
});

test('what somebody can mend is tried after as long again as it has waited, and at the next start, and said once', async () => {
  const bench = await setBench();
  const refused = no({ kind: 'refused', message: 'the token is not valid', retryAt: null });
  await bench.ask('patient');
  const waits: number[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    bench.answers.push(refused);
    await bench.work();
    const next = await bench.journal.nextOutboxAt();
    assert.ok(next !== null, 'it is not given up');
    waits.push((next - bench.now) / 60_000);
    bench.now = next;
  }
  assert.deepEqual(waits, [5, 5, 10, 20, 40]);
  bench.answers.push(refused);
  await bench.work();
  assert.deepEqual(bench.logged, ['the token is not valid']);
  await bench.outbox.begin();
  await bench.work();
  assert.deepEqual(bench.said, ['patient']);
});

test('a forge that throws is a failure like any other', async () => {
  const bench = await setBench();
  await bench.ask('thrown at');
  bench.answers.push(() => Promise.reject(new Error('a bug')));
  await bench.work();
  assert.equal((await bench.journal.troubledOutbox(1))[0]?.error, 'a bug');
});

test('when it is stopped it begins nothing more', async () => {
  const bench = await setBench();
  await bench.ask('late');
  bench.outbox.stop();
  await bench.work();
  assert.deepEqual(bench.said, []);
  assert.notEqual(await bench.journal.nextOutboxAt(), null);
});
