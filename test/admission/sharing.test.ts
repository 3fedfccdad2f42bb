/**
 * Random runs that share slots and pools, under random orders of completion, held to a model that only remembers who was
 * refused when. fast-check prints the seed and the path of a case that fails, and makes it small.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Slots } from '../../src/admission/admission.ts';
import { decide, open, type Admit, type Command } from '../../src/engine/engine.ts';
import type { AttemptKey } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { openedAt, openedOf, outcomes, statesOf } from '../support/drive.ts';

const seed = 20_260_117;
const pools = new Map([
  ['gpu', 2],
  ['database', 3],
]);

const steps = fc.array(
  fc.record({
    upstream: fc.array(fc.nat(), { maxLength: 2 }),
    pool: fc.constantFrom(null, null, 'gpu', 'database'),
    slots: fc.integer({ min: 1, max: 2 }),
    priority: fc.constantFrom(0, 0, 0, 5, -5),
    length: fc.constantFrom(null, null, null, 1, 4),
    fails: fc.constantFrom(false, false, false, true),
  }),
  { minLength: 1, maxLength: 6 },
);

const definitions = fc.array(
  steps.map((list): PipelineDefinition => {
    const made = list.map(({ upstream, pool, slots, priority, length, fails }, place): StepDefinition =>
      stepOf({
        name: `${fails ? 'bad' : 'good'}-${place}`,
        upstream: [...new Set(upstream.map((choice) => choice % Math.max(place, 1)))]
          .filter((index) => index < place)
          .toSorted((one, other) => one - other)
          .map((index) => `${list[index]?.fails === true ? 'bad' : 'good'}-${index}`),
        map: length === null ? null : mapOver([1, 2, 3, 4].slice(0, length)),
        ...(pool === null ? {} : { pool: { name: pool, slots } }),
        ...(priority === 0 ? {} : { priority }),
      }),
    );
    return pipelineOf(made);
  }),
  { minLength: 1, maxLength: 6 },
);
const order = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 40 });

interface Running {
  readonly runId: string;
  readonly key: AttemptKey;
  readonly step: StepDefinition;
}

interface Waiting {
  readonly runId: string;
  readonly line: string | null;
  readonly priority: number;
  readonly since: number;
  /** Since when with this priority. */
  readonly asked: number;
}

/** A conductor in small: runs have turns, and those that were given a slot have the next ones. */
class Party {
  readonly runs = new Map<string, Run>();
  readonly started: string[] = [];
  readonly #slots: Slots;
  readonly #max: number;
  readonly #running: Running[] = [];
  #waiting: Waiting[] = [];
  /** To have a turn. */
  readonly #woken = new Set<string>();
  /** When slots were given to runs that have not asked for them since, at the earliest: who comes later is too late. */
  readonly #givenAt = new Map<string, number>();
  #count = 0;

  constructor(given: readonly PipelineDefinition[], max: number) {
    this.#max = max;
    this.#slots = new Slots(max, pools);
    for (const [index, definition] of given.entries()) {
      const runId = `run-${index}`;
      this.runs.set(runId, open(definition, openedOf({ runId })));
      this.#woken.add(runId);
    }
  }

  /** Until all has come to rest. */
  play(turns: readonly number[]): void {
    let next = 0;
    for (;;) {
      for (const runId of this.#woken) {
        this.#woken.delete(runId);
        this.#turn(runId, (admit) => ({ type: 'proceed', at: openedAt, admit }));
      }
      const choice = turns[next++ % turns.length] ?? 0;
      const [ended] = this.#running.splice(choice % Math.max(this.#running.length, 1), 1);
      if (ended === undefined) return;
      const { runId, key } = ended;
      this.#slots.release([idOf(runId, key)]);
      const outcome = key.step.startsWith('bad') ? outcomes.failed() : outcomes.succeeded();
      this.#turn(runId, (admit) => ({ type: 'report-finished', at: openedAt, key, outcome, usage: null, admit }));
    }
  }

  #turn(runId: string, commandOf: (admit: Admit) => Command): void {
    const run = this.runs.get(runId);
    assert.ok(run !== undefined);
    const overtaken: Waiting[] = [];
    const before = this.#count;
    const admit: Admit = (step) => {
      const admitted = this.#slots.reserve(runId, step);
      overtaken.push(...this.#remember(runId, step, admitted));
      return admitted;
    };
    const begun: Running[] = [];
    for (const event of decide(run, commandOf(admit))) {
      if (event.type !== 'attempt-started') continue;
      const step = run.steps.get(event.step)?.definition;
      assert.ok(step !== undefined);
      begun.push({ runId, step, key: { step: event.step, index: event.index, attempt: event.attempt } });
    }
    this.#slots.settle(
      runId,
      begun.map(({ key, step }) => ({ id: idOf(runId, key), step })),
    );
    this.#running.push(...begun);
    this.started.push(...begun.map(() => runId));
    this.#givenAt.delete(runId);
    for (const each of this.#slots.takeWoken()) {
      this.#woken.add(each);
      this.#givenAt.set(each, before);
    }
    for (const each of overtaken) assert.ok(this.#woken.has(each.runId), `${runId} overtook ${JSON.stringify(each)}`);
    this.#check();
  }

