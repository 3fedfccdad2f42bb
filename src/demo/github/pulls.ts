/** Pull requests: opened, moved, merged and closed, with the refs and webhooks that belong to it. */
import type { JsonObject } from '../../std/json.ts';
import { failure, success, type Result } from '../../std/result.ts';
import * as bare from './bare.ts';
import type { Core, Refusal } from './core.ts';
import { pushPayload } from './push-payload.ts';
import type { Lines } from './shapes.ts';
import { findUser, fullName } from './world.ts';
import type { Pull, Repository, User } from './world.ts';

export interface NewPull {
  /** A branch, or `owner:branch` for a fork's. */
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body?: string | null;
  readonly author: User;
}

export async function openPull(core: Core, wanted: NewPull): Promise<Result<Pull, Refusal>> {
  const { world } = core;
  const head = headOf(core, wanted.head);
  if (head === null) return failure(invalid('PullRequest', 'head', 'invalid'));
  const directory = world.repository.directory;
  const baseSha = await bare.resolveCommit(directory, `refs/heads/${wanted.base}`);
  const headSha = await bare.resolveCommit(head.repository.directory, `refs/heads/${head.branch}`);
  if (baseSha === null) return failure(invalid('PullRequest', 'base', 'invalid'));
  if (headSha === null) return failure(invalid('PullRequest', 'head', 'invalid'));
  const twin = world.pulls.find(
    (pull) =>
      pull.state === 'open' &&
      pull.headRepository === head.repository &&
      pull.headBranch === head.branch &&
      pull.baseBranch === wanted.base,
  );
  if (twin !== undefined)
    return failure(custom(`A pull request already exists for ${head.repository.owner.login}:${head.branch}.`));
  await bringHead(core, head.repository, headSha);
  if (await bare.isAncestor(directory, headSha, baseSha))
    return failure(custom(`No commits between ${wanted.base} and ${head.branch}`));
  const now = world.clock.now();
  const pull: Pull = {
    id: world.nextId(),
    number: world.pulls.length + 1,
    title: wanted.title,
    body: wanted.body ?? null,
    author: wanted.author,
    headRepository: head.repository,
    headBranch: head.branch,
    baseBranch: wanted.base,
    createdAt: now,
    headSha,
    baseSha,
    state: 'open',
    merged: false,
    mergedBy: null,
    mergedAt: null,
    closedAt: null,
    updatedAt: now,
    mergeSha: null,
  };
  world.pulls.push(pull);
  await keepRefs(core, pull);
  await emitPull(core, 'opened', pull, wanted.author);
  return success(pull);
}

/** The head of a fork comes into the base's repository, as on GitHub, where both share their objects. */
async function bringHead(core: Core, from: Repository, sha: string): Promise<void> {
  if (from !== core.world.repository)
    await bare.git(core.world.repository.directory, ['fetch', '--quiet', '--no-tags', from.directory, sha]);
}

function headOf(core: Core, head: string): { readonly repository: Repository; readonly branch: string } | null {
  const [owner, branch] = head.includes(':') ? head.split(':', 2) : [null, head];
  if (branch === undefined) return null;
  if (owner === null || owner.toLowerCase() === core.world.repository.owner.login.toLowerCase())
    return { repository: core.world.repository, branch };
  const fork = core.world.forks.get(owner.toLowerCase());
  return fork === undefined ? null : { repository: fork, branch };
}

/** `refs/pull/N/head`, and `refs/pull/N/merge` with the trial merge, which goes where there are conflicts. */
async function keepRefs(core: Core, pull: Pull): Promise<void> {
  const { repository, clock } = core.world;
  await bare.updateRef(repository.directory, `refs/pull/${pull.number}/head`, pull.headSha, null);
  const tree = await bare.mergeTree(repository.directory, pull.baseSha, pull.headSha);
  if (tree === null) {
    pull.mergeSha = null;
    await bare.deleteRef(repository.directory, `refs/pull/${pull.number}/merge`);
    return;
  }
  pull.mergeSha = await bare.commitTree(repository.directory, {
    tree,
    parents: [pull.baseSha, pull.headSha],
    message: `Merge ${pull.headSha} into ${pull.baseSha}`,
    author: { name: pull.author.name, email: emailOf(pull.author) },
    at: clock.now(),
  });
  await bare.updateRef(repository.directory, `refs/pull/${pull.number}/merge`, pull.mergeSha, null);
}

