/**
 * What we know in GitHub's own shapes, as its published schema asks for them. `Shapes` is bound to a world and to the
 * addresses under which it answers.
 */
import type { JsonObject } from '../../std/json.ts';
import { repositoryShape, userShape } from './shapes-basic.ts';
import { fullName, timestamp } from './world.ts';
import type { App, CheckRun, Comment, Pull, Reaction, Repository, Status, User, World } from './world.ts';

export interface Places {
  /** `http://127.0.0.1:4000/api/v3` */
  readonly api: string;
  /** `http://127.0.0.1:4000` */
  readonly web: string;
}

export interface Lines {
  readonly additions: number;
  readonly deletions: number;
  readonly files: number;
  readonly commits: number;
}

export type Shapes = ReturnType<typeof createShapes>;

export function nodeId(kind: string, id: number): string {
  return Buffer.from(`${kind}:${id}`).toString('base64url');
}

export function createShapes(world: World, places: Places) {
  const user = (of: User): JsonObject => userShape(places, of);
  const app = (of: App): JsonObject => appShape(places, world.repository, of);
  // Asked for each time: the port is known only once the server listens.
  const basic = {
    user,
    app,
    get repositoryApi(): string {
      return `${places.api}/repos/${fullName(world.repository)}`;
    },
    get repositoryWeb(): string {
      return `${places.web}/${fullName(world.repository)}`;
    },
  };
  return {
    user,
    app,
    addresses: basic,
    repository: (of: Repository, webhook = false): JsonObject => repositoryShape(places, world, of, webhook),
    pull: (of: Pull): JsonObject => pullShape(places, world, of),
    wholePull: (of: Pull, lines: Lines): JsonObject => ({
      ...pullShape(places, world, of),
      ...lineCounts(world, of, lines),
      merged_by: of.mergedBy === null ? null : user(of.mergedBy),
    }),
    issue: (of: Pull): JsonObject => issueShape(basic, world, of),
    comment: (of: Comment): JsonObject => commentShape(basic, world, of),
    reaction: (of: Reaction): JsonObject => ({
      id: of.id,
      node_id: nodeId('Reaction', of.id),
      user: user(of.user),
      content: of.content,
      created_at: timestamp(of.createdAt),
    }),
    status: (of: Status): JsonObject => ({ ...statusShape(basic, of), creator: user(of.creator) }),
    simpleStatus: (of: Status): JsonObject => statusShape(basic, of),
    checkRun: (of: CheckRun): JsonObject => checkRunShape(basic, world, of),
    installation: (of: App): JsonObject => installationShape(places, world, of),
  };
}

interface Basic {
  readonly user: (of: User) => JsonObject;
  readonly app: (of: App) => JsonObject;
  readonly repositoryApi: string;
  readonly repositoryWeb: string;
}

function appShape(places: Places, repository: Repository, app: App): JsonObject {
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('App', app.id),
    client_id: `Iv1.${app.id.toString(16).padStart(16, '0')}`,
    owner: userShape(places, repository.owner),
    name: app.slug,
    description: '',
    external_url: `${places.web}/apps/${app.slug}`,
    html_url: `${places.web}/apps/${app.slug}`,
    created_at: timestamp(repository.createdAt),
    updated_at: timestamp(repository.createdAt),
    permissions: app.permissions,
    events: ['push', 'pull_request', 'issue_comment', 'check_run'],
  };
}

function installationShape(places: Places, world: World, app: App): JsonObject {
  const owner = world.repository.owner;
  return {
    id: app.installationId,
    app_id: app.id,
    app_slug: app.slug,
    target_id: owner.id,
    target_type: owner.type,
    account: userShape(places, owner),
    repository_selection: 'selected',
    access_tokens_url: `${places.api}/app/installations/${app.installationId}/access_tokens`,
    repositories_url: `${places.api}/installation/repositories`,
    html_url: `${places.web}/settings/installations/${app.installationId}`,
    permissions: app.permissions,
    events: ['push', 'pull_request', 'issue_comment', 'check_run'],
    created_at: timestamp(world.repository.createdAt),
    updated_at: timestamp(world.repository.createdAt),
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
  };
}

function association(world: World, user: User): string {
  if (user.id === world.repository.owner.id) return 'OWNER';
  return user.permission === 'write' || user.permission === 'admin' ? 'COLLABORATOR' : 'NONE';
}

