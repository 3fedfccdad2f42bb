/** A branch that was deleted: nobody waits any more for what was under way there. */
import { firstTriggerOf } from '../../engine/event.ts';
import type { RequestRow, RunRow } from '../../journal/journal.ts';
import { success, type Result } from '../../std/result.ts';
import type { Desk, Handled } from '../desk.ts';
import { mergeGroupOf } from './merge-group.ts';
import { isOnBranch } from './on-branch.ts';
import type { Project } from '../ports.ts';
import { requestWrites } from '../requests.ts';
import { shaOf } from '../sha.ts';

export async function handleDeleted(desk: Desk, project: Project, branch: string): Promise<Handled> {
  const there = await project.git.remoteBranches();
  if (!there.ok) return { again: there.error.message };
  if (there.value.has(branch)) return { state: 'ignored', note: `${branch} is there again, or still` };
  const left = await leftBehind(desk, project, branch);
  if (!left.ok) return { again: left.error };
  const { journal, clock } = desk.ports;
  const at = clock.now();
  const cancels = left.value.map(({ id }): RequestRow => {
    const reason = `its branch, ${branch}, was deleted`;
    return { id: `${id}/gone`, runId: id, request: { type: 'cancel', by: 'contender', reason }, at };
  });
  await journal.commit([
    [{ write: 'head', repository: project.name, branch, sha: null, at }, ...requestWrites(cancels)],
  ]);
  desk.turns.take(cancels);
  const cancelled = cancels.length === 0 ? '' : `: cancels ${cancels.map(({ runId }) => runId).join(', ')}`;
  return { state: 'done', note: `${branch} was deleted${cancelled}` };
}

/** Runs that nobody needs; those of a commit that is merged by now go on. The error is worth another try. */
async function leftBehind(
  { ports }: Desk,
  project: Project,
  branch: string,
): Promise<Result<readonly RunRow[], string>> {
  const group = mergeGroupOf(branch);
  if (group === null) return success([]);
  const rows = (await ports.journal.unfinishedRuns()).filter(({ opened: { repository, trigger } }) => {
    const first = firstTriggerOf(trigger);
    return repository === project.name && first.kind === 'push' && first.branch === branch;
  });
  const left: RunRow[] = [];
  for (const row of rows) {
    const merged = await isMerged(project, row, group.baseBranch);
    if (!merged.ok) return merged;
    if (!merged.value) left.push(row);
  }
  return success(left);
}

async function isMerged({ git }: Project, { opened }: RunRow, into: string): Promise<Result<boolean, string>> {
  const sha = shaOf(opened.sha);
  return sha === null ? success(false) : isOnBranch(git, into, sha);
}
