/**
 * Trained once: a push that only merges a pull request whose head was evaluated with the very same files does not train
 * again; the run of the pull request speaks for it, and its artifact is what gets promoted.
 */
import { isInVain, type ReportState } from '../../forge/forge.ts';
import type { Sha } from '../../git/git.ts';
import type { Journal, RunRow } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { refusedBy } from '../../verdict/verdict.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { verdictOf } from '../reports/challenge-result.ts';
import { outcomeOf } from '../reports/outcome.ts';
import { shaOf } from '../sha.ts';

export interface Covering extends CopiedResult {
  readonly runId: string;
  readonly pullRequest: number;
  /** The run goes on: what it comes to is not known yet. */
  readonly isOpen: boolean;
}

/** What the merge commit shows of the run of its pull request. */
export interface CopiedResult {
  readonly state: ReportState;
  readonly summary: string;
}

/** Null: nothing speaks for the commit. `again`: the forge cannot be asked now, and training twice would be for good. */
export async function coveringRun(
  ports: ConductorPorts,
  project: Project,
  definition: PipelineDefinition,
  sha: Sha,
): Promise<Covering | { readonly again: string } | null> {
  const trains = definition.steps.some((step) => step.work.kind === 'challenge' && step.work.promote === 'on-merge');
  if (!trains) return null;
  const pullRequests = await project.forge.pullRequestsOf(sha);
  if (!pullRequests.ok)
    return isInVain(pullRequests.error) ? null : { again: `its pull request: ${pullRequests.error.message}` };
  for (const { merged, mergeSha, headSha, number } of pullRequests.value) {
    const head = shaOf(headSha);
    if (!merged || mergeSha !== sha || head === null) continue;
    // It may have been evaluated by another server, with a mirror of its own.
    const here = await project.git.ensure(head);
    if (!here.ok && here.error.kind !== 'missing') return { again: `its head: ${here.error.message}` };
    if (!(await sameFiles(project, sha, head))) continue;
    const [run] = await ports.journal.runs({
      repository: project.name,
      pipeline: definition.name,
      sha: head,
      pullRequest: number,
      limit: 1,
    });
    if (run === undefined || (run.state !== 'success' && run.state !== 'running')) continue;
    return {
      runId: run.id,
      pullRequest: number,
      isOpen: run.state === 'running',
      ...(await copiedResult(ports.journal, run, number)),
    };
  }
  return null;
}

/** Of a run that goes on or was a success: a model that it refuses is refused on the merge commit too. */
export async function copiedResult(
  journal: Pick<Journal, 'evaluations'>,
  { id, state, opened: { sha } }: RunRow,
  pullRequest: number,
): Promise<CopiedResult> {
  const place = `in #${pullRequest} at ${sha.slice(0, 7)}; not trained again`;
  // A run that goes on still has its own reports on the head; the merge commit is not held up by it.
  if (state === 'running') return { state: 'neutral', summary: `Being evaluated ${place}` };
  const evaluations = await journal.evaluations({ runId: id, limit: 100 });
  const verdicts = evaluations.flatMap(({ verdict }) => verdictOf(verdict) ?? []);
  if (outcomeOf(state, verdicts) !== 'refused') return { state: 'success', summary: `Evaluated ${place}` };
  const refusing = verdicts.find(({ kind }) => refusedBy([kind]) !== null);
  return { state: 'failure', summary: `Evaluated ${place}: ${refusing?.reason ?? 'its model is refused'}` };
}

async function sameFiles(project: Project, one: Sha, other: Sha): Promise<boolean> {
  const [first, second] = await Promise.all([project.git.commit(one), project.git.commit(other)]);
  return first.ok && second.ok && first.value.tree === second.value.tree;
}
