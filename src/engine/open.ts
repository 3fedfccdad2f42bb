/** A run at its first event: the definition as a graph whose edges are counted once, so that nothing is searched later. */
import { asksBefore, lookAt, poolOf } from './agenda.ts';
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import type { RunOpened } from './event.ts';
import { isFarGuard, isGuard } from './guard.ts';
import { PriorityQueue } from './priority-queue.ts';
import { stepsRead } from './references.ts';
import type { Instance, Run, Step } from './run.ts';

/** The run that `opened` opens. Throws where `definition` names an upstream step that does not stand before it. */
export function open(definition: PipelineDefinition, opened: RunOpened): Run {
  const steps = new Map<string, Step>();
  for (const [ordinal, stepDefinition] of definition.steps.entries()) {
    if (steps.has(stepDefinition.name)) throw new Error(`two steps are named ${stepDefinition.name}`);
    steps.set(stepDefinition.name, openStep(stepDefinition, ordinal, steps));
  }
  const run: Run = {
    definition,
    opened,
    position: 1,
    begunAt: null,
    state: 'running',
    reason: null,
    finishedAt: null,
    steps,
    stopping: null,
    finallyStopping: null,
    finallySince: null,
    deadlineMissed: false,
    unfinishedSteps: 0,
    unfinishedFinallySteps: 0,
    others: { success: 0, failed: 0, upstreamFailed: 0, skipped: 0, cancelled: 0 },
    active: new Map(),
    changed: new PriorityQueue(byOrdinal),
    ready: new Map([...steps.values()].map((step) => [poolOf(step), new PriorityQueue(asksBefore)])),
    due: new PriorityQueue((left, right) => left.dueAt < right.dueAt),
  };
  for (const step of steps.values()) {
    if (step.runsLast) run.unfinishedFinallySteps += 1;
    else run.unfinishedSteps += 1;
    lookAt(run, step);
  }
  return run;
}

export function newInstance(index: number): Instance {
  return {
    index,
    state: 'none',
    reason: null,
    attempts: [],
    output: null,
    control: null,
    dueAt: null,
    wait: null,
    approval: null,
    reusedFrom: null,
    failures: { own: 0, infrastructure: 0, shutdown: 0 },
  };
}

function openStep(definition: StepDefinition, ordinal: number, before: ReadonlyMap<string, Step>): Step {
  const upstream = definition.upstream.map((name) => {
    const step = before.get(name);
    if (step === undefined) throw new Error(`step ${definition.name} is after ${name}, which does not stand before it`);
    return step;
  });
  const runsLast = definition.finally || upstream.some((step) => step.runsLast);
  const edges = upstream.filter((step) => step.runsLast === runsLast);
  const read = stepsRead(definition);
  const unclear = edges.filter((step) => !step.clear).length;
  const step: Step = {
    definition,
    state: 'none',
    reason: null,
    instances: definition.map === null ? [newInstance(0)] : null,
    reusedFrom: null,
    ordinal,
    runsLast,
    downstream: [],
    upstream: { success: 0, failed: 0, upstreamFailed: 0, skipped: 0, unfinished: edges.length },
    reads: read,
    readsUnfinished: edges.filter((upstreamStep) => read.has(upstreamStep.definition.name)).length,
    guards: { direct: edges.filter((step) => isGuard(step.definition.work)).length, upstream: unclear },
    clear: unclear === 0 && !isFarGuard(definition.work),
    skip: null,
    toLookAt: false,
    offered: false,
    counts: new Map(definition.map === null ? [['none', 1]] : []),
    ready: new PriorityQueue(byNumber),
    active: 0,
  };
  for (const upstreamStep of edges) upstreamStep.downstream.push(step);
  return step;
}

function byOrdinal(left: Step, right: Step): boolean {
  return left.ordinal < right.ordinal;
}

function byNumber(left: number, right: number): boolean {
  return left < right;
}
