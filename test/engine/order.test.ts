/**
 * Random DAGs under random orders of completion, held to a model that knows every outcome beforehand and simply goes
 * through the steps in order. fast-check prints the seed and the path of a case that fails, and makes it small.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { planReuse, reuseEvents } from '../../src/engine/engine.ts';
import type { AttemptKey, AttemptOutcome } from '../../src/engine/event.ts';
import { triggerRules, type StepDefinition, type TriggerRule } from '../../src/pipeline/definition.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { drive, openedAt, outcomes, statesOf, type DriveOptions } from '../support/drive.ts';
import { endedIn, modelOf, modelRunState, startsTooEarly, type Plan } from '../support/step-model.ts';

type End = 'success' | 'failed' | 'skipped';

const seed = 20_260_105;
const retry = { count: 1, delayMs: 2500, factor: 2, delayMaxMs: 60_000 };

const drawn = fc.record({
  kind: fc.constantFrom('task', 'task', 'task', 'mapped', 'branch', 'near', 'far', 'gate'),
  last: fc.constantFrom(false, false, true),
  upstream: fc.array(fc.nat(), { maxLength: 4 }),
  rule: fc.oneof(fc.constant<TriggerRule>('all_success'), fc.constantFrom(...triggerRules)),
  ends: fc.array(fc.constantFrom<End>('success', 'success', 'failed', 'skipped'), { maxLength: 4 }),
  end: fc.constantFrom<End>('success', 'success', 'success', 'failed', 'skipped'),
  follow: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  pass: fc.boolean(),
  reads: fc.boolean(),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

const plans = fc.array(drawn, { minLength: 1, maxLength: 12, size: 'max' }).map((list): Plan[] => {
  const upstreamOf = (place: number): string[] => {
    const isLast = list[place]?.last === true;
    const earlier = list.slice(0, place).flatMap((each, index) => (each.last && !isLast ? [] : [`s${index}`]));
    const chosen = new Set((list[place]?.upstream ?? []).map((choice) => earlier[choice % earlier.length]));
    return earlier.filter((name) => chosen.has(name));
  };
  return list.map((each, place) => {
    const name = `s${place}`;
    const children = list.flatMap((_, index) =>
      index > place && upstreamOf(index).includes(name) ? [`s${index}`] : [],
    );
    return {
      definition: definitionOf(each, name, upstreamOf(place)),
      ends: each.kind === 'mapped' ? each.ends : [each.end],
      follow: children.filter(
        (child, index) => each.follow[index % each.follow.length] === true && (each.last || isNormal(list, child)),
      ),
      pass: each.pass,
    };
  });
});

function isNormal(list: readonly Drawn[], name: string): boolean {
  return list[Number(name.slice(1))]?.last !== true;
}

function definitionOf(each: Drawn, name: string, upstream: readonly string[]): StepDefinition {
  const [first] = upstream;
  const input = each.reads && first !== undefined ? { reference: { output: first, path: [] } } : { literal: null };
  const step = stepOf({
    name,
    upstream,
    triggerRule: each.rule,
    finally: each.last,
    retry,
    work: { kind: 'function', file: 'p.ts', input },
  });
  switch (each.kind) {
    case 'task':
      return step;
    case 'mapped':
      return { ...step, map: mapOver(each.ends, { concurrency: 2 }) };
    case 'branch':
      return { ...step, work: works.branch([]) };
    case 'near':
    case 'far':
      return { ...step, work: works.shortCircuit(each.kind === 'far') };
    case 'gate':
      return { ...step, work: works.gate() };
    default:
      return unreachable(each.kind);
  }
}

/** The first attempt of every third step breaks, the second ends as planned. */
function outcomeOf(planned: ReadonlyMap<string, Plan>, key: AttemptKey): AttemptOutcome {
  const plan = planned.get(key.step);
  assert.ok(plan !== undefined);
  const end = plan.ends[key.index];
  if (end === 'failed' || (key.attempt === 1 && Number(key.step.slice(1)) % 3 === 0)) return outcomes.failed();
  if (end === 'skipped') return outcomes.skipped();
  const { kind } = plan.definition.work;
  if (kind === 'branch') return outcomes.follow(...plan.follow);
  return kind === 'short-circuit' || kind === 'gate' ? outcomes.pass(plan.pass) : outcomes.succeeded([1]);
}

function runIn(list: readonly Plan[], options: DriveOptions): ReturnType<typeof drive> {
  const planned = new Map(list.map((plan) => [plan.definition.name, plan]));
  return drive(pipelineOf(list.map((plan) => plan.definition)), (key) => outcomeOf(planned, key), options);
}

function inOrder(order: readonly number[], slots: number): DriveOptions {
  let next = 0;
  return { slots, pick: (count) => (order[next++ % order.length] ?? 0) % Math.max(count, 1) };
}

const order = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 40 });

test('the result of a run never depends on the order in which its attempts end', () => {
  fc.assert(
    fc.property(plans, order, order, fc.integer({ min: 1, max: 5 }), (list, first, second, slots) => {
      const one = runIn(list, inOrder(first, slots)).run;
      const other = runIn(list, inOrder(second, 100)).run;
      assert.deepEqual(statesOf(one), modelOf(list));
      assert.equal(one.state, modelRunState(list, modelOf(list)));
      assert.deepEqual(statesOf(other), statesOf(one));
      assert.equal(other.state, one.state);
      assert.equal(other.reason, one.reason);
    }),
    { seed, numRuns: 1500 },
  );
});

