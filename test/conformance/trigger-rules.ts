/**
 * Random DAGs with the results that Airflow gave them. A case is parsed, becomes a definition, is run by the engine, and
 * its final states are compared.
 */
import { z } from 'zod';
import type { AttemptKey, AttemptOutcome } from '../../src/engine/event.ts';
import { triggerRules, type PipelineDefinition, type StepDefinition } from '../../src/pipeline/definition.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { drive, outcomes, statesOf } from '../support/drive.ts';

const outcome = z.enum(['success', 'failed', 'skipped']);
const common = { id: z.string(), upstream: z.array(z.string()), triggerRule: z.enum(triggerRules) };
const node = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('task'), outcome }),
  z.object({ ...common, kind: z.literal('mapped'), outcomes: z.array(outcome) }),
  z.object({ ...common, kind: z.literal('branch'), outcome, follow: z.array(z.string()) }),
  z.object({
    ...common,
    kind: z.literal('short_circuit'),
    outcome,
    pass: z.boolean(),
    ignoreDownstreamTriggerRules: z.boolean(),
  }),
]);
const state = z.string();
const caseSchema = z.object({
  case: z.string(),
  nodes: z.array(node),
  expect: z.object({ steps: z.record(z.string(), z.union([state, z.array(state)])), run: z.string() }),
});

export type Node = z.infer<typeof node>;

/** What a pipeline, of which it is known how its steps end, comes to. */
export interface Played {
  readonly run: string;
  /** Of a mapped step with instances, a list. */
  readonly steps: Readonly<Record<string, string | string[]>>;
}

/** Null where the engine agrees; otherwise what was expected and what it gave, for the steps that differ. */
export function runCase(input: unknown): { id: string; expected: string; got: string } | null {
  return judgeCase(input, (definition, nodes) => {
    const byId = new Map(nodes.map((each) => [each.id, each]));
    const { run } = drive(definition, (key) => outcomeOf(byId, key));
    return { run: run.state, steps: statesOf(run) };
  });
}

/** The same of whatever else plays pipelines. */
export function judgeCase(
  input: unknown,
  play: (definition: PipelineDefinition, nodes: readonly Node[]) => Played,
): { id: string; expected: string; got: string } | null {
  const parsed = caseSchema.parse(input);
  const nodes = new Map(parsed.nodes.map((each) => [each.id, each]));
  const { run, steps } = play(pipelineOf(parsed.nodes.map(definitionOf)), parsed.nodes);
  const got = new Map(Object.entries(steps).map(([id, states]) => [id, perInstance(nodes.get(id), states)]));
  const differing = Object.entries(parsed.expect.steps).filter(
    ([id, states]) => String(got.get(id)) !== String(states),
  );
  if (differing.length === 0 && run === parsed.expect.run) return null;
  return {
    id: parsed.case,
    expected: shown(differing, parsed.expect.run),
    got: shown(
      differing.map(([id]) => [id, got.get(id) ?? 'no such step']),
      run,
    ),
  };
}

function definitionOf(each: Node): StepDefinition {
  const step = stepOf({ name: each.id, upstream: each.upstream, triggerRule: each.triggerRule });
  switch (each.kind) {
    case 'task':
      return step;
    case 'mapped':
      return { ...step, map: mapOver(each.outcomes) };
    case 'branch':
      return { ...step, work: works.branch(each.follow) };
    case 'short_circuit':
      return { ...step, work: works.shortCircuit(each.ignoreDownstreamTriggerRules) };
    default:
      return unreachable(each);
  }
}

function outcomeOf(nodes: ReadonlyMap<string, Node>, key: AttemptKey): AttemptOutcome {
  const each = nodes.get(key.step);
  if (each === undefined) throw new Error(`no node ${key.step}`);
  const ends = each.kind === 'mapped' ? each.outcomes[key.index] : each.outcome;
  if (ends === 'failed') return outcomes.failed();
  if (ends === 'skipped') return outcomes.skipped();
  if (each.kind === 'branch') return outcomes.follow(...each.follow);
  return each.kind === 'short_circuit' ? outcomes.pass(each.pass) : outcomes.succeeded();
}

/** Airflow maps over a literal before the run starts: a mapped step that never began has a state for each instance. */
function perInstance(each: Node | undefined, states: string | string[]): string | string[] {
  return each?.kind === 'mapped' && !Array.isArray(states) ? each.outcomes.map(() => states) : states;
}

function shown(steps: readonly (readonly [string, string | string[]])[], run: string): string {
  return [
    ...steps.map(([id, states]) => `${id} ${Array.isArray(states) ? `[${states.join(' ')}]` : states}`),
    `run ${run}`,
  ].join(', ');
}
