/** A person and a repository as GitHub writes them: mostly addresses. */
import type { JsonObject } from '../../std/json.ts';
import { fullName, timestamp } from './world.ts';
import type { Repository, User, World } from './world.ts';

interface Places {
  readonly api: string;
  readonly web: string;
}

export function userShape(places: Places, user: User): JsonObject {
  const login = encodeURIComponent(user.login);
  const api = `${places.api}/users/${login}`;
  return {
    login: user.login,
    id: user.id,
    node_id: Buffer.from(`User:${user.id}`).toString('base64url'),
    avatar_url: `${places.web}/avatars/${user.id}`,
    gravatar_id: '',
    url: api,
    html_url: `${places.web}/${login}`,
    followers_url: `${api}/followers`,
    following_url: `${api}/following{/other_user}`,
    gists_url: `${api}/gists{/gist_id}`,
    starred_url: `${api}/starred{/owner}{/repo}`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events{/privacy}`,
    received_events_url: `${api}/received_events`,
    type: user.type,
    site_admin: false,
  };
}

/** What follows `/repos/owner/name` in the addresses of a repository. */
const addresses: Readonly<Record<string, string>> = {
  archive_url: '{archive_format}{/ref}',
  assignees_url: 'assignees{/user}',
  blobs_url: 'git/blobs{/sha}',
  branches_url: 'branches{/branch}',
  collaborators_url: 'collaborators{/collaborator}',
  comments_url: 'comments{/number}',
  commits_url: 'commits{/sha}',
  compare_url: 'compare/{base}...{head}',
  contents_url: 'contents/{+path}',
  contributors_url: 'contributors',
  deployments_url: 'deployments',
  downloads_url: 'downloads',
  events_url: 'events',
  forks_url: 'forks',
  git_commits_url: 'git/commits{/sha}',
  git_refs_url: 'git/refs{/sha}',
  git_tags_url: 'git/tags{/sha}',
  hooks_url: 'hooks',
  issue_comment_url: 'issues/comments{/number}',
  issue_events_url: 'issues/events{/number}',
  issues_url: 'issues{/number}',
  keys_url: 'keys{/key_id}',
  labels_url: 'labels{/name}',
  languages_url: 'languages',
  merges_url: 'merges',
  milestones_url: 'milestones{/number}',
  notifications_url: 'notifications{?since,all,participating}',
  pulls_url: 'pulls{/number}',
  releases_url: 'releases{/id}',
  stargazers_url: 'stargazers',
  statuses_url: 'statuses/{sha}',
  subscribers_url: 'subscribers',
  subscription_url: 'subscription',
  tags_url: 'tags',
  teams_url: 'teams',
  trees_url: 'git/trees{/sha}',
};

/** `webhook`: push webhooks write the times of the repository as seconds. */
export function repositoryShape(places: Places, world: World, repository: Repository, webhook: boolean): JsonObject {
  const name = fullName(repository);
  const api = `${places.api}/repos/${name}`;
  const seconds = Math.floor(repository.createdAt / 1000);
  const openIssues = repository.isFork ? 0 : world.pulls.filter((pull) => pull.state === 'open').length;
  return {
    id: repository.id,
    node_id: Buffer.from(`Repository:${repository.id}`).toString('base64url'),
    name: repository.name,
    full_name: name,
    private: repository.isPrivate,
    visibility: repository.isPrivate ? 'private' : 'public',
    owner: userShape(places, repository.owner),
    html_url: `${places.web}/${name}`,
    description: null,
    fork: repository.isFork,
    url: api,
    ...Object.fromEntries(Object.entries(addresses).map(([key, rest]) => [key, `${api}/${rest}`])),
    clone_url: `${places.web}/${name}.git`,
    git_url: `git://127.0.0.1/${name}.git`,
    ssh_url: `git@127.0.0.1:${name}.git`,
    svn_url: `${places.web}/${name}`,
    mirror_url: null,
    homepage: null,
    language: 'TypeScript',
    default_branch: 'main',
    forks: world.forks.size,
    forks_count: world.forks.size,
    network_count: world.forks.size,
    open_issues: openIssues,
    open_issues_count: openIssues,
    stargazers_count: 0,
    subscribers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 0,
    license: null,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    has_downloads: false,
    is_template: false,
    archived: false,
    disabled: false,
    allow_forking: true,
    web_commit_signoff_required: false,
    created_at: webhook ? seconds : timestamp(repository.createdAt),
    updated_at: timestamp(repository.createdAt),
    pushed_at: webhook ? seconds : timestamp(repository.createdAt),
  };
}