  /** Gives those in the line that should have come before. */
  #remember(runId: string, step: StepDefinition, admitted: boolean): readonly Waiting[] {
    const { pool, priority = 0 } = step;
    const line = pool?.name ?? null;
    const own = this.#waiting.find((each) => each.runId === runId && each.line === line);
    this.#waiting = this.#waiting.filter((each) => each !== own);
    this.#count += 1;
    const since = own?.since ?? this.#count;
    const asked = own?.priority === priority ? own.asked : this.#count;
    if (!admitted) this.#waiting.push({ runId, line, priority, since, asked });
    const givenAt = this.#givenAt.get(runId) ?? Number.POSITIVE_INFINITY;
    const before = (each: Waiting): boolean =>
      each.asked <= givenAt && (each.priority > priority || (each.priority === priority && each.since < since));
    return admitted ? this.#waiting.filter((each) => each.runId !== runId && each.line === line && before(each)) : [];
  }

  #check(): void {
    assert.ok(this.#running.length <= this.#max, 'more attempts than slots');
    for (const [name, slots] of pools) {
      const taken = this.#running.map(({ step }) => (step.pool?.name === name ? step.pool.slots : 0));
      assert.ok(taken.reduce((total, each) => total + each, 0) <= slots, `more slots than there are of ${name}`);
    }
  }

  atRest(): void {
    for (const [runId, run] of this.runs) assert.ok(run.finishedAt !== null, `${runId} stands still`);
    for (const { taken, waiting } of this.#slots.inUse) assert.deepEqual([taken, waiting], [0, 0], 'a slot is lost');
  }
}

function idOf(runId: string, { step, index, attempt }: AttemptKey): string {
  return `${runId}/${step}/${index}/${attempt}`;
}

function played(given: readonly PipelineDefinition[], max: number, turns: readonly number[]): Party {
  const party = new Party(given, max);
  party.play(turns);
  party.atRest();
  return party;
}

test('no more slots are taken than there are, nobody is overtaken, each run ends, and all slots come back', () => {
  fc.assert(
    fc.property(definitions, order, fc.integer({ min: 1, max: 5 }), (given, turns, max) => {
      played(given, max, turns);
    }),
    { seed, numRuns: 1000 },
  );
});

test('what becomes of a run depends on neither slots nor pools nor the order in which attempts end', () => {
  fc.assert(
    fc.property(definitions, order, order, fc.integer({ min: 1, max: 5 }), (given, first, second, max) => {
      const [one, other] = [played(given, max, first), played(given, 100, second)];
      for (const [runId, run] of one.runs) {
        const same = other.runs.get(runId);
        assert.ok(same !== undefined);
        assert.deepEqual(statesOf(run), statesOf(same));
        assert.deepEqual([run.state, run.reason], [same.state, same.reason]);
      }
    }),
    { seed, numRuns: 500 },
  );
});

test('of equal priority, who comes first is served first', () => {
  fc.assert(
    fc.property(order, fc.integer({ min: 1, max: 4 }), fc.constantFrom(null, 'gpu'), (turns, max, pool) => {
      const claim = pool === null ? {} : { pool: { name: pool, slots: 1 } };
      const given = Array.from({ length: 12 }, () => pipelineOf([stepOf({ name: 'good', ...claim })]));
      const { started, runs } = played(given, max, turns);
      assert.deepEqual(started, [...runs.keys()]);
    }),
    { seed, numRuns: 200 },
  );
});

test('ten thousand instances and a thousand runs that wait wake as many runs as there are slots', () => {
  const large = pipelineOf([stepOf({ name: 'good', map: mapOver([...Array(10_000).keys()], { lengthMax: 10_000 }) })]);
  const small = pipelineOf([stepOf({ name: 'good' })]);
  const { started } = played([large, ...Array.from({ length: 999 }, () => small)], 4, [0]);
  assert.equal(started.length, 10_999);
  assert.deepEqual(
    started.slice(5, 1004).filter((runId) => runId === 'run-0'),
    [],
    'the others come before it has its turn again',
  );
});
