import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeGitHub } from '../../src/demo/github/github.ts';
import { octokitOf, pushBranch, repository, setUp } from './set-up.ts';

async function page(github: FakeGitHub, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${github.webUrl}/ada/birds${path}`);
  return { status: answer.status, text: await answer.text() };
}

function submit(github: FakeGitHub, form: Record<string, string>, origin = github.webUrl): Promise<Response> {
  return fetch(`${github.webUrl}/ada/birds/pull/1`, {
    method: 'POST',
    headers: { origin },
    body: new URLSearchParams(form),
    redirect: 'manual',
  });
}

test('every link that the API gives for a page leads to one', async (t) => {
  const { github, clone, first } = await setUp(t);
  const head = await pushBranch(clone, 'change');
  await github.openPullRequest({ head: 'change', base: 'main', title: 'A <b>bold</b> change', user: 'grace' });
  const { rest } = octokitOf(github, github.token);
  const status = {
    ...repository,
    sha: head,
    state: 'failure',
    context: 'contender/train',
    target_url: 'javascript:alert(1)',
  } as const;
  await rest.repos.createCommitStatus({ ...status, description: 'fell <from> 0.8' });
  const comment = await rest.issues.createComment({ ...repository, issue_number: 1, body: '### ✗ train: failed' });
  const pull = await rest.pulls.get({ ...repository, pull_number: 1 });
  const commit = await rest.repos.getCommit({ ...repository, ref: head });
  for (const address of [comment.data.html_url, pull.data.html_url, commit.data.html_url]) {
    const answer = await fetch(address);
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers.get('content-security-policy')), /default-src 'none'/);
    const text = await answer.text();
    assert.match(text, /fell &lt;from&gt; 0\.8/);
    assert.doesNotMatch(text, /javascript:|<b>bold/);
  }
  assert.match((await page(github, '/pull/1')).text, /<h3>✗ train: failed<\/h3>/);
  assert.match((await page(github, '/pull/1/files')).text, /change\.txt/);
  assert.match((await page(github, '')).text, /Write README\.md/);
  assert.match((await page(github, `/commit/${first}`)).text, /No checks on this commit/);
  for (const nowhere of ['/pull/2', `/commit/${'f'.repeat(40)}`, '/commit/--help', '/runs/1', '/nothing'])
    assert.equal((await page(github, nowhere)).status, 404);
  assert.deepEqual(github.violations(), []);
});

test('a person comments and merges in the browser, within what they may do', async (t) => {
  const { github, clone } = await setUp(t);
  await pushBranch(clone, 'change');
  const pull = await github.openPullRequest({ head: 'change', base: 'main', title: 'Change', user: 'grace' });
  assert.equal((await submit(github, { act: 'comment', user: 'mallory', body: '/test' })).status, 303);
  assert.deepEqual(
    github.comments(1).map(({ author, body }) => [author.login, body]),
    [['mallory', '/test']],
  );
  assert.equal((await submit(github, { act: 'merge', user: 'mallory' })).status, 403);
  assert.equal((await submit(github, { act: 'merge', user: 'ada' }, 'http://evil.example')).status, 403);
  assert.equal(pull.state, 'open');
  assert.equal((await submit(github, { act: 'close', user: 'grace' })).status, 303);
  assert.equal((await submit(github, { act: 'reopen', user: 'grace' })).status, 303);
  assert.equal((await submit(github, { act: 'merge', user: 'ada' })).status, 303);
  assert.equal(pull.merged, true);
  await github.hooksDelivered();
  assert.deepEqual(
    github.deliveries().map(({ event, action }) => action ?? event),
    ['push', 'push', 'opened', 'created', 'closed', 'reopened', 'push', 'closed'],
  );
});
