/** Plain values for tests of and on the journal: a definition, opened runs, events, evaluations. */
import type { RunEvent, RunOpened, Trigger } from '../../src/engine/event.ts';
import type { EvaluationRow, ToldEvent, Write } from '../../src/journal/journal.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { JsonObject } from '../../src/std/json.ts';

export const repository = 'shop/models';
export const digest = 'd'.repeat(64);
export const sha = 'a'.repeat(40);
export const at = 1_760_000_000_000;

export const definition: PipelineDefinition = {
  name: 'churn',
  description: null,
  owner: null,
  tags: [],
  on: { schedule: null, push: null, pullRequest: null },
  parameters: {},
  maxActiveRuns: 1,
  overlap: 'allow',
  cancelInProgress: false,
  runTimeoutMs: null,
  deadlineMs: null,
  freshness: null,
  steps: [],
};

/** The definition must be kept before a run of it can be opened. */
export const versionsWrite: Extract<Write, { write: 'versions' }> = {
  write: 'versions',
  repository,
  sha,
  at,
  versions: [{ file: '.pipelines/churn.ts', pipeline: 'churn', digest, problems: [] }],
  definitions: new Map([[digest, definition]]),
};

const push: Trigger = { kind: 'push', branch: 'main', actor: 'ada' };

export function opened(runId: string, changes: Partial<RunOpened> = {}): RunOpened {
  return {
    type: 'run-opened',
    at,
    runId,
    repository,
    pipeline: 'churn',
    sha,
    digest,
    trigger: push,
    logicalDate: at,
    dataIntervalEnd: at,
    parameters: {},
    ...changes,
  };
}

export function openRun(
  runId: string,
  changes: Partial<RunOpened> = {},
  triggerKey = `trigger/${runId}`,
  reused: readonly RunEvent[] = [],
): Write {
  return { write: 'open-run', triggerKey, opened: opened(runId, changes), reused };
}

export function scheduled(step: string, index = 0): RunEvent {
  return { type: 'step-scheduled', at, step, index };
}

/** A running run goes on. */
export function append(runId: string, position: number, events: readonly RunEvent[]): Write {
  return { write: 'append', runId, position, events, becomes: null };
}

export function finish(runId: string, position: number, finishedAt = at + 1): Write {
  const event: RunEvent = { type: 'run-finished', at: finishedAt, state: 'success', reason: null };
  return { write: 'append', runId, position, events: [event], becomes: { state: 'success', reason: null, finishedAt } };
}

export function request(
  id: string,
  run: string,
  changes: Partial<Extract<Write, { write: 'request' }>> = {},
): Extract<Write, { write: 'request' }> {
  const asked = { type: 'cancel', by: 'ada', reason: 'wrong data' } as const;
  return { write: 'request', id, runId: run, request: asked, at, whereEnded: 'conflict', ...changes };
}

/** Of one interval for each of `skipped`: why it gets no run, or null. */
export function backfill(
  id: string,
  skipped: readonly (string | null)[],
  madeAt = at,
): Extract<Write, { write: 'backfill' }> {
  const from = at;
  const options = { actor: 'ada', from, to: at + skipped.length, newestFirst: false, maxActive: 1 } as const;
  return {
    write: 'backfill',
    backfill: {
      id,
      repository,
      pipeline: 'churn',
      sha,
      digest,
      options: { ...options, reprocess: 'none' },
      at: madeAt,
    },
    intervals: skipped.map((reason, index) => ({
      logicalDate: from + index,
      intervalEnd: from + index + 1,
      skipped: reason,
    })),
  };
}

/** Told from outside, and not decided on. */
export function dataEvent(id: string, changes: Partial<ToldEvent> = {}): Extract<Write, { write: 'data-event' }> {
  const told = { digest: null, runId: null, step: null, toldBy: 'ada', depth: 0, at, toldAt: at };
  return { write: 'data-event', event: { id, dataset: 'features', ...told, ...changes } };
}

export function outbox(key: string, dueAt = at, body: JsonObject = { text: key }): Write {
  return { write: 'outbox', key, kind: 'status', body, at, dueAt };
}

export function evaluation(runId: string, changes: Partial<EvaluationRow> = {}): EvaluationRow {
  return {
    id: `${runId}/challenge`,
    runId,
    step: 'challenge',
    repository,
    pipeline: 'churn',
    model: 'churn',
    sha,
    pullRequest: null,
    branch: 'main',
    policy: 'on-merge',
    verdict: { kind: 'better', change: 0.1 },
    promotable: true,
    artifact: { $artifact: 'b'.repeat(64), name: 'model.json', bytes: 12 },
    predictions: null,
    championVersion: 3,
    state: 'reported',
    reason: null,
    version: null,
    at,
    ...changes,
  };
}

/** Ids in the order of their numbers, as ULIDs are in the order of time. */
export function runId(number: number): string {
  return `01k${number.toString().padStart(23, '0')}`;
}
