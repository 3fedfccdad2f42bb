/** Makes the view of a run from what the journal says about it. */
import { hasLookLog, memoryOfAttempt } from '../engine/engine.ts';
import type { Attempt, Instance, Run, Step } from '../engine/run.ts';
import { finalStepStates } from '../engine/run.ts';
import {
  firstTriggerOf,
  type AttemptOutcome,
  type FirstTrigger,
  type RerunSteps,
  type RunOpened,
  type StepState,
} from '../engine/event.ts';
import type { Artifact, Work } from '../pipeline/definition.ts';
import { isJsonObject, type Json } from '../std/json.ts';
import { unreachable } from '../std/unreachable.ts';
import {
  viewLimits,
  type ArtifactView,
  type AttemptView,
  type Bar,
  type OutputView,
  type PanelView,
  type RunChain,
  type RunHead,
  type Selection,
  type StepView,
  type TriggerView,
} from './run-view.ts';

/** Addresses that only the forge knows. */
export interface ForgeLinks {
  readonly commitUrl: (sha: string) => string | null;
  readonly pullRequestUrl: (number: number) => string | null;
}

/** What a reader wants to see first: failed before running before the rest. */
const urgency: readonly StepState[] = [
  'failed',
  'upstream_failed',
  'up_for_retry',
  'running',
  'queued',
  'deferred',
  'scheduled',
  'none',
  'cancelled',
  'skipped',
  'removed',
  'success',
];

/** A run that neither is another one once more, nor was run again, and follows none. */
const noChain: RunChain = { earlier: null, later: [], upstream: null, followers: [] };

export function headOf(run: Run, number: number, summary: string, links: ForgeLinks, chain = noChain): RunHead {
  const { opened, definition } = run;
  return {
    id: opened.runId,
    number,
    pipeline: opened.pipeline,
    repository: opened.repository,
    description: definition.description,
    state: run.state,
    summary,
    openedAt: opened.at,
    finishedAt: run.finishedAt,
    deadline:
      definition.deadlineMs === null ? null : { at: opened.at + definition.deadlineMs, missed: run.deadlineMissed },
    logicalDate: isForAnotherTime(opened) ? opened.logicalDate : null,
    trigger: triggerOf(opened, links),
    chain,
    ...newsOf(firstTriggerOf(opened.trigger)),
    sha: opened.sha,
    shaUrl: links.commitUrl(opened.sha),
    parameters: Object.entries(opened.parameters).map(([name, value]) => ({ name, value: String(value) })),
  };
}

/** A run that a push or a person started is for the moment of its start, which is told anyway. */
function isForAnotherTime({ trigger, logicalDate, at }: RunOpened): boolean {
  const { kind } = firstTriggerOf(trigger);
  return kind === 'schedule' || kind === 'backfill' || Math.abs(logicalDate - at) > 60_000;
}

export function triggerOf({ trigger, logicalDate }: RunOpened, links: ForgeLinks): TriggerView {
  const first = firstViewOf(firstTriggerOf(trigger), logicalDate, links);
  if (trigger.kind !== 'rerun') return first;
  return { ...first, text: [first.text, `run again${by(trigger.actor)}`].filter((text) => text !== '').join(', ') };
}

/** Which steps a re-run carries out, in words. */
export function stepsText(steps: RerunSteps): string {
  if (typeof steps === 'object') return `from ${steps.from}`;
  return steps === 'all' ? 'all steps' : 'the failed steps';
}

function firstViewOf(trigger: FirstTrigger, logicalDate: number, links: ForgeLinks): TriggerView {
  switch (trigger.kind) {
    case 'push':
      return { text: `pushed${by(trigger.actor)}`, branch: trigger.branch, pullRequest: null };
    case 'pull-request':
      return {
        text: by(trigger.actor).trim(),
        branch: trigger.branch,
        pullRequest: { number: trigger.number, url: links.pullRequestUrl(trigger.number), fork: trigger.fork },
      };
    case 'schedule':
      return { text: 'started by its schedule', branch: null, pullRequest: null };
    case 'manual':
      return { text: `started${by(trigger.actor)}`, branch: null, pullRequest: null };
    case 'backfill': {
      const date = new Date(logicalDate).toISOString().slice(0, 10);
      return { text: `backfill of ${date}${by(trigger.actor)}`, branch: null, pullRequest: null };
    }
    case 'pipeline':
      return {
        text: `after a run of ${trigger.pipeline}: ${trigger.state}`,
        branch: trigger.branch,
        pullRequest: null,
      };
    case 'data': {
      const datasets = [...new Set(trigger.events.map(({ dataset }) => dataset))].join(', ');
      return { text: `started by news of ${datasets}`, branch: null, pullRequest: null };
    }
    default:
      return unreachable(trigger);
  }
}

function newsOf(trigger: FirstTrigger): Pick<RunHead, 'news' | 'newsMore'> {
  if (trigger.kind !== 'data') return { news: [], newsMore: 0 };
  const news = trigger.events.map(({ dataset, digest, at, runId }) => ({ dataset, digest, at, runId }));
  return { news, newsMore: trigger.count - news.length };
}

/** Plain Git does not say who pushed. */
function by(actor: string): string {
  return actor === '' || actor === 'unknown' ? '' : ` by ${actor}`;
}

