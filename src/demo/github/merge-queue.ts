/** The merge queue: a group of one pull request on a branch of its own, and what becomes of it. */
import { failure, success, type Result } from '../../std/result.ts';
import * as bare from './bare.ts';
import type { Core, Refusal } from './core.ts';
import { afterPush } from './pulls.ts';
import type { Pull, User } from './world.ts';

export interface Group {
  readonly pull: Pull;
  /** `refs/heads/gh-readonly-queue/main/pr-1-…` */
  readonly ref: string;
  readonly sha: string;
  readonly baseSha: string;
}

/** On top of the base branch, or of the group before it. */
export async function makeGroup(
  core: Core,
  pull: Pull,
  before: Group | null,
  by: User,
): Promise<Result<Group, Refusal>> {
  const { repository, clock } = core.world;
  const { directory } = repository;
  const baseSha = before?.sha ?? (await bare.resolveCommit(directory, `refs/heads/${pull.baseBranch}`));
  const tree = baseSha === null ? null : await bare.mergeTree(directory, baseSha, pull.headSha);
  if (baseSha === null || tree === null || pull.state !== 'open')
    return failure({ status: 405, message: 'Pull Request is not mergeable' });
  const sha = await bare.commitTree(directory, {
    tree,
    parents: [baseSha, pull.headSha],
    message: `Merge pull request #${pull.number} from ${pull.headRepository.owner.login}/${pull.headBranch}\n\n${pull.title}`,
    author: { name: by.name, email: `${by.login}@users.noreply.github.com` },
    at: clock.now(),
  });
  const ref = `refs/heads/gh-readonly-queue/${pull.baseBranch}/pr-${pull.number}-${baseSha}`;
  const group = { pull, ref, sha, baseSha };
  await bare.updateRef(directory, ref, sha, null);
  await afterPush(core, { repository, ref, before: null, after: sha, pusher: by });
  await emitGroup(core, group, { action: 'checks_requested' }, by);
  return success(group);
}

/** `merged`: the base branch goes on to the group's commit. The branch of the group goes in any case. */
export async function endGroup(core: Core, group: Group, reason: 'merged' | 'dequeued', by: User): Promise<void> {
  const { repository } = core.world;
  const { pull, ref, sha, baseSha } = group;
  const base = `refs/heads/${pull.baseBranch}`;
  if (reason === 'merged') {
    if (!(await bare.updateRef(repository.directory, base, sha, baseSha)))
      throw new Error(`${pull.baseBranch} has moved: its group would be made anew`);
    await afterPush(core, { repository, ref: base, before: baseSha, after: sha, pusher: by });
  }
  await emitGroup(core, group, { action: 'destroyed', reason }, by);
  await bare.deleteRef(repository.directory, ref);
  await afterPush(core, { repository, ref, before: sha, after: null, pusher: by });
}

async function emitGroup(
  core: Core,
  { pull, ref, sha, baseSha }: Group,
  news: { readonly action: string; readonly reason?: string },
  by: User,
): Promise<void> {
  const { world, shapes, hooks } = core;
  const [commit] = await bare.commits(world.repository.directory, [sha], 1);
  if (commit === undefined) throw new Error(`there is no commit ${sha}`);
  hooks.emit('merge_group', {
    ...news,
    merge_group: {
      head_sha: sha,
      head_ref: ref,
      base_sha: baseSha,
      base_ref: `refs/heads/${pull.baseBranch}`,
      head_commit: {
        id: sha,
        tree_id: commit.tree,
        message: commit.message,
        timestamp: commit.committer.date,
        author: { name: commit.author.name, email: commit.author.email },
        committer: { name: commit.committer.name, email: commit.committer.email },
      },
    },
    repository: shapes.repository(world.repository),
    sender: shapes.user(by),
  });
}
