/**
 * The executor of one server: the fake that keeps the executor's contract (`src/executor/fake.ts`), with attempts that
 * take a while and end as chance will have it, and reports that come twice, late and out of order. What it refuses (an
 * attempt more than there are slots, two looks of one wait) is a broken promise of the conductor, and is told to `violated`.
 */
import { createHash } from 'node:crypto';
import type { Pools } from '../../src/admission/admission.ts';
import type { AttemptOutcome, FailureCause } from '../../src/engine/event.ts';
import { parseAttemptId, type AttemptReport, type AttemptSpec, type LookSpec } from '../../src/executor/executor.ts';
import {
  createFakeExecutor,
  type FakeBehaviour,
  type FakeExecutor,
  type FakeLook,
  type FakeWorld,
} from '../../src/executor/fake.ts';
import type { PoolClaim } from '../../src/pipeline/definition.ts';
import type { Clock } from '../../src/std/clock.ts';
import type { Json } from '../../src/std/json.ts';
import { ways } from './pipelines.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Wire } from './wire.ts';

export interface SimulatedExecutorOptions {
  readonly slots: number;
  readonly pools: Pools;
  readonly poolOf: (attemptId: string) => PoolClaim | null;
  /** What is wrong with the memory that it is given, or null. */
  readonly wrongMemory: (spec: AttemptSpec) => string | null;
  readonly clock: Clock;
  readonly time: VirtualTime;
  /** Of the server, which hears and says things only while it is not frozen. */
  readonly later: (ms: number, call: () => void) => void;
  readonly wire: Wire;
  readonly alive: () => boolean;
  readonly world: FakeWorld;
  /** Its lease has not expired. */
  readonly mayBegin: () => boolean;
  /** Attempts that run where another server should have ended them. */
  readonly runElsewhere: () => readonly string[];
  /** Of looks too. Null: as chance will have it. */
  readonly attemptMs: () => number | null;
  readonly runsImages: boolean;
  /** Of files, and what functions say; null: as chance will have it. */
  readonly isThere: () => boolean | null;
  readonly report: (report: AttemptReport) => void;
  readonly violated: (promise: string, what: string) => void;
}