function pullShape(places: Places, world: World, pull: Pull): JsonObject {
  const api = `${places.api}/repos/${fullName(world.repository)}`;
  const web = `${places.web}/${fullName(world.repository)}`;
  const links = {
    self: `${api}/pulls/${pull.number}`,
    html: `${web}/pull/${pull.number}`,
    issue: `${api}/issues/${pull.number}`,
    comments: `${api}/issues/${pull.number}/comments`,
    review_comments: `${api}/pulls/${pull.number}/comments`,
    review_comment: `${api}/pulls/comments{/number}`,
    commits: `${api}/pulls/${pull.number}/commits`,
    statuses: `${api}/statuses/${pull.headSha}`,
  };
  return {
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    number: pull.number,
    url: links.self,
    html_url: links.html,
    diff_url: `${links.html}.diff`,
    patch_url: `${links.html}.patch`,
    issue_url: links.issue,
    comments_url: links.comments,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    commits_url: links.commits,
    statuses_url: links.statuses,
    state: pull.state,
    locked: false,
    active_lock_reason: null,
    draft: false,
    title: pull.title,
    body: pull.body,
    user: userShape(places, pull.author),
    author_association: association(world, pull.author),
    created_at: timestamp(pull.createdAt),
    updated_at: timestamp(pull.updatedAt),
    closed_at: pull.closedAt === null ? null : timestamp(pull.closedAt),
    merged_at: pull.mergedAt === null ? null : timestamp(pull.mergedAt),
    merge_commit_sha: pull.mergeSha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: [],
    milestone: null,
    auto_merge: null,
    head: sideShape(places, world, pull.headRepository, pull.headBranch, pull.headSha),
    base: sideShape(places, world, world.repository, pull.baseBranch, pull.baseSha),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
  };
}

function sideShape(places: Places, world: World, repository: Repository, branch: string, sha: string): JsonObject {
  return {
    label: `${repository.owner.login}:${branch}`,
    ref: branch,
    sha,
    user: userShape(places, repository.owner),
    repo: repositoryShape(places, world, repository, false),
  };
}

function lineCounts(world: World, pull: Pull, lines: Lines): JsonObject {
  const open = pull.state === 'open';
  return {
    merged: pull.merged,
    mergeable: open ? pull.mergeSha !== null : null,
    mergeable_state: open ? (pull.mergeSha === null ? 'dirty' : 'clean') : 'unknown',
    rebaseable: false,
    comments: world.comments.filter((comment) => comment.pull === pull.number).length,
    review_comments: 0,
    commits: lines.commits,
    additions: lines.additions,
    deletions: lines.deletions,
    changed_files: lines.files,
    maintainer_can_modify: false,
  };
}

function issueShape(basic: Basic, world: World, pull: Pull): JsonObject {
  const url = `${basic.repositoryApi}/issues/${pull.number}`;
  const html = `${basic.repositoryWeb}/pull/${pull.number}`;
  return {
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    number: pull.number,
    url,
    repository_url: basic.repositoryApi,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: html,
    title: pull.title,
    user: basic.user(pull.author),
    labels: [],
    state: pull.state,
    locked: false,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: world.comments.filter((comment) => comment.pull === pull.number).length,
    created_at: timestamp(pull.createdAt),
    updated_at: timestamp(pull.updatedAt),
    closed_at: pull.closedAt === null ? null : timestamp(pull.closedAt),
    author_association: association(world, pull.author),
    active_lock_reason: null,
    draft: false,
    body: pull.body,
    reactions: reactionCounts(`${url}/reactions`, []),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: null,
    state_reason: null,
    pull_request: {
      url: `${basic.repositoryApi}/pulls/${pull.number}`,
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: pull.mergedAt === null ? null : timestamp(pull.mergedAt),
    },
  };
}

function commentShape(basic: Basic, world: World, comment: Comment): JsonObject {
  const url = `${basic.repositoryApi}/issues/comments/${comment.id}`;
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url,
    html_url: `${basic.repositoryWeb}/pull/${comment.pull}#issuecomment-${comment.id}`,
    issue_url: `${basic.repositoryApi}/issues/${comment.pull}`,
    body: comment.body,
    user: basic.user(comment.author),
    author_association: association(world, comment.author),
    created_at: timestamp(comment.createdAt),
    updated_at: timestamp(comment.updatedAt),
    performed_via_github_app: comment.viaApp && world.app !== null ? basic.app(world.app) : null,
    reactions: reactionCounts(`${url}/reactions`, comment.reactions),
  };
}

function reactionCounts(url: string, reactions: readonly Reaction[]): JsonObject {
  const contents = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'];
  const count = (content: string): number => reactions.filter((reaction) => reaction.content === content).length;
  return {
    url,
    total_count: reactions.length,
    ...Object.fromEntries(contents.map((content) => [content, count(content)])),
  };
}

function statusShape(basic: Basic, status: Status): JsonObject {
  return {
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    url: `${basic.repositoryApi}/statuses/${status.sha}`,
    avatar_url: basic.user(status.creator)['avatar_url'] ?? null,
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: timestamp(status.createdAt),
    updated_at: timestamp(status.createdAt),
  };
}

function checkRunShape(basic: Basic, world: World, check: CheckRun): JsonObject {
  const url = `${basic.repositoryApi}/check-runs/${check.id}`;
  return {
    id: check.id,
    node_id: nodeId('CheckRun', check.id),
    name: check.name,
    head_sha: check.sha,
    external_id: check.externalId,
    url,
    html_url: `${basic.repositoryWeb}/runs/${check.id}`,
    details_url: check.detailsUrl,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      title: check.title,
      summary: check.summary,
      text: check.text,
      annotations_count: check.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: check.id + 1_000_000 },
    app: world.app === null ? null : basic.app(world.app),
    pull_requests: [],
  };
}