function emailOf(user: User): string {
  return `${user.id}+${user.login}@users.noreply.github.com`;
}

export interface MergeOptions {
  readonly by: User;
  readonly method: 'merge' | 'squash';
  readonly title?: string;
  readonly message?: string;
  /** Refused where the head is another. */
  readonly expectedHead?: string;
}

export async function mergePull(core: Core, pull: Pull, options: MergeOptions): Promise<Result<string, Refusal>> {
  const { repository, clock } = core.world;
  if (options.expectedHead !== undefined && options.expectedHead !== pull.headSha)
    return failure({ status: 409, message: 'Head branch was modified. Review and try the merge again.' });
  if (pull.state !== 'open') return failure({ status: 405, message: 'Pull Request is not mergeable' });
  const base = `refs/heads/${pull.baseBranch}`;
  const tip = await bare.resolveCommit(repository.directory, base);
  const tree = tip === null ? null : await bare.mergeTree(repository.directory, tip, pull.headSha);
  if (tip === null || tree === null) return failure({ status: 405, message: 'Pull Request is not mergeable' });
  const squash = options.method === 'squash';
  const title = squash
    ? `${pull.title} (#${pull.number})`
    : `Merge pull request #${pull.number} from ${pull.headRepository.owner.login}/${pull.headBranch}`;
  const sha = await bare.commitTree(repository.directory, {
    tree,
    parents: squash ? [tip] : [tip, pull.headSha],
    message: `${options.title ?? title}\n\n${options.message ?? (squash ? '' : pull.title)}`.trimEnd(),
    author: { name: options.by.name, email: emailOf(options.by) },
    at: clock.now(),
  });
  if (!(await bare.updateRef(repository.directory, base, sha, tip)))
    return failure({ status: 409, message: 'Base branch was modified. Review and try the merge again.' });
  markMerged(core, pull, sha, options.by);
  core.hooks.emit('push', await pushPayload(core, { ref: base, before: tip, after: sha, pusher: options.by }));
  await emitPull(core, 'closed', pull, options.by);
  await refreshMergeability(core, pull.baseBranch);
  return success(sha);
}

function markMerged(core: Core, pull: Pull, sha: string, by: User): void {
  const now = core.world.clock.now();
  pull.state = 'closed';
  pull.merged = true;
  pull.mergedBy = by;
  pull.mergedAt = now;
  pull.closedAt = now;
  pull.updatedAt = now;
  pull.mergeSha = sha;
}

/** A base that moved may bring conflicts, or take them away; the pull request's own base stays where it was. */
async function refreshMergeability(core: Core, branch: string): Promise<void> {
  const directory = core.world.repository.directory;
  const tip = await bare.resolveCommit(directory, `refs/heads/${branch}`);
  for (const pull of core.world.pulls)
    if (tip !== null && pull.state === 'open' && pull.baseBranch === branch) {
      const tree = await bare.mergeTree(directory, tip, pull.headSha);
      if ((tree === null) !== (pull.mergeSha === null)) {
        pull.baseSha = tip;
        await keepRefs(core, pull);
      }
    }
}

export async function closePull(core: Core, pull: Pull, by: User): Promise<void> {
  if (pull.state === 'closed') return;
  const now = core.world.clock.now();
  pull.state = 'closed';
  pull.closedAt = now;
  pull.updatedAt = now;
  await emitPull(core, 'closed', pull, by);
}

export async function reopenPull(core: Core, pull: Pull, by: User): Promise<Result<void, Refusal>> {
  if (pull.state === 'open') return success(undefined);
  const head = await bare.resolveCommit(pull.headRepository.directory, `refs/heads/${pull.headBranch}`);
  if (pull.merged || head !== pull.headSha)
    return failure(custom('state cannot be changed. The head branch was merged, moved or deleted.'));
  pull.state = 'open';
  pull.closedAt = null;
  pull.updatedAt = core.world.clock.now();
  await keepRefs(core, pull);
  await emitPull(core, 'reopened', pull, by);
  return success(undefined);
}

