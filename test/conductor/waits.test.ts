/** How often it is looked for what steps wait for, on a clock that is set. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seen, Subject } from '../../src/conductor/waits/awaited.ts';
import { Waits, type Look } from '../../src/conductor/waits/waits.ts';
import { decide, open } from '../../src/engine/engine.ts';
import type { RunOpened } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { StepDefinition, WaitWork } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { openedAt, openedOf } from '../support/drive.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

const notThere: Seen = { kind: 'outcome', outcome: { kind: 'not-yet', reason: 'not there' } };
const there: Seen = { kind: 'outcome', outcome: { kind: 'seen', output: { inline: null } } };

/** The looks of a server, without the server. */
class Lookout {
  now = openedAt;
  readonly looks: { readonly subject: Subject; readonly at: number; readonly number: number }[] = [];
  readonly told: { readonly runId: string; readonly look: Look }[] = [];
  readonly logged: string[] = [];
  see: (subject: Subject, signal: AbortSignal) => Promise<Seen> = () => Promise.resolve(notThere);
  #wakeAt = Number.POSITIVE_INFINITY;
  readonly waits: Waits;

  constructor() {
    const say = (_fields: object, message: string): void => void this.logged.push(message);
    const wake = (_key: string, at = this.now): void => {
      this.#wakeAt = Math.min(this.#wakeAt, at);
    };
    this.waits = new Waits(
      {
        clock: { now: () => this.now },
        sight: {
          look: (subject, number, signal) => {
            this.looks.push({ subject, at: this.now, number });
            return this.see(subject, signal);
          },
        },
        executor: { looksAtOnce: 4 },
        jobQueue: { wake, start: () => undefined, stop: () => Promise.resolve() },
        log: { info: say, warn: say, error: say },
      },
      (runId, looks) => looks.forEach((look) => this.told.push({ runId, look })),
    );
  }

  /** Lets that time pass, with whatever comes due in it. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      // What is under way ends first, and may make more due.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#wakeAt > until) break;
      this.now = Math.max(this.now, this.#wakeAt);
      this.#wakeAt = Number.POSITIVE_INFINITY;
      await this.waits.work();
    }
    this.now = until;
  }

  /** In minutes since the beginning, in the order of the looks. */
  lookedAt(): readonly number[] {
    return this.looks.map(({ at }) => (at - openedAt) / minuteMs);
  }
}

function waitFor(condition: WaitWork['for'], given: Partial<WaitWork> = {}): WaitWork {
  return { kind: 'wait', for: condition, intervalMs: minuteMs, timeoutMs: dayMs, softFail: false, ...given };
}

const until: WaitWork['for'] = { condition: 'function', file: 'p.ts', input: { literal: null } };
const file = (path: string): WaitWork['for'] => ({ condition: 'file', path });
const pipeline = (name: string): WaitWork['for'] => {
  return { condition: 'pipeline', pipeline: name, date: [{ context: 'date' }], shiftMs: 0, states: ['success'] };
};

/** A run whose steps have begun to wait. */
function runOf(runId: string, steps: readonly StepDefinition[], given: Partial<RunOpened> = {}): Run {
  const run = open(pipelineOf(steps), openedOf({ runId, ...given }));
  decide(run, { type: 'proceed', at: openedAt, admit: () => false });
  return run;
}

test('ten thousand that wait for one pipeline of one date are one look, an interval apart', async () => {
  const lookout = new Lookout();
  lookout.see = () => Promise.resolve({ kind: 'run', run: null });
  const each = stepOf({ name: 'each', work: waitFor(pipeline('daily')), map: mapOver([...Array(1000).keys()]) });
  for (let run = 0; run < 10; run += 1) lookout.waits.begin(runOf(`run-${run}`, [each]));
  await lookout.pass(61 * minuteMs);
  assert.ok(lookout.looks.length >= 61 && lookout.looks.length <= 63, `${lookout.looks.length} looks in an hour`);
  assert.deepEqual(lookout.told, [], 'what is not there is told to nobody');
  const subject = { kind: 'runs', repository: 'models', pipeline: 'daily', branch: null, steps: false } as const;
  const from = Math.floor(openedAt / dayMs) * dayMs;
  assert.deepEqual(lookout.looks[0]?.subject, { ...subject, from, to: from + dayMs - 1 });
  assert.equal(lookout.waits.of('run-3', 'each').length, 1000);
});

