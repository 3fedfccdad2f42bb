/**
 * Trained once: a push that only merges a pull request whose head was evaluated with the very same files does not train
 * again; the run of the pull request speaks for it, and its artifact is what gets promoted.
 */
import type { Sha } from '../git/git.ts';
import { shaOf } from './sha.ts';
import type { RunRow } from '../journal/journal.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ReportState } from '../forge/forge.ts';
import type { ConductorPorts, Project } from './ports.ts';

export interface Covering {
  readonly runId: string;
  readonly state: ReportState;
  readonly summary: string;
}

export async function coveringRun(
  ports: ConductorPorts,
  project: Project,
  definition: PipelineDefinition,
  sha: Sha,
): Promise<Covering | null> {
  const trains = definition.steps.some((step) => step.work.kind === 'challenge' && step.work.promote === 'on-merge');
  if (!trains) return null;
  const pullRequests = await project.forge.pullRequestsOf(sha);
  if (!pullRequests.ok) return null;
  for (const { merged, mergeSha, headSha, number } of pullRequests.value) {
    const head = shaOf(headSha);
    if (!merged || mergeSha !== sha || head === null || !(await sameFiles(project, sha, head))) continue;
    const rows = await ports.journal.runs({
      repository: project.name,
      pipeline: definition.name,
      sha: head,
      pullRequest: number,
      limit: 10,
    });
    const run = rows.find((row) => row.state === 'success' || row.state === 'running');
    if (run !== undefined)
      return {
        runId: run.id,
        state: stateOf(run),
        summary: `Evaluated in #${number} at ${headSha.slice(0, 7)}; not trained again`,
      };
  }
  return null;
}

async function sameFiles(project: Project, one: Sha, other: Sha): Promise<boolean> {
  const [first, second] = await Promise.all([project.git.commit(one), project.git.commit(other)]);
  return first.ok && second.ok && first.value.tree === second.value.tree;
}

/** A run that goes on still has its own reports on the head; the merge commit is not held up by it. */
function stateOf(row: RunRow): ReportState {
  return row.state === 'success' ? 'success' : 'neutral';
}
