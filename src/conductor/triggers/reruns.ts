/**
 * A run once more: a run of its own, under a key of its own, for what the first one was for: its date, its parameters, its
 * branch or pull request. It stands at the same commit unless the head is asked for, and may begin in the middle: then
 * what the earlier run gave elsewhere is kept with the opening of the new one, so that both are there or neither.
 * Nothing that is under way is doubled by it, or cancelled for it.
 */
import { replaces } from '../../admission/admission.ts';
import { planReuse, type Reused } from '../../engine/engine.ts';
import {
  firstTriggerOf,
  type FirstTrigger,
  type RerunSteps,
  type RunOpened,
  type Trigger,
} from '../../engine/event.ts';
import type { RunRow } from '../../journal/journal.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { unreachable } from '../../std/unreachable.ts';
import { useArtifactsOf } from '../runs/artifacts-of.ts';
import type { Desk } from '../desk.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { forkSummary } from './forks.ts';
import { readRun } from '../read.ts';
import { laneOf, openInLane, parseParameters, type TriggerRequest } from './triggers.ts';
import { pipelineAt, projectOf } from '../versions.ts';

export interface Rerun {
  readonly runId: string;
  readonly steps: RerunSteps;
  /** Of the branch or pull request that the run was for, else of the default branch. */
  readonly atHead: boolean;
  readonly actor: string;
  /** Makes the same request twice one run. */
  readonly key: string;
}

/** Gives the new run's id; `alongside` is kept with it. The error is a sentence, or the problem of the definition at the head. */
export async function rerun(
  { ports, turns }: Pick<Desk, 'ports' | 'turns'>,
  { runId, steps, atHead, actor, key }: Rerun,
  alongside: TriggerRequest['alongside'] = null,
): Promise<Result<string, Problem | string>> {
  const { journal } = ports;
  const row = await journal.run(runId);
  if (row === null) return failure(`there is no run ${runId}`);
  const { opened } = row;
  const triggerKey = `rerun:${opened.repository}:${opened.pipeline}:${key}`;
  const before = await journal.runByTrigger(triggerKey);
  if (before !== null) return success(before.id);
  const planned = await plan(ports, row, steps, atHead);
  if (!planned.ok) return planned;
  const { version, reused } = planned.value;
  const trigger: Trigger = { kind: 'rerun', of: runId, steps, actor, first: firstTriggerOf(opened.trigger) };
  const { repository, logicalDate, dataIntervalEnd } = opened;
  const request: TriggerRequest = {
    key: triggerKey,
    repository,
    trigger,
    ...version,
    logicalDate,
    dataIntervalEnd,
    alongside,
    reused,
  };
  return turns.opening.run(laneOf(request), async () => {
    const twin = await journal.runByTrigger(triggerKey);
    if (twin !== null) return success(twin.id);
    const inTheWay = await runInTheWay(ports, request);
    if (inTheWay !== null) return failure(`run ${inTheWay} is under way`);
    const again = await openInLane(ports, turns, request);
    return 'skipped' in again ? failure(again.skipped) : success(again.runId);
  });
}

interface Planned {
  readonly version: Version;
  readonly reused: readonly Reused[];
}

type Version = Pick<TriggerRequest, 'sha' | 'definition' | 'digest' | 'parameters'>;

async function plan(
  ports: ConductorPorts,
  row: RunRow,
  steps: RerunSteps,
  atHead: boolean,
): Promise<Result<Planned, Problem | string>> {
  const { id, opened, finishedAt } = row;
  const first = firstTriggerOf(opened.trigger);
  if (first.kind === 'pull-request' && first.fork) return failure(forkSummary);
  if (finishedAt === null) return failure(`run ${id} is under way`);
  const version = atHead ? await versionAtHead(ports, opened, first) : await sameVersion(ports, opened);
  if (!version.ok) return version;
  if (steps === 'all') return success({ version: version.value, reused: [] });
  const earlier = await readRun(ports.journal, id);
  if (earlier === null) return failure(`the definition of run ${id} is not in the journal`);
  const reused = planReuse(version.value, earlier, steps);
  if (!reused.ok) return reused;
  const gone = await goneArtifact(ports, reused.value);
  if (gone !== null) return failure(`${gone}. Begin at that step, or run all`);
  return success({ version: version.value, reused: reused.value });
}

async function sameVersion(
  { journal }: ConductorPorts,
  { runId, sha, digest, parameters }: RunOpened,
): Promise<Result<Version, string>> {
  const definition = await journal.definition(digest);
  if (definition === null) return failure(`the definition of run ${runId} is not in the journal`);
  return success({ sha, digest, definition, parameters });
}

async function versionAtHead(
  ports: ConductorPorts,
  opened: RunOpened,
  first: FirstTrigger,
): Promise<Result<Version, Problem | string>> {
  const found = projectOf(ports, opened.repository);
  if (!found.ok) return found;
  const project = found.value;
  const fetched = await project.git.fetch();
  if (!fetched.ok) return failure(fetched.error.message);
  const head = await headOf(project, first);
  if (!head.ok) return head;
  const sha = await project.git.resolve(head.value);
  if (!sha.ok) return failure(sha.error.message);
  const version = await pipelineAt(ports, project, opened.pipeline, sha.value);
  if (!version.ok) return version;
  const { definition, digest } = version.value;
  const parameters = parseParameters(definition.parameters, opened.parameters);
  return parameters.ok ? success({ sha: sha.value, definition, digest, parameters: parameters.value }) : parameters;
}

/** The branch, or the tag, that the run was for. */
async function headOf({ git }: Project, first: FirstTrigger): Promise<Result<string, string>> {
  switch (first.kind) {
    case 'push':
    case 'pull-request':
    case 'pipeline':
      return success(first.branch);
    case 'schedule':
    case 'backfill':
    case 'data':
    case 'manual': {
      const branch = await git.defaultBranch();
      return branch.ok ? branch : failure(branch.error.message);
    }
    default:
      return unreachable(first);
  }
}

/** The run of a pipeline for a commit, or for a date, is one, so is the one under way for it; and what is newer stays. */
async function runInTheWay({ journal }: ConductorPorts, request: TriggerRequest): Promise<string | null> {
  const { repository, definition, trigger } = request;
  const active = await journal.activeRuns(repository, definition.name);
  const found = active.find(
    ({ opened }) =>
      isForTheSame(request, opened) || definition.overlap === 'forbid' || replaces(definition, trigger, opened.trigger),
  );
  return found?.id ?? null;
}

/** Those of pushes and pull requests are for a commit, all others for a date. */
function isForTheSame(one: Purpose, other: Purpose): boolean {
  const [isOfCommit, otherIsOfCommit] = [one, other].map(({ trigger }) => {
    const { kind } = firstTriggerOf(trigger);
    return kind === 'push' || kind === 'pull-request';
  });
  if (isOfCommit !== otherIsOfCommit) return false;
  return isOfCommit === true ? one.sha === other.sha : one.logicalDate === other.logicalDate;
}

type Purpose = Pick<RunOpened, 'trigger' | 'sha' | 'logicalDate'>;

/** Why an output of a reused step cannot be handed on, in words. */
async function goneArtifact({ artifacts }: ConductorPorts, reused: readonly Reused[]): Promise<string | null> {
  for (const { step } of reused) {
    for (const { output } of step.instances ?? []) {
      const gone = output === null ? null : await useArtifactsOf(output, artifacts);
      if (gone !== null) return `the step "${step.definition.name}" cannot be reused: ${gone}`;
    }
  }
  return null;
}