test('those that begin together do not look together for ever', async () => {
  const lookout = new Lookout();
  const paths = [...Array(1000).keys()].map((index) => `/data/${index}.csv`);
  for (const path of paths) lookout.waits.begin(runOf(path, [stepOf({ name: 'data', work: waitFor(file(path)) })]));
  await lookout.pass(10 * minuteMs);
  const perSecond = new Map<number, number>();
  for (const { at } of lookout.looks.slice(1000)) {
    const second = Math.floor((at - openedAt) / 1000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  const most = Math.max(...perSecond.values());
  assert.ok(most < 90, `at most a fortieth or so in one second of a minute, and there were ${most}`);
  assert.ok(lookout.looks.length > 9500 && lookout.looks.length < 11_100, `${lookout.looks.length} looks`);
});

test('no more than a few dozen looks are under way at once, and slow ones hold up nobody who waits for a run', async () => {
  const lookout = new Lookout();
  const never = new Promise<Seen>(() => undefined);
  lookout.see = (subject) => (subject.kind === 'file' ? never : Promise.resolve({ kind: 'run', run: null }));
  const steps = [...Array(100).keys()].map((index) =>
    stepOf({ name: `file-${index}`, work: waitFor(file(`/data/${index}`)) }),
  );
  lookout.waits.begin(runOf('files', steps));
  await lookout.pass(10 * minuteMs);
  assert.equal(lookout.looks.length, 32);
  lookout.waits.begin(runOf('after', [stepOf({ name: 'daily', work: waitFor(pipeline('daily')) })]));
  await lookout.pass(0);
  assert.equal(lookout.looks.length, 33);
});

test('what does not answer holds up no other kind of look, and none of another repository', async () => {
  const lookout = new Lookout();
  const http = (url: string): WaitWork['for'] => ({ condition: 'http', url, status: 200 });
  lookout.see = (subject) =>
    subject.kind === 'http' && subject.url.startsWith('http://silent/')
      ? new Promise(() => undefined)
      : Promise.resolve(there);
  const begin = (runId: string, condition: WaitWork['for'], given: Partial<RunOpened> = {}): void =>
    lookout.waits.begin(runOf(runId, [stepOf({ name: 'data', work: waitFor(condition) })], given));
  for (let index = 0; index < 100; index += 1) begin(`silent-${index}`, http(`http://silent/${index}`));
  await lookout.pass(0);
  begin('behind', http('http://there/'));
  begin('file', file('/data/here.csv'));
  begin('there', http('http://there/'), { repository: 'others' });
  await lookout.pass(minuteMs);
  assert.deepEqual(lookout.told.map(({ runId }) => runId).toSorted(), ['file', 'there']);
});

test('what is seen is told once, to each that waits for it', async () => {
  const lookout = new Lookout();
  lookout.waits.begin(runOf('one', [stepOf({ name: 'data', work: waitFor(file('/data')) })]));
  lookout.waits.begin(runOf('two', [stepOf({ name: 'data', work: waitFor(file('/data')), map: mapOver([1, 2]) })]));
  lookout.see = () => Promise.resolve(there);
  await lookout.pass(10 * minuteMs);
  assert.deepEqual(
    lookout.told.map(({ runId, look }) => `${runId} ${look.step}[${look.index}] ${look.outcome.kind}`),
    ['one data[0] seen', 'two data[0] seen', 'two data[1] seen'],
  );
  assert.equal(lookout.looks.length, 1);
});

test('a run that is folded again is told again, for what it was told may not have been kept', async () => {
  const lookout = new Lookout();
  const run = runOf('one', [stepOf({ name: 'data', work: waitFor(file('/data')) })]);
  lookout.waits.begin(run);
  lookout.see = () => Promise.resolve(there);
  await lookout.pass(minuteMs);
  lookout.waits.takeUp(run);
  await lookout.pass(minuteMs);
  assert.equal(lookout.told.length, 2);
});

test('the last look is at the end of its time, and says what it saw', async () => {
  const lookout = new Lookout();
  const work = waitFor(file('/data'), { intervalMs: 60 * minuteMs, timeoutMs: 100 * minuteMs });
  lookout.waits.begin(runOf('one', [stepOf({ name: 'data', work })]));
  await lookout.pass(100 * minuteMs - 1);
  assert.deepEqual(lookout.told, []);
  await lookout.pass(1);
  assert.deepEqual(lookout.lookedAt().at(-1), 100);
  const outcome = { kind: 'not-yet', reason: 'not there' } as const;
  assert.deepEqual(lookout.told, [{ runId: 'one', look: { step: 'data', index: 0, outcome } }]);
});

test('a run that ended, and a step that did, are looked for no more', async () => {
  const lookout = new Lookout();
  const steps = ['first', 'second'].map((name) => stepOf({ name, work: waitFor(file(`/${name}`)) }));
  const run = runOf('one', steps);
  lookout.waits.begin(run);
  lookout.waits.end('one', 'first', 0);
  await lookout.pass(0);
  assert.deepEqual(
    lookout.looks.map(({ subject }) => 'path' in subject && subject.path),
    ['/second'],
  );
  lookout.waits.runEnded(run);
  await lookout.pass(10 * minuteMs);
  assert.equal(lookout.looks.length, 1);
  assert.deepEqual(lookout.waits.of('one', 'second'), []);
});

test('a repository whose Git hangs holds up no look at the runs of another', async () => {
  const lookout = new Lookout();
  lookout.see = (subject) => {
    const hangs = subject.kind === 'runs' && subject.repository === 'shop/silent';
    return hangs ? new Promise(() => undefined) : Promise.resolve(notThere);
  };
  const names = ['one', 'two', 'three', 'four', 'five', 'six'];
  const steps = names.map((name) => stepOf({ name, work: waitFor(pipeline(name)) }));
  lookout.waits.begin(runOf('silent', steps, { repository: 'shop/silent' }));
  await lookout.pass(0);
  lookout.waits.begin(runOf('other', steps, { repository: 'shop/models' }));
  await lookout.pass(0);
  const looked = lookout.looks.map(({ subject }) => (subject.kind === 'runs' ? subject.repository : ''));
  assert.equal(looked.filter((each) => each === 'shop/silent').length, 4);
  assert.equal(looked.filter((each) => each === 'shop/models').length, 6);
});

test('the end of a run is seen at once by those that wait for it, though a look was just under way', async () => {
  const lookout = new Lookout();
  lookout.waits.begin(runOf('after', [stepOf({ name: 'daily', work: waitFor(pipeline('daily')) })]));
  let answer = (_seen: Seen): void => undefined;
  lookout.see = () => new Promise((resolve) => (answer = resolve));
  await lookout.pass(0);
  lookout.waits.runEnded(runOf('other', [], { pipeline: 'weekly' }));
  await lookout.pass(0);
  lookout.waits.runEnded(runOf('daily', [], { pipeline: 'daily', logicalDate: openedAt + 3_600_000 }));
  await lookout.pass(0);
  assert.equal(lookout.looks.length, 1);
  answer({ kind: 'run', run: null });
  await lookout.pass(0);
  assert.equal(lookout.looks.length, 2);
});

test('a look that cannot be made tells nothing, not even that time is over, and is made again soon', async () => {
  const lookout = new Lookout();
  lookout.see = () => Promise.reject(new Error('the database does not answer'));
  const work = waitFor(pipeline('daily'), { timeoutMs: 2 * minuteMs });
  lookout.waits.begin(runOf('one', [stepOf({ name: 'daily', work })]));
  await lookout.pass(10 * minuteMs);
  assert.deepEqual([lookout.told, lookout.logged], [[], ['a look could not be made']]);
  lookout.see = () => Promise.resolve({ kind: 'run', run: null });
  await lookout.pass(5000);
  assert.deepEqual(
    lookout.told.map(({ look }) => look.outcome),
    [{ kind: 'not-yet', reason: 'there is no run of daily for 2026-01-05' }],
  );
});

test('it says what is waited for, how often it was looked for, and what was seen instead', async () => {
  const lookout = new Lookout();
  lookout.waits.begin(runOf('one', [stepOf({ name: 'daily', work: waitFor(pipeline('daily')) })]));
  lookout.see = () => Promise.resolve({ kind: 'run', run: null });
  const before = lookout.waits.of('one', 'daily')[0];
  assert.deepEqual([before?.looks, before?.lastAt, before?.reason], [0, null, null]);
  await lookout.pass(0);
  const [waiting] = lookout.waits.of('one', 'daily');
  assert.equal(waiting?.what, 'daily of 2026-01-05');
  assert.equal(waiting.reason, 'there is no run of daily for 2026-01-05');
  assert.deepEqual([waiting.looks, waiting.lastAt, waiting.until], [1, openedAt, openedAt + dayMs]);
});

test('what cannot be looked for is told at once', () => {
  const cases: readonly (readonly [WaitWork['for'], RegExp])[] = [
    [file('s3://bucket/key'), /s3:.*no path of a file.*waitFor.object/],
    [file(''), /the path to wait for is empty/],
    [{ ...pipeline('daily'), date: 'tomorrow' } as WaitWork['for'], /the date of the wait is none: "tomorrow"/],
    [{ condition: 'http', url: ['http://', { parameter: 'host' }], status: 200 }, /parameter "host" was not given/],
  ];
  for (const [condition, reason] of cases) {
    const lookout = new Lookout();
    lookout.waits.begin(runOf('one', [stepOf({ name: 'data', work: waitFor(condition) })]));
    const outcome = lookout.told[0]?.look.outcome;
    assert.match(outcome?.kind === 'impossible' ? outcome.reason : '', reason);
  }
});

test('a run of a fork looks only where everybody can', async () => {
  const lookout = new Lookout();
  const steps = [stepOf({ name: 'up', work: waitFor({ condition: 'http', url: 'http://10.0.0.1/', status: 200 }) })];
  const fork = { kind: 'pull-request', number: 1, branch: 'b', baseBranch: 'main', baseSha: '', actor: 'ada' } as const;
  lookout.waits.begin(runOf('trusted', steps));
  lookout.waits.begin(runOf('forked', steps, { trigger: { ...fork, fork: true } }));
  await lookout.pass(0);
  assert.deepEqual(
    lookout.looks.map(({ subject }) => 'reach' in subject && subject.reach),
    ['internal', 'public'],
  );
});

test('a function is asked with what its step is given, each instance for itself, and few at once', async () => {
  const lookout = new Lookout();
  let under = 0;
  let most = 0;
  lookout.see = async () => {
    under += 1;
    most = Math.max(most, under);
    await new Promise((resolve) => setImmediate(resolve));
    under -= 1;
    return notThere;
  };
  const work = waitFor({ ...until, input: { reference: { item: 'item', path: [] } } });
  const step = stepOf({ name: 'each', work, map: mapOver([1, 2, 3, 4, 5, 6, 7, 8, 9]), secrets: ['KEY'] });
  lookout.waits.begin(runOf('one', [step]));
  for (let round = 0; round < 10; round += 1) await lookout.pass(0);
  const specs = lookout.looks
    .flatMap(({ subject }) => (subject.kind === 'function' ? [subject.spec] : []))
    .toSorted((one, other) => one.context.index - other.context.index);
  assert.deepEqual(
    specs.map((spec) => spec.work.input),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(
    [specs[2]?.attemptId, specs[2]?.context.index, specs[2]?.secrets, specs[2]?.timeoutMs],
    ['one/each/2/1', 2, ['KEY'], 5 * minuteMs],
  );
  assert.equal(most, 4);
  assert.equal(lookout.waits.of('one', 'each')[0]?.what, 'its function');
});

test('a look that nobody waits for any more is ended, and who waits anew looks when it is over', async () => {
  const lookout = new Lookout();
  const run = runOf('one', [stepOf({ name: 'ready', work: waitFor(until) })]);
  let end = (): void => undefined;
  const signals: AbortSignal[] = [];
  lookout.see = (_subject, signal) => {
    signals.push(signal);
    return new Promise((_, reject) => (end = () => reject(new Error('the look was ended'))));
  };
  lookout.waits.begin(run);
  await lookout.pass(0);
  lookout.waits.end('one', 'ready', 0);
  lookout.waits.begin(run);
  await lookout.pass(0);
  assert.deepEqual([lookout.looks.length, signals[0]?.aborted], [1, true]);
  end();
  await lookout.pass(0);
  assert.deepEqual([lookout.looks.length, signals[1]?.aborted], [2, false]);
  lookout.waits.stop();
  end();
  await lookout.pass(minuteMs);
  assert.deepEqual([signals[1]?.aborted, lookout.looks.length, lookout.logged], [true, 2, []]);
});

test('a run that is folded again after a look failed is looked for once it waits again', async () => {
  const lookout = new Lookout();
  const retry = { count: 1, delayMs: 1000, factor: 1, delayMaxMs: 1000 };
  const run = runOf('one', [stepOf({ name: 'ready', work: waitFor(until), retry })]);
  const outcome = { kind: 'failed', cause: 'code', message: 'it broke' } as const;
  lookout.see = () => Promise.resolve({ kind: 'outcome', outcome });
  lookout.waits.begin(run);
  await lookout.pass(0);
  assert.deepEqual(lookout.told, [{ runId: 'one', look: { step: 'ready', index: 0, outcome } }]);
  decide(run, { type: 'report-look', at: openedAt, key: { step: 'ready', index: 0 }, outcome });
  lookout.waits.takeUp(run);
  await lookout.pass(1000);
  assert.equal(lookout.looks.length, 1);
  decide(run, { type: 'proceed', at: openedAt + 1000, admit: () => false });
  lookout.waits.begin(run);
  await lookout.pass(0);
  assert.deepEqual(
    lookout.looks.map(({ number }) => number),
    [1, 1],
  );
});

test('the looks of a wait are counted for whoever makes them', async () => {
  const lookout = new Lookout();
  lookout.waits.begin(runOf('one', [stepOf({ name: 'ready', work: waitFor(until) })]));
  await lookout.pass(3 * minuteMs);
  assert.deepEqual(
    lookout.looks.map(({ number }) => number),
    lookout.looks.map((_, place) => place + 1),
  );
});
