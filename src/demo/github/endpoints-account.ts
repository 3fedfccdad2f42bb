/** Endpoints about the caller, the App, the repository and who may do what in it. */
import type { JsonObject } from '../../std/json.ts';
import { permissionOf, atLeast } from './access.ts';
import * as bare from './bare.ts';
import { answer, notFound, page, refuse, type Answer, type Call, type Endpoint } from './endpoint.ts';
import { nodeId } from './shapes.ts';
import { findUser, timestamp, type App, type User } from './world.ts';

const read = { permissions: ['metadata'], level: 'read' } as const;

export const accountEndpoints: readonly Endpoint[] = [
  { name: 'GET /user', need: null, handle: getUser },
  { name: 'GET /users/{username}', need: null, handle: getUserByName },
  { name: 'GET /rate_limit', need: null, handle: getRateLimit },
  { name: 'GET /app', need: null, handle: getApp },
  { name: 'GET /repos/{owner}/{repo}/installation', need: null, handle: getInstallation },
  { name: 'POST /app/installations/{installation_id}/access_tokens', need: null, handle: createInstallationToken },
  { name: 'GET /installation/repositories', need: null, handle: listInstallationRepositories },
  { name: 'GET /repos/{owner}/{repo}', need: read, handle: getRepository },
  {
    name: 'GET /repos/{owner}/{repo}/branches/{branch}',
    need: { permissions: ['contents'], level: 'read' },
    handle: getBranch,
  },
  {
    name: 'GET /repos/{owner}/{repo}/commits/{ref}',
    need: { permissions: ['contents'], level: 'read' },
    handle: getCommit,
  },
  { name: 'GET /repos/{owner}/{repo}/collaborators/{username}/permission', need: read, handle: getPermission },
];

function getUser({ core, caller }: Call): Answer {
  if (caller.kind !== 'user') return refuse({ status: 403, message: 'Resource not accessible by integration' });
  return answer(privateUser(core, caller.user));
}

function privateUser(core: Call['core'], user: User): JsonObject {
  const created = timestamp(core.world.repository.createdAt);
  return {
    ...publicUser(core, user),
    private_gists: 0,
    total_private_repos: 1,
    owned_private_repos: 1,
    disk_usage: 0,
    collaborators: 0,
    two_factor_authentication: true,
    created_at: created,
    updated_at: created,
  };
}

function publicUser(core: Call['core'], user: User): JsonObject {
  const created = timestamp(core.world.repository.createdAt);
  return {
    ...core.shapes.user(user),
    name: user.name,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: created,
    updated_at: created,
  };
}

function getUserByName({ core, parameters }: Call): Answer {
  const user = findUser(core.world, parameters['username'] ?? '');
  return user === null ? notFound : answer(publicUser(core, user));
}

export const hourlyLimit = 5000;

function getRateLimit(): Answer {
  const limit = { limit: hourlyLimit, remaining: hourlyLimit, reset: 0, used: 0 };
  return answer({ resources: { core: limit, search: limit }, rate: limit });
}

function getApp({ core, caller }: Call): Answer {
  return caller.kind === 'app' ? answer(core.shapes.app(caller.app)) : unauthorized();
}

function unauthorized(): Answer {
  return refuse({ status: 401, message: 'A JSON web token could not be decoded' });
}

function getInstallation({ core, caller }: Call): Answer {
  return caller.kind === 'app' ? answer(core.shapes.installation(caller.app)) : unauthorized();
}

function createInstallationToken({ core, caller, access, parameters, body }: Call): Answer {
  if (caller.kind !== 'app') return unauthorized();
  if (Number(parameters['installation_id']) !== caller.app.installationId) return notFound;
  const permissions = asked(caller.app, body);
  if (permissions === null)
    return refuse({ status: 422, message: 'The permissions requested are not granted to this installation.' });
  const { token, expiresAt } = access.installationToken(caller.app, permissions);
  return answer(
    {
      token,
      expires_at: timestamp(expiresAt),
      permissions,
      repository_selection: 'selected',
      repositories: [core.shapes.repository(core.world.repository)],
    },
    201,
  );
}

