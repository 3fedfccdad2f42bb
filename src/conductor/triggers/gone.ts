/**
 * A branch that was deleted, or a pull request that was closed without a merge: what nobody waits for any more is
 * cancelled. That is all that a merge queue had under way for a group and, of other branches and pull requests, what their
 * pipelines cancel for a newer commit too (`cancelInProgress`). Whoever ran something again has asked for it: it goes on.
 */
import type { RequestRow, RunRow, Write } from '../../journal/journal.ts';
import { failure, success, type Result } from '../../std/result.ts';
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
  const left = await leftOnBranch(desk, project, branch);
  if (!left.ok) return { again: left.error };
  const head: Write = { write: 'head', repository: project.name, branch, sha: null, at: desk.ports.clock.now() };
  const cancelled = await cancel(desk, left.value, `its branch, ${branch}, was deleted`, [head]);
  return { state: 'done', note: `${branch} was deleted${cancelled}` };
}

/** Gives what was cancelled, to stand at the end of a note. */
export async function cancelClosed(desk: Desk, project: Project, number: number): Promise<string> {
  const rows = await underWay(desk, project, ({ opened: { trigger } }) => {
    return trigger.kind === 'pull-request' && trigger.number === number;
  });
  const left = await thoseThatCancel(desk, rows);
  return cancel(desk, left, `its pull request, #${number}, was closed without a merge`, []);
}

/** Pull requests with runs that would be cancelled at their end. */
export async function pullRequestsUnderWay(desk: Desk, project: Project): Promise<ReadonlySet<number>> {
  const rows = await underWay(desk, project, ({ opened }) => opened.trigger.kind === 'pull-request');
  const left = await thoseThatCancel(desk, rows);
  return new Set(left.flatMap(({ opened: { trigger } }) => (trigger.kind === 'pull-request' ? [trigger.number] : [])));
}

async function cancel(
  { ports, turns }: Desk,
  rows: readonly RunRow[],
  reason: string,
  alongside: readonly Write[],
): Promise<string> {
  const at = ports.clock.now();
  const cancels = rows.map(({ id }): RequestRow => {
    return { id: `${id}/gone`, runId: id, request: { type: 'cancel', by: 'contender', reason }, at };
  });
  await ports.journal.commit([[...alongside, ...requestWrites(cancels)]]);
  turns.take(cancels);
  return cancels.length === 0 ? '' : `: cancels ${cancels.map(({ runId }) => runId).join(', ')}`;
}

/** Those of a commit that is merged by now go on. The error is worth another try. */
async function leftOnBranch(
  desk: Desk,
  { name, git }: Project,
  branch: string,
): Promise<Result<readonly RunRow[], string>> {
  const all = await underWay(desk, { name }, ({ opened: { trigger } }) => {
    return trigger.kind === 'push' && trigger.branch === branch;
  });
  const group = mergeGroupOf(branch);
  const rows = group === null ? await thoseThatCancel(desk, all) : all;
  if (rows.length === 0) return success([]);
  const into = group === null ? await git.defaultBranch() : success(group.baseBranch);
  if (!into.ok) return failure(into.error.message);
  const left: RunRow[] = [];
  for (const row of rows) {
    const sha = shaOf(row.opened.sha);
    const merged = sha === null ? success(false) : await isOnBranch(git, into.value, sha);
    if (!merged.ok) return merged;
    if (!merged.value) left.push(row);
  }
  return success(left);
}

async function underWay(
  { ports }: Desk,
  { name }: Pick<Project, 'name'>,
  isMeant: (row: RunRow) => boolean,
): Promise<readonly RunRow[]> {
  const rows = await ports.journal.unfinishedRuns();
  return rows.filter((row) => row.opened.repository === name && row.state === 'running' && isMeant(row));
}

async function thoseThatCancel({ ports }: Desk, rows: readonly RunRow[]): Promise<readonly RunRow[]> {
  const definitions = await Promise.all(rows.map(({ opened }) => ports.journal.definition(opened.digest)));
  return rows.filter((_row, index) => definitions[index]?.cancelInProgress === true);
}
