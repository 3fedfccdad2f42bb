import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import type { FakeGitHub } from '../../src/demo/github/github.ts';
import { git, octokitOf, pushBranch, repository, setUp, statusOf } from './set-up.ts';

function octokitOfApp(github: FakeGitHub): Octokit {
  assert.ok(github.app !== null);
  const { id, installationId, privateKey } = github.app;
  return new Octokit({
    baseUrl: github.url,
    authStrategy: createAppAuth,
    auth: { appId: id, installationId, privateKey },
  });
}

test('the caller is told who they are, a bad token is refused, a hidden repository is not found', async (t) => {
  const { github } = await setUp(t);
  const { data, headers } = await octokitOf(github, github.token).rest.users.getAuthenticated();
  assert.equal(data.login, 'ada');
  assert.equal(headers['x-ratelimit-limit'], '5000');
  assert.equal(await statusOf(octokitOf(github, 'ghp_wrong').rest.users.getAuthenticated()), 401);
  for (const token of [github.tokenOf('nobody'), github.tokenOf('ada', ['gist'])])
    assert.equal(await statusOf(octokitOf(github, token).rest.repos.get(repository)), 404);
  const repo = await octokitOf(github, github.token).rest.repos.get(repository);
  assert.equal(repo.data.full_name, 'ada/birds');
  assert.equal(typeof repo.data.id, 'number');
  assert.deepEqual(github.violations(), []);
});

test('statuses keep the limit of their description, and the latest of each context counts', async (t) => {
  const { github, first } = await setUp(t);
  const { rest } = octokitOf(github, github.tokenOf('grace'));
  const write = (state: 'pending' | 'success', description: string): Promise<unknown> =>
    rest.repos.createCommitStatus({ ...repository, sha: first, state, context: 'contender/train', description });
  await write('pending', 'd'.repeat(139));
  await write('success', 'd'.repeat(140));
  assert.equal(await statusOf(write('success', 'd'.repeat(141))), 422);
  assert.deepEqual(
    github.statuses(first).map(({ state }) => state),
    ['pending', 'success'],
  );
  const combined = await rest.repos.getCombinedStatusForRef({ ...repository, ref: 'heads/main' });
  assert.deepEqual([combined.data.state, combined.data.total_count], ['success', 1]);
  const listed = await rest.repos.listCommitStatusesForRef({ ...repository, ref: 'main' });
  assert.deepEqual(
    listed.data.map(({ state }) => state),
    ['success', 'pending'],
  );
  const elsewhere = { ...repository, sha: 'f'.repeat(40), state: 'success' } as const;
  assert.equal(await statusOf(rest.repos.createCommitStatus(elsewhere)), 422);
  const reader = octokitOf(github, github.tokenOf('mallory')).rest.repos;
  assert.equal(await statusOf(reader.createCommitStatus({ ...elsewhere, sha: first })), 403);
  assert.deepEqual(github.violations(), []);
});

test("check runs are the App's alone, and annotations add up", async (t) => {
  const { github, first } = await setUp(t);
  const wanted = { ...repository, name: 'contender/train', head_sha: first } as const;
  assert.equal(await statusOf(octokitOf(github, github.token).rest.checks.create(wanted)), 403);
  const { rest } = octokitOfApp(github);
  const { data: created } = await rest.checks.create({ ...wanted, status: 'in_progress', external_id: 'run-1' });
  const annotation = {
    path: 'a.ts',
    start_line: 1,
    end_line: 1,
    annotation_level: 'failure',
    message: 'wrong',
  } as const;
  const update = (count: number): Promise<unknown> =>
    rest.checks.update({
      ...repository,
      check_run_id: created.id,
      output: { title: 'Trained', summary: 'fine', annotations: Array.from({ length: count }, () => annotation) },
    });
  await update(49);
  await update(50);
  assert.equal(await statusOf(update(51)), 422);
  const done = await rest.checks.update({ ...repository, check_run_id: created.id, conclusion: 'success' });
  assert.deepEqual(
    [done.data.status, done.data.conclusion, done.data.output.annotations_count],
    ['completed', 'success', 99],
  );
  const listed = await rest.checks.listForRef({ ...repository, ref: first });
  assert.deepEqual(
    listed.data.check_runs.map(({ id, external_id }) => [id, external_id]),
    [[created.id, 'run-1']],
  );
  github.rerequestCheckRun(created.id, 'grace');
  await github.hooksDelivered();
  assert.deepEqual(
    github.violations().map((violation) => violation.replace(/^\S+ \S+: /, '')),
    ['request: /output/annotations must NOT have more than 50 items'],
  );
});

