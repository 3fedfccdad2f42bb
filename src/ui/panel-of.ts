/** What a page shows closely: which step, instance and attempt, and the view of it. */
import { hasLookLog, memoryOfAttempt } from '../engine/engine.ts';
import type { Attempt, Instance, Run, Step } from '../engine/run.ts';
import type { StepState } from '../engine/event.ts';
import type { Artifact } from '../pipeline/definition.ts';
import { isJsonObject, type Json } from '../std/json.ts';
import { readMarkdown } from './markdown.ts';
import {
  viewLimits,
  type ArtifactView,
  type AttemptView,
  type OutputView,
  type PanelView,
  type Selection,
} from './run-view.ts';
import { attemptState, urgency } from './step-view-of.ts';

/** The step, instance and attempt that the page shows closely. */
export interface Selected {
  readonly step: Step;
  readonly instance: Instance | null;
  readonly attempt: Attempt | null;
}

/** What the reader chose; else the first failure, else what runs, else what the run was about. */
export function select(run: Run, selection: Selection): Selected | null {
  const steps = [...run.steps.values()];
  const chosen = selection.step === null ? undefined : run.steps.get(selection.step);
  const step = chosen ?? urgentStep(run, steps);
  if (step === undefined) return null;
  const instances = step.instances ?? [];
  const instance =
    (chosen !== undefined && selection.index !== null ? instances[selection.index] : undefined) ??
    byUrgency(instances)[0] ??
    null;
  const wanted =
    chosen === undefined || selection.attempt === null ? undefined : instance?.attempts[selection.attempt - 1];
  return { step, instance, attempt: wanted ?? instance?.attempts.at(-1) ?? null };
}

function urgentStep(run: Run, steps: readonly Step[]): Step | undefined {
  const inState = (...states: readonly StepState[]): Step | undefined =>
    steps.find((step) => states.includes(step.state));
  if (run.finishedAt === null) {
    return (
      inState('failed') ??
      inState('running') ??
      inState('deferred') ??
      inState('queued') ??
      inState('up_for_retry') ??
      lastTried(steps) ??
      steps[0]
    );
  }
  return (
    inState('failed') ??
    steps.findLast((step) => step.definition.work.kind === 'challenge') ??
    lastTried(steps) ??
    steps[0]
  );
}

function lastTried(steps: readonly Step[]): Step | undefined {
  return steps.findLast((step) => (step.instances ?? []).some((instance) => instance.attempts.length > 0));
}

function byUrgency(instances: readonly Instance[]): readonly Instance[] {
  return [...instances].sort(
    (left, right) => urgency.indexOf(left.state) - urgency.indexOf(right.state) || left.index - right.index,
  );
}

export function panelOf({ step, instance, attempt }: Selected): PanelView {
  const { definition } = step;
  const mapped = definition.map !== null;
  return {
    step: definition.name,
    kind: definition.work.kind,
    description: definition.description === null ? null : readMarkdown(definition.description),
    state: instance?.state ?? step.state,
    reason: instance?.reason ?? instance?.wait?.failure?.message ?? step.reason,
    upstream: definition.upstream,
    triggerRule: definition.triggerRule,
    mapped,
    instances: mapped
      ? byUrgency(step.instances ?? [])
          .slice(0, viewLimits.instancesMax)
          .map(({ index, state, attempts }) => ({ index, state, attempts: attempts.length }))
      : [],
    instancesTotal: step.instances?.length ?? 0,
    index: instance?.index ?? 0,
    attempt: attempt?.number ?? (instance !== null && hasLookLog(definition.work, instance) ? 1 : null),
    attempts: instance === null ? [] : instance.attempts.map((each) => attemptViewOf(each, step, instance)),
    output: instance === null ? null : outputOf(instance),
    decision: instance === null ? null : decisionText(instance),
    dueAt: instance?.dueAt ?? null,
    reusedFrom: instance?.reusedFrom ?? step.reusedFrom,
  };
}

function decisionText({ approval }: Instance): string | null {
  const decided = approval?.decision ?? null;
  if (decided?.decision !== 'approve') return null;
  return `Approved by ${decided.by}${decided.reason === null ? '' : `: ${decided.reason}`}`;
}

export function attemptViewOf(attempt: Attempt, step: Step, instance: Instance): AttemptView {
  const { outcome } = attempt;
  const failed = outcome?.kind === 'failed' ? outcome : null;
  const said = outcome?.kind === 'skipped' ? outcome.reason : null;
  return {
    number: attempt.number,
    state: attemptState(attempt, step.definition.work.kind),
    cause: failed?.cause ?? null,
    exitCode: failed?.exitCode ?? null,
    message: failed?.message ?? said,
    place: attempt.place,
    cache: cacheOf(attempt),
    startedAt: attempt.startedAt,
    runningAt: attempt.runningAt,
    finishedAt: attempt.finishedAt,
    cpuMs: attempt.usage?.cpuMs ?? null,
    memoryBytesMax: attempt.usage?.memoryBytesMax ?? null,
    memory: memoryViewOf(step, instance, attempt.number),
  };
}

function memoryViewOf(step: Step, instance: Instance, attempt: number): AttemptView['memory'] {
  const bytes = memoryOfAttempt(step, instance, attempt);
  const first = memoryOfAttempt(step, instance, 1);
  return bytes === null ? null : { bytes, grownFromBytes: bytes === first ? null : first };
}

function cacheOf({ cache }: Attempt): AttemptView['cache'] {
  if (cache === null) return null;
  return cache.found ? { runId: cache.runId } : { missed: cache.why };
}

function outputOf({ output }: Instance): OutputView | null {
  if (output === null) return null;
  if ('stored' in output) {
    const lengths = Object.entries(output.lengths).map(
      ([path, length]) => `${path === '' ? 'the whole' : path}: ${length} entries`,
    );
    return {
      text: ['Too large to stand here; it is kept as an artifact.', ...lengths].join('\n'),
      cut: true,
      artifacts: [artifactView('', output.stored)],
    };
  }
  if (output.inline === null) return null;
  const text = JSON.stringify(output.inline, null, 2);
  const artifacts: ArtifactView[] = [];
  collectArtifacts(output.inline, [], artifacts);
  return {
    text: text.slice(0, viewLimits.outputCharactersMax),
    cut: text.length > viewLimits.outputCharactersMax,
    artifacts,
  };
}

function collectArtifacts(value: Json, path: readonly string[], into: ArtifactView[]): void {
  if (into.length >= viewLimits.artifactsMax || value === null || typeof value !== 'object' || path.length > 20) return;
  const artifact = readArtifact(value);
  if (artifact !== null) into.push(artifactView(path.join('.'), artifact));
  else for (const [key, inner] of Object.entries(value)) collectArtifacts(inner, [...path, key], into);
}

function readArtifact(value: Json): Artifact | null {
  if (!isJsonObject(value)) return null;
  const { $artifact, name, bytes } = value;
  if (typeof $artifact !== 'string' || !/^[0-9a-f]{64}$/.test($artifact)) return null;
  return {
    $artifact,
    name: typeof name === 'string' ? name : 'artifact',
    bytes: typeof bytes === 'number' ? bytes : 0,
  };
}

function artifactView(path: string, artifact: Artifact): ArtifactView {
  return { path, name: artifact.name, sha256: artifact.$artifact, bytes: artifact.bytes };
}