test('a run that is cancelled ends cancelled, and its finally-steps come to the same in every order', () => {
  fc.assert(
    fc.property(plans, order, order, fc.integer({ min: 0, max: 8 }), (list, first, second, cancelAfter) => {
      for (const [picks, slots] of [
        [first, 2],
        [second, 100],
      ] as const) {
        const { run, events } = runIn(list, { ...inOrder(picks, slots), cancelAfter });
        if (!events.some(({ type }) => type === 'cancel-requested')) continue;
        assert.equal(run.state, 'cancelled');
        const others = statesOf(run);
        assert.deepEqual(others, modelOf(list, { others, countsAs: 'skipped' }));
        assert.deepEqual(runIn(list, { ...inOrder(picks, slots), cancelAfter, forget: true }).events, events);
      }
    }),
    { seed, numRuns: 400 },
  );
});

test('a run folded again from its events before every command decides the same', () => {
  fc.assert(
    fc.property(plans, order, fc.integer({ min: 1, max: 5 }), (list, first, slots) => {
      const kept = runIn(list, inOrder(first, slots));
      const forgetful = runIn(list, { ...inOrder(first, slots), forget: true });
      assert.deepEqual(forgetful.events, kept.events);
      assert.equal(forgetful.run.position, kept.events.length + 1);
    }),
    { seed, numRuns: 400 },
  );
});

test('a step starts when nothing that is still open could keep it from it, and not before', () => {
  fc.assert(
    fc.property(plans, order, fc.integer({ min: 1, max: 5 }), (list, first, slots) => {
      const { events } = runIn(list, inOrder(first, slots));
      const steps = list.map(({ definition }) => definition);
      const definitions = new Map(steps.map((step) => [step.name, step]));
      for (const [place, event] of events.entries()) {
        const step = event.type === 'step-scheduled' ? definitions.get(event.step) : undefined;
        if (step === undefined) continue;
        const before = events.slice(0, place);
        const early = startsTooEarly(steps, step, (each) => endedIn(before, each));
        assert.equal(early, null, `${step.name} started before ${early}`);
      }
    }),
    { seed, numRuns: 400 },
  );
});

test('an attempt starts once, one at a time for an instance, and a run ends once, at the end', () => {
  fc.assert(
    fc.property(plans, order, fc.integer({ min: 1, max: 5 }), (list, first, slots) => {
      const { events } = runIn(list, inOrder(first, slots));
      const open = new Set<string>();
      const seen = new Set<string>();
      for (const event of events) {
        if (event.type !== 'attempt-started' && event.type !== 'attempt-finished') continue;
        const instance = `${event.step}[${event.index}]`;
        if (event.type === 'attempt-finished') open.delete(instance);
        else {
          assert.ok(!open.has(instance), `${instance} runs twice at once`);
          assert.ok(!seen.has(`${instance}/${event.attempt}`), `${instance}/${event.attempt} starts twice`);
          open.add(instance);
          seen.add(`${instance}/${event.attempt}`);
          assert.ok(open.size <= slots);
        }
      }
      assert.deepEqual(
        events.flatMap((event, place) => (event.type === 'run-finished' ? [place] : [])),
        [events.length - 1],
      );
    }),
    { seed, numRuns: 400 },
  );
});

test('a run begun again in the middle comes to the same end, and starts nothing of what is reused', () => {
  fc.assert(
    fc.property(plans, order, order, fc.nat(), fc.boolean(), (list, first, second, choice, forget) => {
      const earlier = runIn(list, inOrder(first, 3)).run;
      const from = list[choice % list.length]?.definition.name ?? '';
      const planned = planReuse({ definition: earlier.definition, sha: earlier.opened.sha }, earlier, { from });
      assert.ok(planned.ok);
      const reused = reuseEvents(planned.value, openedAt);
      const again = runIn(list, { ...inOrder(second, 3), reused, forget });
      assert.deepEqual(statesOf(again.run), statesOf(earlier));
      assert.deepEqual([again.run.state, again.run.reason], [earlier.state, earlier.reason]);
      const started = new Set(again.events.flatMap((event) => (event.type === 'attempt-started' ? [event.step] : [])));
      assert.deepEqual(
        planned.value.filter(({ step }) => started.has(step.definition.name)),
        [],
      );
    }),
    { seed, numRuns: 600 },
  );
});

test('a run begun again at what failed comes to the same end, and starts no instance that is reused', () => {
  fc.assert(
    fc.property(plans, order, order, fc.boolean(), (list, first, second, forget) => {
      const earlier = runIn(list, inOrder(first, 3)).run;
      const planned = planReuse({ definition: earlier.definition, sha: earlier.opened.sha }, earlier, 'failed');
      fc.pre(planned.ok);
      const reused = reuseEvents(planned.value, openedAt);
      const again = runIn(list, { ...inOrder(second, 3), reused, forget });
      assert.deepEqual(statesOf(again.run), statesOf(earlier));
      assert.deepEqual([again.run.state, again.run.reason], [earlier.state, earlier.reason]);
      const ofEarlier = new Set(
        reused.flatMap((event) => (event.type === 'step-reused' ? [`${event.step} ${event.index}`] : [])),
      );
      const started = again.events.flatMap((event) =>
        event.type === 'attempt-started' ? [`${event.step} ${event.index}`] : [],
      );
      assert.deepEqual(
        started.filter((each) => ofEarlier.has(each)),
        [],
      );
    }),
    { seed, numRuns: 600 },
  );
});