test('the token of an App does what the App may, under the name of its bot, until it runs out', async (t) => {
  const { github, clone, first } = await setUp(t, {
    app: { slug: 'contender', permissions: { issues: 'write', contents: 'read' } },
  });
  await pushBranch(clone, 'change');
  await github.openPullRequest({ head: 'change', base: 'main', title: 'Change', user: 'grace' });
  const { rest } = octokitOfApp(github);
  const { data } = await rest.issues.createComment({ ...repository, issue_number: 1, body: 'Hello' });
  assert.deepEqual(
    [data.user?.login, data.user?.type, data.performed_via_github_app?.slug],
    ['contender[bot]', 'Bot', 'contender'],
  );
  assert.equal(await statusOf(rest.repos.createCommitStatus({ ...repository, sha: first, state: 'success' })), 403);
  assert.equal((await octokitOfApp(github).rest.apps.getAuthenticated()).data?.slug, 'contender');
  assert.equal((await rest.apps.getRepoInstallation(repository)).data.id, github.app?.installationId);
  github.expireInstallationTokens();
  assert.equal(await statusOf(fetchAs(github, 'ghs_gone')), 401);
  assert.deepEqual(github.violations(), []);
});

async function fetchAs(github: FakeGitHub, token: string): Promise<unknown> {
  return octokitOf(github, token).rest.repos.get(repository);
}

test('comments keep their limit and belong to their author; reactions are one of a kind', async (t) => {
  const { github, clone } = await setUp(t);
  await pushBranch(clone, 'change');
  await github.openPullRequest({ head: 'change', base: 'main', title: 'Change', user: 'grace' });
  const grace = octokitOf(github, github.tokenOf('grace')).rest;
  const write = (body: string): ReturnType<typeof grace.issues.createComment> =>
    grace.issues.createComment({ ...repository, issue_number: 1, body });
  await write('x'.repeat(65_536));
  assert.equal(await statusOf(write('x'.repeat(65_537))), 422);
  assert.equal(await statusOf(grace.issues.createComment({ ...repository, issue_number: 2, body: 'x' })), 404);
  const { data: comment } = await write('/test');
  const mallory = octokitOf(github, github.tokenOf('mallory')).rest;
  const edit = { ...repository, comment_id: comment.id, body: 'changed' };
  assert.equal(await statusOf(mallory.issues.updateComment(edit)), 403);
  await grace.issues.updateComment(edit);
  const react = { ...repository, comment_id: comment.id, content: 'eyes' } as const;
  assert.equal((await mallory.reactions.createForIssueComment(react)).status, 201);
  assert.equal((await mallory.reactions.createForIssueComment(react)).status, 200);
  assert.equal((await grace.issues.getComment({ ...repository, comment_id: comment.id })).data.reactions?.eyes, 1);
  const mine = await grace.issues.createComment({ ...repository, issue_number: 1, body: 'away' });
  await grace.issues.deleteComment({ ...repository, comment_id: mine.data.id });
  assert.deepEqual(
    github.comments(1).map(({ body }) => body.slice(0, 7)),
    ['xxxxxxx', 'changed'],
  );
  await github.hooksDelivered();
  assert.deepEqual(
    github
      .deliveries()
      .slice(-4)
      .map(({ event, action }) => `${event} ${action}`),
    ['issue_comment created', 'issue_comment edited', 'issue_comment created', 'issue_comment deleted'],
  );
  assert.deepEqual(github.violations(), []);
});

