/** A run that a person asks for, of one pipeline at one commit. */
import type { RunOpened } from '../../engine/event.ts';
import type { Sha } from '../../git/git.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import type { Desk } from '../desk.ts';
import { openRun, parameterProblem, parseParameters, type TriggerRequest } from './triggers.ts';
import { pipelineAt, projectOf } from '../versions.ts';

export interface ManualRun {
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: Sha;
  readonly actor: string;
  /** Milliseconds; null: now. */
  readonly logicalDate: number | null;
  readonly parameters: RunOpened['parameters'];
  /** Makes the same request twice one run. */
  readonly key: string;
}

/** Gives the run's id; `alongside` is kept with it. */
export async function runManually(
  { ports, turns }: Pick<Desk, 'ports' | 'turns'>,
  request: ManualRun,
  alongside: TriggerRequest['alongside'],
): Promise<Result<string, Problem | string>> {
  const project = projectOf(ports, request.repository);
  if (!project.ok) return project;
  const found = await pipelineAt(ports, project.value, request.pipeline, request.sha);
  if (!found.ok) return found;
  const { definition, digest } = found.value;
  const parameters = parseParameters(definition.parameters, request.parameters);
  if (!parameters.ok) return failure(parameterProblem(definition.parameters, request.parameters, parameters.error));
  const logicalDate = request.logicalDate ?? ports.clock.now();
  const opened = await openRun(ports, turns, {
    key: `manual:${request.repository}:${request.pipeline}:${request.key}`,
    repository: request.repository,
    sha: request.sha,
    trigger: { kind: 'manual', actor: request.actor },
    definition,
    digest,
    logicalDate,
    dataIntervalEnd: logicalDate,
    parameters: parameters.value,
    alongside,
    reused: [],
  });
  if (!('skipped' in opened)) return success(opened.runId);
  const help = '`contender runs --state running` lists the runs under way; `contender cancel RUN` ends one.';
  return failure({ code: 'run-refused', message: opened.skipped, where: null, help });
}