export function stepViewOf(step: Step): StepView {
  const { definition } = step;
  const mapped = definition.map !== null;
  const instances = step.instances ?? [];
  const attempts = instances.flatMap((instance) => instance.attempts);
  // When one that nobody decided ended, the run does not say.
  const approvals = instances
    .flatMap(({ approval }) => approval ?? [])
    .filter(({ decision }) => decision !== null || step.state === 'deferred');
  const waits = instances.flatMap(({ wait }) => wait ?? []);
  const unfinished = attempts.some((attempt) => attempt.outcome === null) || step.state === 'deferred';
  const dueTimes = instances.flatMap((instance) => instance.dueAt ?? []);
  return {
    name: definition.name,
    kind: definition.work.kind,
    state: step.state,
    message: messageOf(step),
    mapped,
    counts: mapped ? countsOf(instances) : [],
    attempts: attempts.length,
    startedAt: least([
      ...attempts.map((attempt) => attempt.startedAt),
      ...approvals.map(({ requestedAt }) => requestedAt),
      ...waits.map(({ since }) => since),
    ]),
    finishedAt: unfinished
      ? null
      : greatest([
          ...attempts.flatMap((attempt) => attempt.finishedAt ?? []),
          ...approvals.flatMap(({ decision }) => decision?.at ?? []),
          ...waits.flatMap(({ endedAt }) => endedAt ?? []),
        ]),
    dueAt: finalStepStates.has(step.state) ? null : least(dueTimes),
    reusedFrom: step.reusedFrom,
    fromCache: isFromCache(instances),
    bars: barsOf(instances, definition.work.kind),
  };
}

function isFromCache(instances: readonly Instance[]): boolean {
  return instances.length > 0 && instances.every(({ attempts }) => attempts.at(-1)?.cache?.found === true);
}

function countsOf(instances: readonly Instance[]): StepView['counts'] {
  const counts = new Map<StepState, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  return urgency.flatMap((state) => {
    const count = counts.get(state);
    return count === undefined ? [] : [{ state, count }];
  });
}

function messageOf(step: Step): string | null {
  if (step.state === 'success' || step.state === 'running') return null;
  for (const instance of step.instances ?? []) {
    const outcome = instance.attempts.at(-1)?.outcome ?? null;
    if (outcome?.kind === 'failed') return outcome.message;
    if (instance.state === 'up_for_retry' && instance.wait?.failure != null) return instance.wait.failure.message;
  }
  return step.reason ?? step.instances?.[0]?.reason ?? step.instances?.[0]?.approval?.message ?? null;
}

/** Attempts, and waits. Above `barsMax` of them only the spans in which any was on its way. */
function barsOf(instances: readonly Instance[], kind: Work['kind']): readonly Bar[] {
  const bars = instances.flatMap(({ attempts, wait, state }): Bar[] => [
    ...attempts.map((attempt) => ({
      from: attempt.startedAt,
      runningAt: attempt.runningAt,
      to: attempt.finishedAt,
      state: attemptState(attempt, kind),
    })),
    ...(wait === null ? [] : [{ from: wait.since, runningAt: wait.since, to: wait.endedAt, state }]),
  ]);
  if (bars.length <= viewLimits.barsMax) return bars;
  const spans: { from: number; runningAt: number | null; to: number | null; state: StepState }[] = [];
  for (const bar of bars.sort((left, right) => left.from - right.from)) {
    const last = spans.at(-1);
    if (last === undefined || (last.to !== null && last.to < bar.from)) {
      spans.push({ ...bar, runningAt: bar.from });
    } else {
      last.to = last.to === null || bar.to === null ? null : Math.max(last.to, bar.to);
      if (urgency.indexOf(bar.state) < urgency.indexOf(last.state)) last.state = bar.state;
    }
  }
  return spans.slice(-viewLimits.barsMax);
}

function attemptState({ outcome, runningAt }: Attempt, kind: Work['kind']): StepState {
  if (outcome === null) return runningAt === null ? 'queued' : 'running';
  // A gate that measured has succeeded as an attempt; what a reader asks is whether the data passed.
  const stopped =
    kind === 'gate' &&
    outcome.kind === 'succeeded' &&
    outcome.control !== null &&
    'pass' in outcome.control &&
    !outcome.control.pass;
  return stopped ? 'failed' : outcomeState(outcome);
}

function outcomeState(outcome: AttemptOutcome): StepState {
  switch (outcome.kind) {
    case 'succeeded':
      return 'success';
    case 'failed':
      return outcome.cause === 'cancelled' ? 'cancelled' : 'failed';
    case 'skipped':
      return 'skipped';
    default:
      return unreachable(outcome);
  }
}

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
    description: definition.description,
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
    attempts: instance === null ? [] : instance.attempts.map((each) => attemptView(each, step, instance)),
    output: instance === null ? null : outputOf(instance),
    decision: instance === null ? null : decisionText(instance),
    dueAt: instance?.dueAt ?? null,
    reusedFrom: step.reusedFrom,
  };
}

function decisionText({ approval }: Instance): string | null {
  const decided = approval?.decision ?? null;
  if (decided?.decision !== 'approve') return null;
  return `Approved by ${decided.by}${decided.reason === null ? '' : `: ${decided.reason}`}`;
}

function attemptView(attempt: Attempt, step: Step, instance: Instance): AttemptView {
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

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.min(left, right));
}

function greatest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.max(left, right));
}