test('lists come in pages with links to the others', async (t) => {
  const { github, clone } = await setUp(t);
  await pushBranch(clone, 'change');
  await github.openPullRequest({ head: 'change', base: 'main', title: 'Change', user: 'grace' });
  for (let count = 0; count < 75; count += 1) github.comment(1, 'grace', `comment ${count}`);
  const octokit = octokitOf(github, github.token);
  const first = await octokit.rest.issues.listComments({ ...repository, issue_number: 1 });
  assert.equal(first.data.length, 30);
  assert.match(String(first.headers.link), /[?&]page=2>; rel="next", <[^>]*[?&]page=3>; rel="last"/);
  const all = await octokit.paginate(octokit.rest.issues.listComments, {
    ...repository,
    issue_number: 1,
    per_page: 20,
  });
  assert.deepEqual(
    all.map(({ body }) => body),
    Array.from({ length: 75 }, (_, count) => `comment ${count}`),
  );
  assert.deepEqual(github.violations(), []);
});

test('pull requests are opened, found by commit, listed, closed and merged over the API', async (t) => {
  const { github, clone, first } = await setUp(t);
  const sha = await pushBranch(clone, 'change');
  const { rest } = octokitOf(github, github.tokenOf('grace'));
  const wanted = { ...repository, head: 'change', base: 'main', title: 'Change' };
  const { data: opened } = await rest.pulls.create(wanted);
  assert.deepEqual(
    [opened.number, opened.mergeable, opened.commits, opened.changed_files, opened.base.sha],
    [1, true, 1, 1, first],
  );
  assert.equal(await statusOf(rest.pulls.create(wanted)), 422);
  assert.equal(await statusOf(rest.pulls.create({ ...wanted, head: 'nowhere' })), 422);
  assert.equal(await statusOf(rest.pulls.create({ ...wanted, head: 'main' })), 422);
  assert.equal(await statusOf(rest.pulls.get({ ...repository, pull_number: 2 })), 404);
  const of = async (commit_sha: string): Promise<readonly number[]> =>
    (await rest.repos.listPullRequestsAssociatedWithCommit({ ...repository, commit_sha })).data.map(
      ({ number }) => number,
    );
  assert.deepEqual([await of(sha), await of(first)], [[1], []]);
  assert.equal((await rest.pulls.list({ ...repository, head: 'ada:change' })).data.length, 1);
  assert.equal((await rest.pulls.list({ ...repository, head: 'ada:other' })).data.length, 0);
  await rest.pulls.update({ ...repository, pull_number: 1, state: 'closed' });
  assert.equal((await rest.pulls.list(repository)).data.length, 0);
  await rest.pulls.update({ ...repository, pull_number: 1, state: 'open' });
  const stale = { ...repository, pull_number: 1, sha: first };
  assert.equal(await statusOf(rest.pulls.merge(stale)), 409);
  const reader = octokitOf(github, github.tokenOf('mallory')).rest.pulls;
  assert.equal(await statusOf(reader.merge({ ...stale, sha })), 403);
  const { data: merged } = await rest.pulls.merge({ ...stale, sha, merge_method: 'squash' });
  assert.deepEqual([await of(merged.sha), await of(sha)], [[1], [1]]);
  await git(clone, 'fetch', '--quiet', 'origin', 'main');
  assert.equal(await git(clone, 'log', '-1', '--format=%P %s', 'FETCH_HEAD'), `${first} Change (#1)`);
  assert.equal((await rest.repos.getBranch({ ...repository, branch: 'main' })).data.commit.sha, merged.sha);
  assert.deepEqual(github.violations(), []);
});

test('the permission of a person is told, and a stranger is not found', async (t) => {
  const { github } = await setUp(t);
  const { rest } = octokitOf(github, github.token);
  const of = async (username: string): Promise<string> =>
    (await rest.repos.getCollaboratorPermissionLevel({ ...repository, username })).data.permission;
  assert.deepEqual(
    [await of('ada'), await of('Grace'), await of('mallory'), await of('nobody')],
    ['admin', 'write', 'read', 'none'],
  );
  assert.equal(await statusOf(of('stranger')), 404);
  assert.deepEqual(github.violations(), []);
});

test('what was not changed is answered with 304', async (t) => {
  const { github } = await setUp(t);
  const { rest } = octokitOf(github, github.token);
  const { headers } = await rest.repos.get(repository);
  const again = rest.repos.get({ ...repository, headers: { 'if-none-match': String(headers.etag) } });
  assert.equal(await statusOf(again), 304);
});
