/**
 * What our GitHub knows: people, one repository and its forks, pull requests, comments, statuses, check runs. Everything
 * is held in memory; the repositories themselves are bare ones on disk.
 */
import type { Clock } from '../../std/clock.ts';

export type Permission = 'none' | 'read' | 'write' | 'admin';

export interface User {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly type: 'User' | 'Bot';
  readonly permission: Permission;
}

/** A GitHub App, installed for the one repository. Its bot writes in its name. */
export interface App {
  readonly id: number;
  readonly slug: string;
  readonly installationId: number;
  readonly bot: User;
  readonly permissions: { readonly [name: string]: 'read' | 'write' };
  readonly publicKey: string;
}

export interface Repository {
  readonly id: number;
  readonly owner: User;
  readonly name: string;
  /** The bare repository on disk. */
  readonly directory: string;
  readonly isPrivate: boolean;
  readonly isFork: boolean;
  readonly createdAt: number;
}

export interface Pull {
  readonly id: number;
  readonly number: number;
  readonly author: User;
  readonly headRepository: Repository;
  readonly headBranch: string;
  baseBranch: string;
  readonly createdAt: number;
  /** Untrusted, as are its body and branch. */
  title: string;
  body: string | null;
  headSha: string;
  /** The base's tip when the head last moved. */
  baseSha: string;
  state: 'open' | 'closed';
  merged: boolean;
  mergedBy: User | null;
  mergedAt: number | null;
  closedAt: number | null;
  updatedAt: number;
  /** While open the trial merge (null: conflicts), afterwards the merge commit. */
  mergeSha: string | null;
}

export interface Reaction {
  readonly id: number;
  readonly user: User;
  readonly content: string;
  readonly createdAt: number;
}

export interface Comment {
  readonly id: number;
  readonly pull: number;
  readonly author: User;
  readonly viaApp: boolean;
  readonly createdAt: number;
  body: string;
  updatedAt: number;
  reactions: readonly Reaction[];
}

export type StatusState = 'error' | 'failure' | 'pending' | 'success';

export interface Status {
  readonly id: number;
  readonly sha: string;
  readonly state: StatusState;
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: User;
  readonly createdAt: number;
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: 'notice' | 'warning' | 'failure';
  readonly message: string;
  readonly title?: string;
  readonly raw_details?: string;
}

export interface CheckRun {
  readonly id: number;
  readonly sha: string;
  readonly name: string;
  readonly createdAt: number;
  status: string;
  conclusion: string | null;
  startedAt: string | null;
  completedAt: string | null;
  externalId: string | null;
  detailsUrl: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations: readonly Annotation[];
  actions: readonly { readonly label: string; readonly description: string; readonly identifier: string }[];
}

export interface World {
  readonly clock: Clock;
  readonly users: Map<string, User>;
  readonly repository: Repository;
  readonly forks: Map<string, Repository>;
  readonly app: App | null;
  readonly pulls: Pull[];
  readonly statuses: Status[];
  readonly checkRuns: CheckRun[];
  comments: readonly Comment[];
  /** Full SHAs that Git was asked for before: objects never go. */
  readonly knownCommits: Set<string>;
  /** Ids rise over all kinds of things, so that one is never taken for another. */
  nextId(): number;
}

export function fullName(repository: Repository): string {
  return `${repository.owner.login}/${repository.name}`;
}

/** GitHub writes times without milliseconds. */
export function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Logins and names of repositories, as GitHub compares them: without regard to case. */
export function findRepository(world: World, owner: string, name: string): Repository | null {
  const wanted = `${owner}/${name}`.toLowerCase();
  return (
    [world.repository, ...world.forks.values()].find((repository) => fullName(repository).toLowerCase() === wanted) ??
    null
  );
}

export function findUser(world: World, login: string): User | null {
  return world.users.get(login.toLowerCase()) ?? null;
}
