/**
 * Runs of one pipeline beside each other, by what was kept: where `forbid` says so there are no two, and whoever is
 * replaced (`replace`, or `cancelInProgress` for the same branch or pull request) is told to end, and nobody else is.
 */
import { firstTriggerOf, type Trigger } from '../../src/engine/event.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { History, KeptRun } from './history.ts';

/** The runs of its pipeline that go on beside a new one. */
export function besideOf({ runs, unfinished }: History, { opened }: KeptRun): readonly KeptRun[] {
  const beside = [...unfinished].flatMap((id) => runs.get(id) ?? []);
  return beside.filter(
    ({ opened: other }) =>
      other.runId !== opened.runId && other.pipeline === opened.pipeline && other.repository === opened.repository,
  );
}

export function isReplacedBy(definition: PipelineDefinition, earlier: KeptRun, later: KeptRun): boolean {
  const [one, other] = [earlier, later].map(({ opened }) => firstTriggerOf(opened.trigger));
  if (one === undefined || other === undefined || one.kind === 'backfill' || other.kind === 'backfill') return false;
  return definition.overlap === 'replace' || (definition.cancelInProgress && isSamePlace(one, other));
}

function isSamePlace(one: Trigger, other: Trigger): boolean {
  if (one.kind === 'push' && other.kind === 'push') return one.branch === other.branch;
  return one.kind === 'pull-request' && other.kind === 'pull-request' && one.number === other.number;
}

/** Who should have been told to end, and was not; null: nobody. */
export function notReplaced({ replaced, requests, runs }: History): string | null {
  for (const [earlier, later] of replaced) {
    const asked = [...requests.values()].some(({ runId, request }) => runId === earlier && request.type === 'cancel');
    if (!asked) return `${earlier} goes on beside ${later}, which replaces it`;
    const run = runs.get(earlier);
    const wasTold = run?.events.some(({ type }) => type === 'cancel-requested') === true;
    if (wasTold && run?.state !== 'cancelled') return `${earlier} was replaced by ${later}, and is ${run?.state}`;
  }
  return null;
}
