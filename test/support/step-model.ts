/**
 * What a run comes to, by the meaning of its definition alone: a model that is given every outcome and goes through the
 * steps in order. It shares nothing with the engine, which it is there to judge.
 */
import type { RunEvent } from '../../src/engine/event.ts';
import type { StepDefinition, TriggerRule } from '../../src/pipeline/definition.ts';
import { unreachable } from '../../src/std/unreachable.ts';

export interface Plan {
  readonly definition: StepDefinition;
  /** What each instance comes to by itself, where the step runs; a closed gate: `success`. */
  readonly ends: readonly string[];
  /** Of a branch. */
  readonly follow: readonly string[];
  /** Of a short circuit or gate. */
  readonly pass: boolean;
}

/** By step; of a mapped one with instances, a list. */
export interface StepStates {
  [step: string]: string | string[];
}

/** What has ended of a step so far, instance by instance. */
export interface Ended {
  readonly ends: readonly string[];
  readonly isFinal: boolean;
}

export function endedIn(events: readonly RunEvent[], { name, map }: StepDefinition): Ended {
  const ends: string[] = [];
  let length = map === null ? 1 : Number.POSITIVE_INFINITY;
  for (const event of events) {
    if (!('step' in event) || event.step !== name) continue;
    if (event.type === 'step-mapped') ({ length } = event);
    if (event.type !== 'step-finished' && event.type !== 'step-reused') continue;
    ends.push(event.state);
    if (event.index === null) length = 0;
  }
  return { ends, isFinal: ends.length > 0 && ends.length >= length };
}

type RuleVerdict = 'run' | 'skipped' | 'upstream_failed';

/** What rule says of upstream states that are all known. */
function modelRule(rule: TriggerRule, ends: readonly string[]): RuleVerdict {
  if (ends.length === 0) return 'run';
  const has = (...states: string[]): boolean => ends.some((end) => states.includes(end));
  const bad = has('failed', 'upstream_failed');
  const when = (condition: boolean, otherwise: 'skipped' | 'upstream_failed' = 'skipped') =>
    condition ? 'run' : otherwise;
  switch (rule) {
    case 'all_success':
      return bad ? 'upstream_failed' : when(!has('skipped'));
    case 'all_failed':
      return when(!has('success', 'skipped'));
    case 'one_success':
      return when(has('success'), bad ? 'upstream_failed' : 'skipped');
    case 'one_failed':
      return when(bad);
    case 'one_done':
      return when(has('success', 'failed'));
    case 'none_failed':
      return when(!bad, 'upstream_failed');
    case 'none_failed_min_one_success':
      return bad ? 'upstream_failed' : when(has('success'));
    case 'none_skipped':
      return when(!has('skipped'));
    case 'all_skipped':
      return when(!has('success', 'failed', 'upstream_failed'));
    case 'all_done_min_one_success':
      return has('skipped') ? 'skipped' : when(has('success'), 'upstream_failed');
    case 'all_done':
    case 'always':
      return 'run';
    default:
      return unreachable(rule);
  }
}

/**
 * The final states, from the outcomes alone: each step after those before it. Of a run that was stopped, those of its
 * finally-steps, from what became of the others and what one counts as that was cancelled.
 */
