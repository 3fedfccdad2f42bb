/**
 * A person's word makes a model champion that a run reported, where its pipeline leaves that to people (`on-approval`). It
 * promotes the very artifact that was evaluated, by the rules of a merge: no unmerged pull request, no other commit than one
 * of the default branch, no backfill.
 */
import { firstTriggerOf } from '../engine/event.ts';
import { journalLimits, type EvaluationRow, type Write } from '../journal/journal.ts';
import type { Problem } from '../std/problem.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import type { ConductorPorts } from './ports.ts';
import { decideFirst, promotionWrites } from './promotion.ts';
import { awaitsApproval } from './reports/report.ts';
import { projectOf } from './versions.ts';

export interface ModelApproval {
  readonly runId: string;
  /** Null: the only one that the run has for approval. */
  readonly model: string | null;
  readonly actor: string;
}

/** The id of the run once the promotion is kept; it is carried out from the outbox. `alongside`: kept in the same commit. */
export async function approveModel(
  ports: ConductorPorts,
  approval: ModelApproval,
  alongside: (runId: string) => Write,
): Promise<Result<string, Problem | string>> {
  const { runId, actor } = approval;
  const run = await ports.journal.run(runId);
  if (run === null) return refused(`there is no run ${runId}`);
  const found = approvable(await ports.journal.evaluations({ runId, limit: journalLimits.pageMax }), approval.model);
  if (!found.ok) return found;
  const evaluation = found.value;
  const project = projectOf(ports, evaluation.repository);
  if (!project.ok) return project;
  const decided = await decideFirst(project.value, evaluation, firstTriggerOf(run.opened.trigger));
  switch (decided.decision) {
    case 'ask-again':
      return refused(`it cannot be told now whether it may be promoted: ${decided.message}`);
    case 'wait':
      return refused(`pull request #${evaluation.pullRequest} is not merged, and an unmerged one never promotes`);
    case 'refuse':
      return refused(decided.reason);
    case 'promote': {
      const at = ports.clock.now();
      const writes = promotionWrites(evaluation, `approval by ${actor}`, at);
      const [result] = await ports.journal.commit([[...writes, alongside(runId)]]);
      if (result?.ok !== true) return refused(`"${evaluation.model}" was decided by somebody else at the same time`);
      ports.jobQueue.wake('outbox');
      return success(runId);
    }
    default:
      return unreachable(decided);
  }
}

function approvable(all: readonly EvaluationRow[], model: string | null): Result<EvaluationRow, Problem> {
  const named = all.filter((row) => model === null || row.model === model);
  const waiting = named.filter(awaitsApproval);
  const [first, second] = waiting;
  if (first !== undefined && second === undefined) return success(first);
  if (first !== undefined)
    return refused(`several models wait for approval: ${waiting.map((row) => row.model).join(', ')}; name one of them`);
  const [known] = named;
  if (known !== undefined) return refused(`"${known.model}" does not wait for approval: ${standing(known)}`);
  const models = [...new Set(all.map((row) => row.model))].join(', ') || 'none';
  return refused(
    model === null ? 'the run evaluated no model' : `the run evaluated no model "${model}"; its models: ${models}`,
  );
}

function standing({ state, policy, version, reason }: EvaluationRow): string {
  switch (state) {
    case 'promoted':
      return `it is version ${version} already`;
    case 'promoting':
      return 'it is being promoted';
    case 'refused':
      return `it is refused: ${reason ?? 'see the verdict'}`;
    case 'reported':
      return `its pipeline says promote: '${policy}'`;
    default:
      return unreachable(state);
  }
}

function refused(message: string): Result<never, Problem> {
  const help =
    "The page of the run shows its verdicts; `promote: 'on-approval'` in a challenge leaves the promotion to people.";
  return failure({ code: 'promotion-refused', message, where: null, help });
}
