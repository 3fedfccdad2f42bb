/**
 * What is committed together with a run's events because it follows from them: evaluations and the work that they ask for,
 * entries of step caches, what is told about it, and what it tells those who listen.
 */
import { firstTriggerOf, type RunEvent } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { EvaluationRow, Write } from '../../journal/journal.ts';
import type { Json } from '../../std/json.ts';
import { challengesOf, type ChallengeResult } from '../reports/challenge-result.ts';
import { noticeWrites } from '../reports/notices.ts';
import { conductorLimits } from '../ports.ts';
import { reportRun, settleLater } from '../reports/report-writes.ts';
import { cachedStep } from './step-cache.ts';
import { dataWrites, endWrites } from './told.ts';

/** `channels`: those of a pipeline that names none. */
export function closingWrites(run: Run, events: readonly RunEvent[], channels: readonly string[]): readonly Write[] {
  const told = events.flatMap((event) => [...cacheWrites(run, event), ...dataWrites(run, event)]);
  const notices = noticeWrites(run, events, channels);
  const finished = events.find((event) => event.type === 'run-finished');
  if (finished === undefined) {
    const news = events.find((event) => isReported(run, event));
    const report = news === undefined ? [] : reportRun(run.opened, news.at, conductorLimits.reportDebounceMs);
    return [...told, ...notices, ...report];
  }
  const evaluations = challengesOf(run).map((result) => evaluationOf(run, result, finished.at));
  return [
    ...told,
    ...endWrites(run),
    ...trimWrites(run),
    ...evaluations.flatMap((evaluation): Write[] => [
      { write: 'evaluation', evaluation },
      ...(evaluation.state === 'reported' ? [settleLater(evaluation, finished.at)] : []),
    ]),
    ...reportRun(run.opened, finished.at, 0),
    ...notices,
  ];
}

/**
 * What a report says before the end: that somebody is to decide, that there is nothing to decide any more, that the run is
 * late.
 */
export function isReported(run: Run, event: RunEvent): boolean {
  if (event.type === 'approval-requested' || event.type === 'deadline-missed') return true;
  return event.type === 'step-finished' && run.steps.get(event.step)?.definition.work.kind === 'approval';
}

function evaluationOf(run: Run, result: ChallengeResult, at: number): EvaluationRow {
  const { opened } = run;
  const trigger = firstTriggerOf(opened.trigger);
  const runFailed = run.state !== 'success';
  return {
    id: `${opened.runId}/${result.step}`,
    runId: opened.runId,
    step: result.step,
    repository: opened.repository,
    pipeline: opened.pipeline,
    model: result.work.model,
    sha: opened.sha,
    pullRequest: trigger.kind === 'pull-request' ? trigger.number : null,
    branch: 'branch' in trigger ? trigger.branch : '',
    policy: result.work.promote,
    verdict: result.verdict as unknown as Json,
    promotable: result.verdict.promotable && !runFailed,
    artifact: result.challenger,
    predictions: result.predictions,
    championVersion: result.championVersion,
    state: runFailed || !result.verdict.promotable ? 'refused' : 'reported',
    reason: runFailed
      ? `the run ${run.state}: ${run.reason ?? 'see its steps'}`
      : result.verdict.promotable
        ? null
        : result.verdict.reason,
    version: null,
    at,
  };
}

/** What a cached step gave, under the key that was looked for in vain. */
function cacheWrites({ opened, steps }: Run, event: RunEvent): readonly Write[] {
  if (event.type !== 'attempt-finished' || event.outcome.kind !== 'succeeded') return [];
  const { step, index, attempt, outcome, at } = event;
  const look = steps.get(step)?.instances?.[index]?.attempts[attempt - 1]?.cache ?? null;
  if (look === null || look.found || look.key === null) return [];
  const { key, scope, parts } = look;
  const { runId } = opened;
  const cached = cachedStep(opened, step, scope);
  return [{ write: 'cache-entry', cached, index, key, runId, at, parts, output: outcome.output }];
}

function trimWrites({ opened, steps }: Run): readonly Write[] {
  return [...steps.values()]
    .filter(({ definition }) => definition.cache !== null)
    .map(({ definition }) => ({
      write: 'cache-trim',
      cached: cachedStep(opened, definition.name, ''),
      entriesMax: conductorLimits.cacheEntriesMax,
    }));
}
