/** Making a backfill: rows of the journal, which any server may keep; whoever conducts carries them on. */
import type { RunOpened } from '../../engine/event.ts';
import type { Sha } from '../../git/git.ts';
import type { BackfillProgress, Reprocess } from '../../journal/journal.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { planIntervals, type PlannedInterval } from './backfill-plan.ts';
import type { ConductorPorts } from '../ports.ts';
import { parameterProblem, parseParameters } from '../triggers/triggers.ts';
import { pipelineAt, projectOf } from '../versions.ts';

export interface BackfillRequest {
  /** Makes the same request twice one backfill; null: a new one. */
  readonly id: string | null;
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: Sha;
  readonly actor: string;
  /** Midnights of UTC, in milliseconds: the first and the last day of the logical dates. */
  readonly fromDay: number;
  readonly toDay: number;
  readonly newestFirst: boolean;
  readonly maxActive: number;
  readonly reprocess: Reprocess;
  /** Those that are to be others than their defaults, as people write them. */
  readonly parameters: RunOpened['parameters'];
}

export interface BackfillPlan {
  readonly digest: string;
  /** Of each of its runs. */
  readonly parameters: RunOpened['parameters'];
  readonly intervals: readonly PlannedInterval[];
}

type MakingPorts = Pick<ConductorPorts, 'journal' | 'clock' | 'projects' | 'compiler' | 'newId'>;

/** What `makeBackfill` would make now. */
export async function planBackfill(
  ports: MakingPorts,
  request: BackfillRequest,
): Promise<Result<BackfillPlan, Problem | string>> {
  const { journal, clock } = ports;
  const project = projectOf(ports, request.repository);
  if (!project.ok) return project;
  const found = await pipelineAt(ports, project.value, request.pipeline, request.sha);
  if (!found.ok) return found;
  const { definition, digest } = found.value;
  const parameters = parseParameters(definition.parameters, request.parameters);
  if (!parameters.ok) return failure(parameterProblem(definition.parameters, request.parameters, parameters.error));
  const intervals = await planIntervals(journal, request.repository, definition, request, clock.now());
  if (!intervals.ok) return definition.on.schedule === null ? intervals : failure(daysRefused(intervals.error));
  if (intervals.value.length === 0)
    return failure(daysRefused(`the schedule of ${definition.name} has no interval in these days`));
  return success({ digest, parameters: parameters.value, intervals: intervals.value });
}

function daysRefused(message: string): Problem {
  const help = 'Give other days with --from and --to, the first and the last of them.';
  return { code: 'run-refused', message, where: null, help };
}

/** It is durable when this resolves. Where it rejects, it may have been kept all the same. */
export async function makeBackfill(
  ports: MakingPorts,
  request: BackfillRequest,
): Promise<Result<BackfillProgress, Problem | string>> {
  const { journal, clock } = ports;
  const { repository, pipeline, sha, fromDay, toDay, actor, newestFirst, maxActive, reprocess } = request;
  const id = request.id ?? ports.newId();
  if ((await journal.backfill(id)) === null) {
    const plan = await planBackfill(ports, request);
    if (!plan.ok) return plan;
    const { digest, parameters, intervals } = plan.value;
    const given = Object.keys(request.parameters).length === 0 ? {} : { parameters };
    const options = { actor, from: fromDay, to: toDay, newestFirst, maxActive, reprocess, ...given };
    const backfill = { id, repository, pipeline, sha, digest, options, at: clock.now() };
    // Where somebody was faster with the same id, theirs stands.
    await journal.commit([[{ write: 'backfill', backfill, intervals }]]);
  }
  const made = await journal.backfill(id);
  if (made === null) throw new Error(`the backfill ${id} is not in the journal`);
  return success(made);
}
