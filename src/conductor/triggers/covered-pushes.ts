/**
 * A push that was left to the run of its pull request while that still went on. What the run comes to decides: a success,
 * with whatever verdict, speaks for the commit; after any other end the push gets the run that it was not given. It waits
 * as an order, kept with the record of the skipped push, so neither a restart nor another server forgets it.
 */
import type { Sha } from '../../git/git.ts';
import type { RunRow, Write } from '../../journal/journal.ts';
import type { JsonObject } from '../../std/json.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { copiedResult, type CopiedResult } from './covered.ts';
import type { Desk } from '../desk.ts';
import { reportWithoutRun } from '../reports/report-writes.ts';
import { openRun, parseParameters, type TriggerRequest } from './triggers.ts';
import { pipelineAt, projectOf } from '../versions.ts';

export interface CoveredPush {
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: Sha;
  readonly branch: string;
  readonly actor: string;
  /** Of the push's trigger. */
  readonly key: string;
  readonly pullRequest: number;
  /** The run of the pull request. */
  readonly runId: string;
  readonly at: number;
}

/** What is kept of it with the record of the skipped push. */
export function orderToDecide(push: CoveredPush): Write {
  return { write: 'order', id: `covered:${push.key}`, body: storedCovered(push), at: push.at };
}

/** As `orders/order` reads it. */
export function storedCovered(push: CoveredPush): JsonObject {
  return { kind: 'covered', push: { ...push } };
}

/** Null while the run goes on. Gives the run of the push; the error says why there is none. */
export async function decideCovered(
  { ports, turns }: Pick<Desk, 'ports' | 'turns'>,
  push: CoveredPush,
  alongside: TriggerRequest['alongside'],
): Promise<Result<string, Problem | string> | null> {
  // It is asked again every few seconds, for as long as the run takes.
  if (turns.isUnderWay(push.runId)) return null;
  const run = await ports.journal.run(push.runId);
  if (run === null) return failure(`there is no run ${push.runId}`);
  if (run.finishedAt === null) return null;
  const copied = run.state === 'success' ? await copiedResult(ports.journal, run, push.pullRequest) : null;
  const instead = copied ?? (await overtaken(ports.journal, push, run));
  if (instead !== null) return report(ports, push, instead);
  const project = projectOf(ports, push.repository);
  if (!project.ok) return project;
  const version = await pipelineAt(ports, project.value, push.pipeline, push.sha);
  if (!version.ok) return version;
  const parameters = parseParameters(version.value.definition.parameters, {});
  if (!parameters.ok) return parameters;
  const { key, repository, sha, branch, actor, runId } = push;
  const at = ports.clock.now();
  const opened = await openRun(ports, turns, {
    key: `${key}:after:${runId}`,
    repository,
    sha,
    trigger: { kind: 'push', branch, actor },
    ...version.value,
    logicalDate: at,
    dataIntervalEnd: at,
    parameters: parameters.value,
    alongside,
    reused: [],
  });
  return 'skipped' in opened ? failure(opened.skipped) : success(opened.runId);
}

/** A run of a newer commit of the branch is not followed, or even replaced, by one of this commit. */
async function overtaken(
  journal: Desk['ports']['journal'],
  { repository, pipeline, branch, pullRequest, at }: CoveredPush,
  { state }: RunRow,
): Promise<CopiedResult | null> {
  const runs = await journal.runs({ repository, pipeline, branch, limit: 20 });
  const newer = runs.find(({ opened }) => opened.trigger.kind === 'push' && opened.at > at);
  if (newer === undefined) return null;
  const ended = state === 'failed' ? state : `was ${state}`;
  const instead = newer.opened.sha.slice(0, 7);
  return {
    state: 'neutral',
    summary: `The run of #${pullRequest} ${ended}; a newer commit of ${branch}, ${instead}, was run instead`,
  };
}

async function report(
  { journal, clock, jobQueue }: Desk['ports'],
  { repository, pipeline, sha, runId: coveredBy }: CoveredPush,
  { state, summary }: CopiedResult,
): Promise<Result<string, string>> {
  const about = { repository, pipeline, sha, pullRequest: null, baseSha: null };
  await journal.commit([reportWithoutRun({ ...about, state, summary, problems: [], coveredBy }, clock.now())]);
  jobQueue.wake('outbox');
  return failure(summary);
}
