/** The outbox over a real journal in memory, with a forge that does what the test says and a clock that it sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../src/conductor/reports/outbox.ts';
import type { ConductorPorts } from '../../src/conductor/ports.ts';
import {
  reportChanges,
  reportRun,
  reportWithoutRun,
  settleLater,
  type RunlessReport,
} from '../../src/conductor/reports/report-writes.ts';
import type { Forge, ForgeError, PullRequest, RunReport } from '../../src/forge/forge.ts';
import type { GitRepository } from '../../src/git/git.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openMemoryRegistry } from '../../src/registry/memory.ts';
import { failure, success, type Result } from '../../src/std/result.ts';
import { evaluation, opened, openRun, runId, versionsWrite } from '../support/journal-values.ts';

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
  /** When the outbox wants to be woken; the last time that it asked. */
  wakeAt: number | null;
  /** Every time that it asked for. */
  readonly wakes: (number | null)[];
  /** A status of the pipeline is to be said, after a while. */
  ask(summary: string, changes?: Partial<RunlessReport>, delayMs?: number): Promise<void>;
  /** Until the forge has taken that status, while others may be under way. */
  heard(summary: string): Promise<void>;
  /** Until nothing is due that is not told. */
  work(): Promise<void>;
}

async function setBench(git: Partial<GitRepository> = {}, kind: Forge['kind'] = 'local'): Promise<Bench> {
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
  const forge: Forge = { ...local, kind, setStatus };
  const bench: Bench = {
    journal,
    said,
    logged,
    answers,
    now: 1_000_000,
    outbox: new Outbox(
      portsOf({
        journal,
        forge,
        git,
        logged,
        now: () => bench.now,
        wake: (at) => bench.wakes.push((bench.wakeAt = at)),
      }),
    ),
    wakeAt: null,
    wakes: [],
    async work() {
      do await bench.outbox.work();
      while (await bench.outbox.settled());
    },
    async ask(summary, changes, delayMs = 0) {
      const [status] = reportWithoutRun({ ...report, summary, ...changes }, bench.now + delayMs);
      assert.ok(status !== undefined);
      await journal.commit([[status]]);
    },
    heard: (summary) => until(`${summary} was heard`, () => said.includes(summary)),
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

/** Whoever waits for what goes on by itself gives it a thousand turns of the event loop. */
async function until(fact: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`not in time: ${fact}`);
}

/** Executor and compiler have no part in reports: whoever asked for one would fail. */
function portsOf(given: {
  readonly journal: Journal;
  readonly forge: Forge;
  readonly git: Partial<GitRepository>;
  readonly logged: unknown[];
  readonly now: () => number;
  readonly wake: (at: number | null) => void;
}): ConductorPorts {
  const { journal, forge, git, logged, now, wake } = given;
  const nothing = (): undefined => undefined;
  const queue = {
    wake: (_key: string, at?: number) => wake(at ?? null),
    start: nothing,
    stop: () => Promise.resolve(),
  };
  const names = ['shop/models', 'shop/other'];
  const projects = names.map((name) => ({
    name,
    git,
    forge,
    registry: openMemoryRegistry(),
    pollMs: 1,
    pollWithHooksMs: 1,
  }));
  const ports = {
    clock: { now },
    journal,
    projects: new Map(projects.map((project) => [project.name, project])),
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

test('of runs that end one after the other and report in the same place, the last is said, and a run never waits for itself', async () => {
  const bench = await setBench();
  const { journal } = bench;
  const at = bench.now;
  await journal.commit([[versionsWrite, openRun(runId(1)), openRun(runId(2)), openRun(runId(3))]]);
  const say = async (run: number): Promise<number> => {
    const [status] = reportRun(opened(runId(run)), bench.now, 0);
    assert.ok(status !== undefined);
    await journal.commit([[status]]);
    await bench.work();
    return bench.said.length;
  };
  assert.equal(await say(1), 1);
  assert.equal(await say(1), 2);
  assert.equal(await say(2), 2);
  assert.equal(await say(3), 2);
  assert.ok(bench.wakes.includes(at + 1000));
  bench.now = at + 999;
  await bench.work();
  assert.equal(bench.said.length, 2);
  bench.now = at + 1000;
  await bench.work();
  assert.equal(bench.said.length, 3);
  assert.equal((await journal.dueOutbox(bench.now, 10)).length, 0);
  assert.equal(await say(2), 3);
  bench.now = at;
  assert.equal(await say(1), 4, 'a clock that was set back makes nobody wait');
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

test('a status that GitHub has taken is looked at again for a day, ever more rarely, whatever it answers', async () => {
  const bench = await setBench({}, 'github');
  const begun = bench.now;
  await bench.ask('taken');
  await bench.work();
  const minutes: number[] = [];
  for (let next = await bench.journal.nextOutboxAt(); next !== null; next = await bench.journal.nextOutboxAt()) {
    minutes.push((next - begun) / 60_000);
    bench.now = next;
    if (minutes.length === 2) bench.answers.push(no({ kind: 'unreachable', message: 'away', retryAt: null }));
    await bench.work();
  }
  assert.deepEqual(minutes, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440]);
  assert.deepEqual(await bench.journal.troubledOutbox(1), []);
});

test('what is newer takes the place of a status that is looked at again', async () => {
  const bench = await setBench({}, 'github');
  await bench.ask('older');
  await bench.work();
  bench.now += 1000;
  await bench.ask('newer');
  await bench.work();
  bench.now += 5 * 60_000;
  await bench.work();
  assert.deepEqual(bench.said, ['older', 'newer', 'newer']);
});

test('a commit that the forge does not know yet is told of for some minutes, and then given up', async () => {
  const bench = await setBench();
  const early = no({ kind: 'early', message: 'No commit found for SHA', retryAt: null });
  bench.answers.push(early, early);
  await bench.ask('come soon');
  for (let tries = 0; tries < 3; tries += 1, bench.now = (bench.wakeAt ?? 0) + 1) await bench.work();
  assert.deepEqual(bench.said, ['come soon']);
  const begun = bench.now;
  bench.answers.push(...Array.from({ length: 20 }, () => early));
  await bench.ask('never there', { pipeline: 'other' });
  for (let looks = 0; looks < 30; looks += 1, bench.now = (bench.wakeAt ?? 0) + 1) await bench.work();
  const [row] = await bench.journal.troubledOutbox(10);
  assert.deepEqual([row?.dueAt, row?.error], [null, 'No commit found for SHA']);
  assert.ok((row?.attempts ?? 0) > 8 && bench.now - begun > 8 * 60_000);
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

test('a forge that hangs holds up nobody else, however many wait for it', async () => {
  const bench = await setBench();
  const held: (() => void)[] = [];
  for (let count = 0; count < 450; count += 1) {
    bench.answers.push(() => new Promise((resolve) => held.push(() => resolve(success(undefined)))));
    await bench.ask(`slow ${count}`, { pipeline: `slow-${count}` });
  }
  await bench.outbox.work();
  await until('as many as may be are under way', () => held.length === 20);
  bench.answers.length = 0;
  bench.now += 1;
  await bench.ask('elsewhere', { repository: 'shop/other' });
  await bench.ask('in a while', { repository: 'shop/other', pipeline: 'later' }, 500);
  await bench.outbox.work();
  await bench.heard('elsewhere');
  await bench.outbox.work();
  assert.equal(bench.wakeAt, bench.now + 500);
  for (const go of held) go();
  await bench.work();
  assert.equal(bench.said.length, 451);
});

test('a promotion whose Git hangs holds up no report', async () => {
  const asked: string[] = [];
  const hang = (name: string) => () => new Promise<never>(() => void asked.push(name));
  const bench = await setBench({ defaultBranch: hang('defaultBranch') });
  const row = evaluation(runId(1), { policy: 'automatic' });
  await bench.journal.commit([
    [versionsWrite, openRun(runId(1)), { write: 'evaluation', evaluation: row }, settleLater(row, bench.now)],
  ]);
  let isOver = false;
  void bench.outbox.work().then(() => (isOver = true));
  await until('Git is asked, and the look is over', () => isOver && asked.length > 0);
  await bench.ask('meanwhile', { pipeline: 'other' });
  await bench.outbox.work();
  await bench.heard('meanwhile');
});

test('comments on forks, whose definitions are compiled for them, are made one by one, and nothing waits for them', async () => {
  const asked: string[] = [];
  const bench = await setBench({ ensure: (commit) => new Promise<never>(() => void asked.push(commit)) });
  for (let number = 0; number < 30; number += 1) {
    const headSha = number.toString(16).padStart(40, 'f');
    const proposal = { ...fork, number, headSha };
    await bench.journal.commit([[reportChanges('shop/models', proposal, bench.now)]]);
  }
  await bench.ask('meanwhile', { pipeline: 'other' });
  await bench.outbox.work();
  await bench.heard('meanwhile');
  await bench.outbox.work();
  assert.equal(asked.length, 1);
});

const fork: PullRequest = {
  number: 1,
  state: 'open',
  merged: false,
  mergeSha: null,
  headSha: sha,
  headBranch: 'gift',
  baseBranch: 'main',
  baseSha: sha,
  fork: true,
  author: 'stranger',
  title: 'A gift',
};

test('each of very many challenges of one run is decided', async () => {
  const bench = await setBench();
  const { journal, now } = bench;
  const trigger = { kind: 'backfill', backfill: 'b', actor: 'ada' } as const;
  await journal.commit([[versionsWrite, openRun(runId(1), { trigger })]]);
  for (let number = 0; number < 150; number += 1) {
    const row = evaluation(runId(1), { id: `${runId(1)}/c${number}`, step: `c${number}`, policy: 'automatic' });
    await journal.commit([[{ write: 'evaluation', evaluation: row }, settleLater(row, now)]]);
  }
  await bench.work();
  const decided = await journal.evaluations({ runId: runId(1), state: 'refused', limit: 200 });
  assert.equal(decided.length, 150);
});

test('when it is stopped it begins nothing more', async () => {
  const bench = await setBench();
  await bench.ask('late');
  bench.outbox.stop();
  await bench.work();
  assert.deepEqual(bench.said, []);
  assert.notEqual(await bench.journal.nextOutboxAt(), null);
});