/** It is to go to another branch. */
export async function retargetPull(core: Core, pull: Pull, branch: string, by: User): Promise<Result<void, Refusal>> {
  const tip = await bare.resolveCommit(core.world.repository.directory, `refs/heads/${branch}`);
  if (tip === null || pull.state === 'closed') return failure(invalid('PullRequest', 'base', 'invalid'));
  if (branch === pull.baseBranch) return success(undefined);
  const base = { ref: { from: pull.baseBranch }, sha: { from: pull.baseSha } };
  [pull.baseBranch, pull.baseSha, pull.updatedAt] = [branch, tip, core.world.clock.now()];
  await keepRefs(core, pull);
  await emitPull(core, 'edited', pull, by, { changes: { base } });
  return success(undefined);
}

export interface RefChange {
  readonly repository: Repository;
  readonly ref: string;
  /** Null: the ref was made, or went. */
  readonly before: string | null;
  readonly after: string | null;
  readonly pusher: User;
}

/** What GitHub does after a push: the webhook of the ref, then that of each pull request that it concerns. */
export async function afterPush(core: Core, change: RefChange): Promise<void> {
  const { world } = core;
  if (!/^refs\/(heads|tags)\//.test(change.ref)) return;
  const zero = '0'.repeat(40);
  if (change.repository === world.repository)
    core.hooks.emit(
      'push',
      await pushPayload(core, { ...change, before: change.before ?? zero, after: change.after ?? zero }),
    );
  if (!change.ref.startsWith('refs/heads/')) return;
  const branch = change.ref.slice('refs/heads/'.length);
  for (const pull of world.pulls.filter(({ state }) => state === 'open')) {
    if (pull.headRepository === change.repository && pull.headBranch === branch) await moveHead(core, pull, change);
    const isBase = change.repository === world.repository && pull.baseBranch === branch;
    if (isBase && pull.state === 'open' && change.after !== null)
      await mergedByPush(core, pull, change.after, change.pusher);
  }
  if (change.repository === world.repository) await refreshMergeability(core, branch);
}

async function moveHead(core: Core, pull: Pull, change: RefChange): Promise<void> {
  if (change.after === null) return closePull(core, pull, change.pusher);
  const directory = core.world.repository.directory;
  const before = pull.headSha;
  pull.headSha = change.after;
  pull.baseSha = (await bare.resolveCommit(directory, `refs/heads/${pull.baseBranch}`)) ?? pull.baseSha;
  pull.updatedAt = core.world.clock.now();
  await bringHead(core, pull.headRepository, pull.headSha);
  await keepRefs(core, pull);
  await emitPull(core, 'synchronize', pull, change.pusher, { before, after: change.after });
}

/** Whoever pushes a branch's commits to the base has merged its pull request. */
async function mergedByPush(core: Core, pull: Pull, tip: string, by: User): Promise<void> {
  if (!(await bare.isAncestor(core.world.repository.directory, pull.headSha, tip))) return;
  markMerged(core, pull, tip, by);
  await emitPull(core, 'closed', pull, by);
}

export async function linesOf(core: Core, pull: Pull): Promise<Lines> {
  const directory = core.world.repository.directory;
  const base = (await bare.mergeBase(directory, pull.baseSha, pull.headSha)) ?? pull.baseSha;
  const lines = await bare.countLines(directory, base, pull.headSha);
  return { ...lines, commits: await bare.countCommits(directory, `${base}..${pull.headSha}`) };
}

async function emitPull(core: Core, action: string, pull: Pull, sender: User, more: JsonObject = {}): Promise<void> {
  const { shapes, world } = core;
  core.hooks.emit('pull_request', {
    action,
    number: pull.number,
    pull_request: shapes.wholePull(pull, await linesOf(core, pull)),
    repository: shapes.repository(world.repository),
    sender: shapes.user(sender),
    ...more,
  });
}

function invalid(resource: string, field: string, code: string): Refusal {
  return { status: 422, message: 'Validation Failed', errors: [{ resource, field, code }] };
}

function custom(message: string): Refusal {
  return { status: 422, message: 'Validation Failed', errors: [{ resource: 'PullRequest', code: 'custom', message }] };
}

/** Somebody with that login, or the bug in a test that forgot to name them. */
export function mustFindUser(core: Core, login: string): User {
  const user = findUser(core.world, login);
  if (user === null) throw new Error(`${login} is no user of ${fullName(core.world.repository)}'s GitHub`);
  return user;
}