export function simulatedExecutor(options: SimulatedExecutorOptions): FakeExecutor {
  const { slots, clock, time, wire, alive, world, violated } = options;
  const { random } = wire;
  const report = (each: AttemptReport): void => {
    const delayMs = wire.strikes('reports') ? random.between(0, 20_000) : 0;
    options.later(delayMs, () => options.report(each));
    if (wire.strikes('reports')) options.later(random.between(0, 60_000), () => options.report(each));
  };
  let closing = false;
  const outliveItsEnd = (spec: AttemptSpec): void => {
    const { attemptId } = spec;
    time.later(
      random.between(0, 3000),
      () => {
        if (!executor.running().includes(attemptId)) return;
        executor.finish(attemptId, failed('lost', 'nobody hears of it any more'));
        const outcome = goodOutcome(spec, random);
        const other = { type: 'finished', attemptId, at: clock.now(), outcome, usage: null } as const;
        if (random.chance(0.5)) world.ends.set(attemptId, other);
        options.later(random.between(0, 60_000), () =>
          report({ type: 'running', attemptId, at: clock.now(), place: 'nowhere' }),
        );
        options.later(random.between(0, 60_000), () => report(other));
      },
      alive,
    );
  };
  const executor = createFakeExecutor({
    slots,
    clock,
    world,
    report,
    behaviour: (spec) => behaviourOf(spec, wire, options.attemptMs()),
    look: (spec) => lookOf(spec, wire, options),
    later: (work, ms) => time.later(ms, work, world.outlives ? () => true : alive),
  });
  return {
    ...executor,
    runsImages: options.runsImages,
    start: (spec) =>
      wire.call(
        async () => {
          if (closing) throw new Error('the executor is closed');
          if (!options.mayBegin()) violated('lease', `${spec.attemptId} was started under a lease that has expired`);
          const [elsewhere] = options.runElsewhere();
          if (elsewhere !== undefined)
            violated('P3', `${spec.attemptId} was started while ${elsewhere} runs on a server that conducts no more`);
          const twin = executor.running().find((id) => id !== spec.attemptId && sameInstance(id, spec.attemptId));
          if (twin !== undefined) violated('P3', `${spec.attemptId} was started while ${twin} runs`);
          const memory = options.wrongMemory(spec);
          if (memory !== null) violated('memory', memory);
          const before = executor.running().length;
          if (before >= slots && !executor.running().includes(spec.attemptId) && !world.ends.has(spec.attemptId))
            violated('P7', `${spec.attemptId} was started beyond the ${slots} slots`);
          checkPool(options, [...executor.running().filter((id) => id !== spec.attemptId), spec.attemptId]);
          await executor.start(spec);
          if (executor.running().includes(spec.attemptId) && wire.strikes('zombie')) outliveItsEnd(spec);
          if ((world.begun.get(spec.attemptId) ?? 0) > 1) violated('P3', `${spec.attemptId} was begun twice`);
        },
        { answer: () => undefined },
      ),
    stop: (attemptId, cause, graceMs) =>
      wire.call(
        async () => {
          if (wire.strikes('lies') && executor.running().includes(attemptId)) {
            const lie: AttemptOutcome = { kind: 'succeeded', output: { inline: null }, control: null };
            time.later(random.between(0, 5000), () => executor.finish(attemptId, lie), alive);
          }
          await executor.stop(attemptId, cause, graceMs);
        },
        { answer: () => undefined },
      ),
    async close(graceMs = 5000) {
      closing = true;
      await wire.pause(random.between(0, graceMs));
      await executor.close();
    },
    findFile: () =>
      wire.call(() => ((options.isThere() ?? random.chance(0.5)) ? { bytes: 1 } : null), {
        answer: () => unanswered(),
        before: 'attempts',
      }),
    look: (spec, signal) =>
      wire.call(
        () => {
          if (closing) throw new Error('the executor is closed');
          const { attemptId } = spec;
          if (!options.mayBegin()) violated('lease', `it was looked for ${attemptId} under a lease that has expired`);
          if (executor.looking().includes(attemptId)) violated('P3', `it was looked twice at once for ${attemptId}`);
          if (executor.looking().length >= executor.looksAtOnce)
            violated('P7', `it was looked for ${attemptId} beyond the ${executor.looksAtOnce} looks at once`);
          return executor.look(spec, signal);
        },
        { answer: () => unanswered(), before: 'attempts' },
      ),
    recover: (attemptIds) => wire.call(() => executor.recover(attemptIds), { answer: () => undefined }),
  };
}

/** Of the attempts that run, the last of them newly. */
function checkPool({ pools, poolOf, world, violated }: SimulatedExecutorOptions, running: readonly string[]): void {
  const started = running.at(-1) ?? '';
  const claim = poolOf(started);
  if (claim === null || world.ends.has(started)) return;
  const claims = running.map((id) => poolOf(id)).filter((each) => each?.name === claim.name);
  const taken = claims.reduce((total, each) => total + (each?.slots ?? 0), 0);
  const slots = pools.get(claim.name) ?? 0;
  if (taken > slots) violated('P7', `${started} takes ${taken} of the ${slots} slots of ${claim.name}`);
}

function unanswered(): never {
  throw new Error('the executor does not answer');
}

function sameInstance(one: string, other: string): boolean {
  const [first, second] = [parseAttemptId(one), parseAttemptId(other)];
  return first?.runId === second?.runId && first?.step === second?.step && first?.index === second?.index;
}

function behaviourOf(spec: AttemptSpec, wire: Wire, attemptMs: number | null): FakeBehaviour {
  const { random } = wire;
  const heedsWarningAfterMs = random.pick([0, 500, null]);
  if (spec.context.pipeline === 'probe') return { afterMs: null, outcome: succeeded(null), heedsWarningAfterMs };
  const long = wire.strikes('attempts') && random.chance(0.3);
  const afterMs = attemptMs ?? (long ? random.between(10_000, 200_000) : random.between(0, 4000));
  if (afterMs > spec.timeoutMs)
    return { afterMs: spec.timeoutMs, outcome: failed('timeout', 'it took too long'), heedsWarningAfterMs };
  // Oftener than all other failures, since it takes some in a row to come to the limit.
  if (spec.context.memoryBytes !== null && (wire.strikes('attempts') || wire.strikes('attempts')))
    return { afterMs, outcome: failed('out-of-memory', 'it took too much'), heedsWarningAfterMs };
  if (wire.strikes('attempts')) return { afterMs, outcome: badOutcome(random), heedsWarningAfterMs };
  return { afterMs, outcome: goodOutcome(spec, random), heedsWarningAfterMs };
}

