/** What every executor promises, as tests: order, one start for each id, several at once, stop, recover, looks, close. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome, LookOutcome } from '../../src/engine/event.ts';
import type { AttemptReport, AttemptSpec, Executor, LookSpec } from '../../src/executor/executor.ts';

export type Behaviour = 'succeeds' | 'fails' | 'runs on' | 'ignores the warning';

export type LookBehaviour = 'sees' | 'sees nothing' | 'fails' | 'looks on' | 'ignores the warning';

export interface ExecutorUnderTest {
  readonly executor: Executor;
  /** In the order in which they came, of this server and the next. */
  readonly reports: readonly AttemptReport[];
  /** A new attempt that behaves so. */
  readonly spec: (behaviour: Behaviour) => AttemptSpec;
  /** A look of a new wait. */
  readonly lookSpec: (behaviour: LookBehaviour) => LookSpec;
  /** How many looks that do not end by themselves are at work now. */
  readonly looksAtWork: () => number | Promise<number>;
  /** Writes a file among those of the commit that `spec` names. */
  readonly put: (path: string, text: string) => Promise<void>;
  /** How often the work of this attempt was really begun. */
  readonly begun: (attemptId: string) => Promise<number>;
  /** What it runs goes on when the server ends, and is found again by the next one. */
  readonly outlives: boolean;
  /** The server dies without a word; the executor of the next one. */
  readonly next: () => Promise<{ readonly executor: Executor; readonly reports: readonly AttemptReport[] }>;
  readonly close: () => Promise<void>;
}

