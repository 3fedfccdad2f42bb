/** The payload of a push webhook: the ref, and up to 2048 of the commits that came with it. */
import type { JsonObject } from '../../std/json.ts';
import * as bare from './bare.ts';
import type { Core } from './core.ts';
import { fullName } from './world.ts';
import type { User } from './world.ts';

const commitsMax = 2048;
const none = '0'.repeat(40);

export interface Push {
  readonly ref: string;
  /** Forty zeros where the ref is new, or gone. */
  readonly before: string;
  readonly after: string;
  readonly pusher: User;
}

export async function pushPayload(core: Core, push: Push): Promise<JsonObject> {
  const { world, places, shapes } = core;
  const directory = world.repository.directory;
  const web = `${places.web}/${fullName(world.repository)}`;
  const created = push.before === none;
  const deleted = push.after === none;
  const range = created
    ? [push.after, '--not', ...(await otherBranches(directory, push.ref))]
    : [`${push.before}..${push.after}`];
  const found = deleted ? [] : await bare.commits(directory, range, commitsMax);
  const shaped: JsonObject[] = [];
  for (const commit of found.toReversed()) shaped.push(await commitPayload(web, directory, commit));
  const head = deleted ? null : ((await bare.commits(directory, [push.after], 1))[0] ?? null);
  return {
    ref: push.ref,
    before: push.before,
    after: push.after,
    created,
    deleted,
    forced: !created && !deleted && !(await bare.isAncestor(directory, push.before, push.after)),
    base_ref: null,
    compare:
      created || deleted
        ? `${web}/commit/${(deleted ? push.before : push.after).slice(0, 12)}`
        : `${web}/compare/${push.before.slice(0, 12)}...${push.after.slice(0, 12)}`,
    commits: shaped,
    head_commit: head === null ? null : await commitPayload(web, directory, head),
    repository: shapes.repository(world.repository, true),
    pusher: { name: push.pusher.login, email: `${push.pusher.login}@users.noreply.github.com` },
    sender: shapes.user(push.pusher),
  };
}

async function otherBranches(directory: string, ref: string): Promise<readonly string[]> {
  return [...(await bare.refs(directory)).keys()].filter((name) => name.startsWith('refs/heads/') && name !== ref);
}

async function commitPayload(web: string, directory: string, commit: bare.GitCommit): Promise<JsonObject> {
  const changed = await bare.changedFiles(directory, commit.parents[0] ?? null, commit.sha);
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${web}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    ...changed,
  };
}
