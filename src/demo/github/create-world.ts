/** The people, the repository, the App with its keys, and forks. */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../std/clock.ts';
import { createBare, git } from './bare.ts';
import type { Core } from './core.ts';
import type { App, Permission, Repository, User, World } from './world.ts';

export interface WorldOptions {
  /** Where the bare repositories are made; must exist. */
  readonly directory: string;
  readonly owner: string;
  readonly name: string;
  /** The owner need not be among them: an admin. */
  readonly users: readonly FakeUser[];
  /** An App installed for the repository; without it there are no check runs. */
  readonly app?: { readonly slug: string; readonly permissions?: { readonly [name: string]: 'read' | 'write' } };
  /** Private unless said otherwise: reading needs a token too. */
  readonly isPrivate?: boolean;
  readonly clock?: Clock;
}

interface FakeUser {
  readonly login: string;
  readonly name?: string;
  readonly permission: Permission;
  readonly type?: 'User' | 'Bot';
}

/** What a program needs to act as the App. */
export interface AppLogin {
  readonly id: number;
  readonly installationId: number;
  /** PEM. */
  readonly privateKey: string;
  readonly botLogin: string;
}

/** GitHub keeps some more; a test that needs them says so. */
const appPermissions = {
  metadata: 'read',
  contents: 'write',
  statuses: 'write',
  checks: 'write',
  pull_requests: 'write',
  issues: 'write',
} as const;

export function createWorld(options: WorldOptions): { readonly world: World; readonly app: AppLogin | null } {
  const clock = options.clock ?? { now: () => Date.now() };
  let id = 1000;
  const nextId = (): number => (id += 1);
  const user = ({ login, name, permission, type }: FakeUser): User => ({
    id: nextId(),
    login,
    name: name ?? login,
    permission,
    type: type ?? 'User',
  });
  const users = new Map<string, User>();
  const given = options.users.some(({ login }) => login === options.owner)
    ? options.users
    : [{ login: options.owner, permission: 'admin' } as const, ...options.users];
  for (const each of given) users.set(each.login.toLowerCase(), user(each));
  const owner = users.get(options.owner.toLowerCase());
  if (owner === undefined) throw new Error('the owner is among the users');
  const repository: Repository = {
    id: nextId(),
    owner,
    name: options.name,
    directory: join(options.directory, options.owner, `${options.name}.git`),
    isPrivate: options.isPrivate ?? true,
    isFork: false,
    createdAt: clock.now(),
  };
  const made = options.app === undefined ? null : createApp(options.app, nextId);
  if (made !== null) users.set(made.app.bot.login.toLowerCase(), made.app.bot);
  const world = {
    clock,
    users,
    repository,
    forks: new Map(),
    app: made?.app ?? null,
    pulls: [],
    statuses: [],
    checkRuns: [],
    comments: [],
    knownCommits: new Set<string>(),
    nextId,
  };
  return { world, app: made?.login ?? null };
}

function createApp(
  wanted: NonNullable<WorldOptions['app']>,
  nextId: () => number,
): { readonly app: App; readonly login: AppLogin } {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const botLogin = `${wanted.slug}[bot]`;
  const app: App = {
    id: nextId(),
    slug: wanted.slug,
    installationId: nextId(),
    bot: { id: nextId(), login: botLogin, name: wanted.slug, type: 'Bot', permission: 'none' },
    permissions: wanted.permissions ?? appPermissions,
    publicKey: keys.publicKey,
  };
  return { app, login: { id: app.id, installationId: app.installationId, privateKey: keys.privateKey, botLogin } };
}

export async function createFork(core: Core, directory: string, owner: User): Promise<Repository> {
  const { world } = core;
  const fork: Repository = {
    ...world.repository,
    id: world.nextId(),
    owner,
    directory: join(directory, owner.login, `${world.repository.name}.git`),
    isFork: true,
    createdAt: world.clock.now(),
  };
  await createBare(fork.directory);
  await git(fork.directory, ['fetch', '--quiet', world.repository.directory, '+refs/heads/*:refs/heads/*']);
  world.forks.set(owner.login.toLowerCase(), fork);
  return fork;
}