const breaks: readonly FailureCause[] = ['code', 'code', 'out-of-memory', 'lost', 'evicted', 'start', 'invalid'];

function lookOf(spec: LookSpec, wire: Wire, options: SimulatedExecutorOptions): FakeLook {
  const { random } = wire;
  const heedsWarningAfterMs = random.pick([0, 500, 30_000]);
  const afterMs = options.attemptMs() ?? random.between(0, wire.strikes('attempts') ? 60_000 : 1000);
  if (afterMs > spec.timeoutMs) {
    const outcome = { kind: 'failed', cause: 'timeout', message: 'it took too long' } as const;
    return { afterMs: spec.timeoutMs, outcome, heedsWarningAfterMs };
  }
  if (wire.strikes('attempts')) {
    const outcome = { kind: 'failed', cause: random.pick(breaks), message: 'it broke' } as const;
    return { afterMs, outcome, heedsWarningAfterMs };
  }
  const outcome =
    (options.isThere() ?? random.chance(0.5))
      ? ({ kind: 'seen', output: { inline: { there: true } } } as const)
      : ({ kind: 'not-yet', reason: 'it is not there' } as const);
  return { afterMs, outcome, heedsWarningAfterMs };
}

function badOutcome(random: Random): AttemptOutcome {
  if (random.chance(0.1)) return { kind: 'skipped', reason: 'nothing to do' };
  return failed(random.pick(breaks), 'it broke');
}

function failed(cause: Extract<AttemptOutcome, { kind: 'failed' }>['cause'], message: string): AttemptOutcome {
  return { kind: 'failed', cause, message, exitCode: 1 };
}

function goodOutcome(spec: AttemptSpec, random: Random): AttemptOutcome {
  const { work } = spec;
  if (work.kind === 'gate') {
    const passed = random.chance(0.8);
    const reason = passed ? 'it holds' : 'there are too few rows';
    return succeeded({ path: 'data.csv', passed, rows: 10, checks: [] }, { pass: passed, reason });
  }
  if (work.kind === 'branch') {
    const follow = ways.filter(() => random.chance(0.6));
    return succeeded({ follow }, { follow });
  }
  if (work.kind === 'short-circuit') {
    const pass = random.chance(0.7);
    return succeeded({ pass }, { pass, reason: 'it was looked at' });
  }
  if (work.kind === 'function')
    return succeeded({ items: Array.from({ length: random.between(0, 4) }, (_, index) => index) });
  if (work.kind === 'challenge') return succeeded(challengeOutput(spec, work, random));
  return succeeded(
    'model' in spec.outputs ? { model: artifactOf(spec.attemptId, 'model.json') } : { done: spec.attemptId },
  );
}

function succeeded(
  inline: Json,
  control: Extract<AttemptOutcome, { kind: 'succeeded' }>['control'] = null,
): AttemptOutcome {
  return { kind: 'succeeded', output: { inline }, control };
}

function artifactOf(text: string, name: string): { $artifact: string; name: string; bytes: number } {
  return { $artifact: createHash('sha256').update(text).digest('hex'), name, bytes: 1 };
}

function challengeOutput(
  spec: AttemptSpec,
  work: Extract<AttemptSpec['work'], { kind: 'challenge' }>,
  random: Random,
): Json {
  const kind = work.champion === null ? 'no-champion' : random.pick(['better', 'better', 'worse', 'inconclusive']);
  const verdict = {
    kind,
    promotable: kind === 'better' || kind === 'no-champion',
    reason: `it is ${kind}`,
    rows: 10,
    metric: work.rule.metric,
    metrics: [],
    difference: null,
    required: 0,
    threshold: null,
  };
  return {
    model: work.rule.model,
    verdict,
    challenger: work.challenger,
    championVersion: work.champion?.version ?? null,
    predictions: artifactOf(spec.attemptId, 'predictions.csv'),
  };
}