/** Fewer permissions than the App's, when asked for; null for more. */
function asked(app: App, body: JsonObject): App['permissions'] | null {
  const wanted = body['permissions'];
  if (wanted === undefined || wanted === null || typeof wanted !== 'object') return app.permissions;
  const permissions: Record<string, 'read' | 'write'> = { metadata: 'read' };
  for (const [name, level] of Object.entries(wanted)) {
    const granted = app.permissions[name];
    if (granted === undefined || (level === 'write' && granted === 'read')) return null;
    permissions[name] = level === 'write' ? 'write' : 'read';
  }
  return permissions;
}

function listInstallationRepositories(call: Call): Answer {
  const { core, caller } = call;
  if (caller.kind !== 'installation') return refuse({ status: 403, message: 'Resource not accessible by this token' });
  return page(call, [core.shapes.repository(core.world.repository)], (repositories) => ({
    total_count: 1,
    repositories,
  }));
}

function getRepository({ core, caller }: Call): Answer {
  const permission = permissionOf(core.world, caller);
  return answer({
    ...core.shapes.repository(core.world.repository),
    allow_merge_commit: true,
    allow_squash_merge: true,
    allow_rebase_merge: false,
    allow_auto_merge: false,
    delete_branch_on_merge: false,
    permissions: {
      admin: permission === 'admin',
      maintain: permission === 'admin',
      push: atLeast(permission, 'write'),
      triage: atLeast(permission, 'write'),
      pull: atLeast(permission, 'read'),
    },
  });
}

async function getBranch({ core, parameters }: Call): Promise<Answer> {
  const branch = parameters['branch'] ?? '';
  const directory = core.world.repository.directory;
  const sha = await bare.resolveCommit(directory, `refs/heads/${branch}`);
  const commit = sha === null ? null : await commitShape(core, sha);
  if (commit === null) return refuse({ status: 404, message: 'Branch not found' });
  const url = `${core.shapes.addresses.repositoryApi}/branches/${branch}`;
  return answer({
    name: branch,
    commit,
    _links: { self: url, html: `${core.shapes.addresses.repositoryWeb}/tree/${branch}` },
    protected: false,
    protection: { enabled: false },
    protection_url: `${url}/protection`,
  });
}

async function getCommit({ core, parameters }: Call): Promise<Answer> {
  const sha = await bare.resolveCommit(core.world.repository.directory, parameters['ref'] ?? '');
  const commit = sha === null ? null : await commitShape(core, sha);
  return commit === null
    ? refuse({ status: 422, message: `No commit found for SHA: ${parameters['ref'] ?? ''}` })
    : answer(commit);
}

async function commitShape(core: Call['core'], sha: string): Promise<JsonObject | null> {
  const commit = (await bare.commits(core.world.repository.directory, [sha], 1))[0];
  if (commit === undefined) return null;
  const url = `${core.shapes.addresses.repositoryApi}/commits/${sha}`;
  const git = `${core.shapes.addresses.repositoryApi}/git`;
  return {
    sha,
    node_id: nodeId('Commit', Number.parseInt(sha.slice(0, 8), 16)),
    url,
    html_url: `${core.shapes.addresses.repositoryWeb}/commit/${sha}`,
    comments_url: `${url}/comments`,
    commit: {
      url: `${git}/commits/${sha}`,
      author: { ...commit.author },
      committer: { ...commit.committer },
      message: commit.message,
      tree: { sha: commit.tree, url: `${git}/trees/${commit.tree}` },
      comment_count: 0,
    },
    author: null,
    committer: null,
    parents: commit.parents.map((parent) => ({
      sha: parent,
      url: `${core.shapes.addresses.repositoryApi}/commits/${parent}`,
      html_url: `${core.shapes.addresses.repositoryWeb}/commit/${parent}`,
    })),
  };
}

/** GitHub says `read` of anybody for a public repository. */
function getPermission({ core, parameters }: Call): Answer {
  const user = findUser(core.world, parameters['username'] ?? '');
  if (user === null) return refuse({ status: 404, message: `${parameters['username'] ?? ''} is not a user` });
  const byAll = core.world.repository.isPrivate ? 'none' : 'read';
  const permission = user.permission === 'none' ? byAll : user.permission;
  return answer({
    permission,
    role_name: permission,
    user: {
      ...core.shapes.user(user),
      permissions: {
        admin: permission === 'admin',
        maintain: permission === 'admin',
        push: atLeast(permission, 'write'),
        triage: atLeast(permission, 'write'),
        pull: atLeast(permission, 'read'),
      },
      role_name: permission,
    },
  });
}