/** Polls until `fact` holds; fails after a minute. */
async function until(what: string, fact: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 10) {
    if (await fact()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}

const endsOf = (reports: readonly AttemptReport[], attemptId: string): AttemptOutcome[] =>
  reports.flatMap((report) => (report.type === 'finished' && report.attemptId === attemptId ? [report.outcome] : []));
const typesOf = (reports: readonly AttemptReport[], attemptId: string): string[] =>
  reports.filter((report) => report.attemptId === attemptId).map((report) => report.type);
const never = (): AbortSignal => new AbortController().signal;
const causeOf = (outcome: AttemptOutcome | undefined): string =>
  outcome?.kind === 'failed' ? outcome.cause : (outcome?.kind ?? 'none');

export function executorKeepsItsContract(name: string, create: () => Promise<ExecutorUnderTest>): void {
  const check = (
    title: string,
    body: (
      given: ExecutorUnderTest & {
        ended: (id: string, count?: number) => Promise<AttemptOutcome>;
        runs: (id: string) => Promise<void>;
      },
    ) => Promise<void>,
  ): void => {
    test(`${name}: ${title}`, async () => {
      const given = await create();
      const ended = async (id: string, count = 1): Promise<AttemptOutcome> => {
        await until(`the end of ${id}`, () => endsOf(given.reports, id).length >= count);
        const outcome = endsOf(given.reports, id)[count - 1];
        assert.ok(outcome);
        return outcome;
      };
      const runs = (id: string): Promise<void> =>
        until(`${id} to run`, () => typesOf(given.reports, id).includes('running'));
      try {
        await body({ ...given, ended, runs });
      } finally {
        await given.close();
      }
    });
  };

  check('an attempt runs and then ends, and each is reported once', async ({ executor, reports, spec, ended }) => {
    const { attemptId, ...rest } = spec('succeeds');
    await executor.start({ attemptId, ...rest });
    assert.equal((await ended(attemptId)).kind, 'succeeded');
    assert.deepEqual(typesOf(reports, attemptId), ['running', 'finished']);
  });

  check('a failure is a report, never a rejection', async ({ executor, spec, ended }) => {
    const failing = spec('fails');
    await executor.start(failing);
    assert.equal(causeOf(await ended(failing.attemptId)), 'code');
  });

  check(
    'an attempt is started once however often it is asked for',
    async ({ executor, reports, spec, begun, runs, ended }) => {
      const one = spec('runs on');
      await Promise.all([executor.start(one), executor.start(one), executor.start(one)]);
      await runs(one.attemptId);
      await until('its work', async () => (await begun(one.attemptId)) > 0);
      await executor.start(one);
      await executor.stop(one.attemptId, 'cancelled', 1000);
      await ended(one.attemptId);
      assert.equal(await begun(one.attemptId), 1);
      assert.deepEqual(typesOf(reports, one.attemptId), ['running', 'finished']);
    },
  );

  check('asked for again after its end, it gives the same end again', async ({ executor, spec, begun, ended }) => {
    const one = spec('succeeds');
    await executor.start(one);
    const first = await ended(one.attemptId);
    await executor.start(one);
    assert.deepEqual(await ended(one.attemptId, 2), first);
    assert.equal(await begun(one.attemptId), 1);
  });

  check('as many as there are slots run at once', async ({ executor, spec, runs, ended }) => {
    const specs = Array.from({ length: executor.slots }, () => spec('runs on'));
    await Promise.all(specs.map((one) => executor.start(one)));
    await Promise.all(specs.map((one) => runs(one.attemptId)));
    await Promise.all(specs.map((one) => executor.stop(one.attemptId, 'cancelled', 1000)));
    for (const one of specs) assert.equal(causeOf(await ended(one.attemptId)), 'cancelled');
  });

  for (const cause of ['cancelled', 'timeout'] as const) {
    check(`a stop ends it with the cause ${cause}`, async ({ executor, reports, spec, runs, ended }) => {
      const one = spec('runs on');
      await executor.start(one);
      await runs(one.attemptId);
      await executor.stop(one.attemptId, cause, 60_000);
      assert.equal(causeOf(await ended(one.attemptId)), cause);
      assert.equal(endsOf(reports, one.attemptId).length, 1);
    });
  }

  check('what ignores the warning is killed when the grace is over', async ({ executor, spec, runs, ended }) => {
    const one = spec('ignores the warning');
    await executor.start(one);
    await runs(one.attemptId);
    await executor.stop(one.attemptId, 'cancelled', 200);
    assert.equal(causeOf(await ended(one.attemptId)), 'cancelled');
  });

  check(
    'the first cause of a stop stays, and a second stop can shorten the grace',
    async ({ executor, spec, runs, ended }) => {
      const one = spec('runs on');
      await executor.start(one);
      await runs(one.attemptId);
      await executor.stop(one.attemptId, 'timeout', 60_000);
      await executor.stop(one.attemptId, 'cancelled', 100);
      assert.equal(causeOf(await ended(one.attemptId)), 'timeout');
    },
  );

  check('a stop right after the start is heeded', async ({ executor, spec, ended }) => {
    const one = spec('runs on');
    await executor.start(one);
    await executor.stop(one.attemptId, 'cancelled', 100);
    assert.equal(causeOf(await ended(one.attemptId)), 'cancelled');
  });

  check('a stop of what is unknown or has ended is harmless', async ({ executor, reports, spec, ended }) => {
    await executor.stop('run/none/0/1', 'cancelled', 10);
    const one = spec('succeeds');
    await executor.start(one);
    await ended(one.attemptId);
    await executor.stop(one.attemptId, 'cancelled', 10);
    assert.deepEqual(endsOf(reports, one.attemptId).map(causeOf), ['succeeded']);
  });

  check(
    'after a restart, what ran goes on or is lost and gone, and what had ended gives its end',
    async ({ executor, spec, runs, ended, next, outlives }) => {
      const [done, open, never] = [spec('succeeds'), spec('runs on'), spec('succeeds')];
      await executor.start(done);
      await executor.start(open);
      const first = await ended(done.attemptId);
      await runs(open.attemptId);
      const after = await next();
      await after.executor.recover([done.attemptId, open.attemptId, never.attemptId]);
      assert.deepEqual(endsOf(after.reports, done.attemptId), [first]);
      if (outlives) await after.executor.stop(open.attemptId, 'cancelled', 1000);
      await until('its end', () => endsOf(after.reports, open.attemptId).length > 0);
      assert.deepEqual(endsOf(after.reports, open.attemptId).map(causeOf), [outlives ? 'cancelled' : 'lost']);
      assert.deepEqual(endsOf(after.reports, never.attemptId).map(causeOf), ['lost']);
    },
  );

  check(
    'after a restart, an attempt of the server before is not started again',
    async ({ executor, spec, begun, runs, next, outlives }) => {
      const one = spec('runs on');
      await executor.start(one);
      await runs(one.attemptId);
      await until('its work', async () => (await begun(one.attemptId)) > 0);
      const after = await next();
      await after.executor.start(one);
      if (outlives) await after.executor.stop(one.attemptId, 'timeout', 1000);
      await until('its end', () => endsOf(after.reports, one.attemptId).length > 0);
      assert.deepEqual(endsOf(after.reports, one.attemptId).map(causeOf), [outlives ? 'timeout' : 'lost']);
      assert.equal(await begun(one.attemptId), 1);
    },
  );

  check('recover leaves alone what this server runs', async ({ executor, reports, spec, runs }) => {
    const one = spec('runs on');
    await executor.start(one);
    await runs(one.attemptId);
    await executor.recover([one.attemptId]);
    assert.deepEqual(typesOf(reports, one.attemptId), ['running']);
  });

  check('a file is found where its steps would find it, or nothing is', async ({ executor, spec, put }) => {
    const { repository, sha } = spec('succeeds');
    await put('data/ready.csv', 'a,b\n');
    assert.deepEqual(await executor.findFile({ repository, sha, path: 'data/ready.csv' }), { bytes: 4 });
    for (const path of ['data/other.csv', 'data/ready.csv/below'])
      assert.equal(await executor.findFile({ repository, sha, path }), null, path);
    const outside = await executor.findFile({ repository, sha, path: '/no/such/file' });
    assert.ok(outside === null || 'impossible' in outside);
  });

  check('a look says what it saw, that it saw nothing, or why it failed', async ({ executor, reports, lookSpec }) => {
    const look = (behaviour: LookBehaviour): Promise<LookOutcome> => executor.look(lookSpec(behaviour), never());
    assert.deepEqual(await look('sees'), { kind: 'seen', output: { inline: { there: true } } });
    assert.equal((await look('sees nothing')).kind, 'not-yet');
    const failed = await look('fails');
    assert.deepEqual(failed.kind === 'failed' && [failed.cause, failed.message], ['code', 'Error: it broke']);
    assert.deepEqual(reports, [], 'a look is nothing that is reported');
  });

  check('looks take no slots of attempts', async ({ executor, spec, lookSpec, runs }) => {
    const specs = Array.from({ length: executor.slots }, () => spec('runs on'));
    await Promise.all(specs.map((one) => executor.start(one)));
    await Promise.all(specs.map((one) => runs(one.attemptId)));
    assert.equal((await executor.look(lookSpec('sees'), never())).kind, 'seen');
  });

  check('so many looks at once as it says, and one of each wait', async ({ executor, lookSpec, looksAtWork }) => {
    const abort = new AbortController();
    const specs = Array.from({ length: executor.looksAtOnce }, () => lookSpec('looks on'));
    const [first] = specs;
    assert.ok(first);
    const one = executor.look(first, abort.signal);
    await assert.rejects(executor.look(first, never()), /under way/);
    const all = [one, ...specs.slice(1).map((each) => executor.look(each, abort.signal))];
    await until('all of them', async () => (await looksAtWork()) === executor.looksAtOnce);
    await assert.rejects(executor.look(lookSpec('sees'), never()), /under way/);
    abort.abort();
    for (const { status } of await Promise.allSettled(all)) assert.equal(status, 'rejected');
    assert.equal((await executor.look(lookSpec('sees'), never())).kind, 'seen');
  });

  for (const behaviour of ['looks on', 'ignores the warning'] as const) {
    check(`one that ${behaviour} is ended, and then nothing of it is left`, async (given) => {
      const { executor, lookSpec, looksAtWork } = given;
      const abort = new AbortController();
      const spec = { ...lookSpec(behaviour), graceMs: 200 };
      const look = executor.look(spec, abort.signal);
      await until('its work', async () => (await looksAtWork()) === 1);
      abort.abort();
      await assert.rejects(look, /ended/);
      assert.equal(await looksAtWork(), 0);
      const again = new AbortController();
      const next = executor.look(spec, again.signal);
      again.abort();
      await assert.rejects(next, /ended/, 'the wait may be looked for again, and ended before it began');
      assert.equal(await looksAtWork(), 0);
    });
  }

  check('close ends everything as a shutdown does, or lets it go on, and takes nothing more', async (given) => {
    const { executor, reports, spec, runs, lookSpec, looksAtWork, outlives } = given;
    const one = spec('runs on');
    await executor.start(one);
    await runs(one.attemptId);
    const look = assert.rejects(executor.look(lookSpec('looks on'), never()), /ended/);
    await until('the look', async () => (await looksAtWork()) === 1);
    await executor.close();
    await executor.close();
    await look;
    assert.equal(await looksAtWork(), 0);
    assert.deepEqual(endsOf(reports, one.attemptId).map(causeOf), outlives ? [] : ['shutdown']);
    await assert.rejects(executor.start(spec('succeeds')), /closed/);
    await assert.rejects(executor.look(lookSpec('sees'), never()), /closed/);
  });
}