export function modelOf(
  list: readonly Plan[],
  stopped: { readonly others: StepStates; readonly countsAs: 'failed' | 'skipped' } | null = null,
): StepStates {
  const states = new Map<string, string[]>();
  const result: StepStates = {};
  const skipped = new Set<string>();
  const last = list.filter(({ definition }) => definition.finally);
  const others = list.filter(({ definition }) => !definition.finally);
  const allAfter = (name: string): string[] => childrenOf(list, name).flatMap((child) => [child, ...allAfter(child)]);
  const verdictOfLast = (rule: TriggerRule): 'run' | 'skipped' => {
    const ends = others.flatMap(({ definition }) => states.get(definition.name) ?? []);
    return rule === 'all_success' || modelRule(rule, ends) === 'run' ? 'run' : 'skipped';
  };
  for (const plan of [...others, ...last]) {
    const { name, upstream, triggerRule, finally: isLast, map, work } = plan.definition;
    if (stopped !== null && !isLast) {
      result[name] = stopped.others[name] ?? [];
      states.set(
        name,
        [result[name]].flat().map((state) => (state === 'cancelled' ? stopped.countsAs : state)),
      );
      continue;
    }
    const ends = upstream.flatMap((each) => states.get(each) ?? []);
    const ruled = isLast ? verdictOfLast(triggerRule) : modelRule(triggerRule, ends);
    const verdict = skipped.has(name) ? 'skipped' : ruled;
    const closed = verdict === 'run' && plan.ends[0] === 'success' && !plan.pass;
    const own = verdict !== 'run' ? [verdict] : plan.ends.length === 0 ? ['skipped'] : [...plan.ends];
    states.set(name, work.kind === 'gate' && closed ? ['failed'] : own);
    const mapped = map !== null && verdict === 'run' && plan.ends.length > 0;
    result[name] = mapped ? own : String(states.get(name)?.[0]);
    const near = childrenOf(list, name);
    if (work.kind === 'gate' && closed) for (const each of allAfter(name)) skipped.add(each);
    if (work.kind === 'short-circuit' && closed)
      for (const each of work.ignoreDownstreamTriggerRules ? allAfter(name) : near) skipped.add(each);
    if (work.kind === 'branch' && verdict === 'run' && plan.ends[0] === 'success') {
      const kept = new Set(plan.follow.flatMap((each) => [each, ...allAfter(each)]));
      for (const each of near) if (!kept.has(each)) skipped.add(each);
    }
  }
  return result;
}

/** A run failed where a leaf, a gate or a finally-step did, or could not start for a failure before it. */
export function modelRunState(list: readonly Plan[], states: StepStates): 'success' | 'failed' {
  const isBad = list.some(({ definition: { name, work, finally: isLast } }) => {
    const decides = isLast || work.kind === 'gate' || childrenOf(list, name).length === 0;
    return decides && [states[name]].flat().some((state) => state === 'failed' || state === 'upstream_failed');
  });
  return isBad ? 'failed' : 'success';
}

/** What a step waits for that is about to start, though nothing may be open that could still keep it from it; null: nothing. */
export function startsTooEarly(
  steps: readonly StepDefinition[],
  step: StepDefinition,
  endedOf: (step: StepDefinition) => Ended,
): string | null {
  const isOpen = (each: StepDefinition): boolean => !endedOf(each).isFinal;
  const before = steps.filter(({ name }) => step.upstream.includes(name));
  const own = before.filter((each) => each.finally === step.finally);
  if (step.finally) return steps.find((each) => !each.finally && isOpen(each))?.name ?? own.find(isOpen)?.name ?? null;
  const text = JSON.stringify(step);
  const read = own.find((each) => isOpen(each) && text.includes(`"output":${JSON.stringify(each.name)}`));
  const guard = [
    ...own.filter(({ work }) => work.kind === 'branch' || work.kind === 'short-circuit'),
    ...allBefore(steps, step).filter(
      ({ work }) => work.kind === 'gate' || (work.kind === 'short-circuit' && work.ignoreDownstreamTriggerRules),
    ),
  ].find(isOpen);
  if (read !== undefined || guard !== undefined) return read?.name ?? guard?.name ?? null;
  const ends = own.flatMap((each) => endedOf(each).ends);
  const open = own.find(isOpen);
  const runs = openEnds.every((more) => modelRule(step.triggerRule, [...ends, ...more]) === 'run');
  if (open !== undefined) return runs ? null : open.name;
  return modelRule(step.triggerRule, ends) === 'run' ? null : step.upstream.join(', ');
}

/** Whatever steps that go on could still come to: each choice of ends, but none. */
const openEnds = ['success', 'failed', 'upstream_failed', 'skipped'].reduce<readonly string[][]>(
  (all, end) => [...all, ...all.map((each) => [...each, end]), [end]],
  [],
);

function allBefore(steps: readonly StepDefinition[], { upstream, finally: isLast }: StepDefinition): StepDefinition[] {
  const near = steps.filter(({ name, finally: last }) => upstream.includes(name) && last === isLast);
  return near.flatMap((each) => [each, ...allBefore(steps, each)]);
}

/** Of a step that is no finally-step, without those. */
function childrenOf(list: readonly Plan[], name: string): string[] {
  const isLast = list.some(({ definition }) => definition.name === name && definition.finally);
  return list.flatMap(({ definition }) =>
    definition.finally === isLast && definition.upstream.includes(name) ? [definition.name] : [],
  );
}
