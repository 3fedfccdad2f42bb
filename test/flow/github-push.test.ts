/** What becomes of commits that do not simply run: skipped, not concerned, broken, replaced, of strangers. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
});
after(() => it.close());
beforeEach(() => it.passes(60_000));

const file = (name: string): string => `.pipelines/${name}.ts`;
const runsOf = (sha: string): Promise<readonly RunRow[]> => it.system.journal.runs({ sha, limit: 10 });

async function openPullRequest(head: string): Promise<number> {
  return (await it.github.openPullRequest({ head, base: 'main', title: head, user: 'grace' })).number;
}

test('a commit that asks to be skipped gets a neutral report and no run', async () => {
  const sha = await it.push('main', 'Write words [Skip CI]', {
    [file('skipped')]: quickPipeline('skipped', '{ push: true }'),
  });
  const status = await it.settled(sha, 'skipped');
  assert.deepEqual([status.state, status.description], ['success', 'The commit message asks to skip']);
  const [check] = await it.system.until('the check run', async () => {
    const checks = it.github.checkRuns(sha);
    return checks.length > 0 ? checks : null;
  });
  assert.equal(check?.conclusion, 'neutral');
  assert.deepEqual(await runsOf(sha), []);
  await it.push('main', 'Have done with it', { [file('skipped')]: null });
  await it.handled();
});

test('a pipeline that a change does not concern says so on the commit, and nothing on the pull request', async () => {
  const on = `{ pullRequest: { paths: ['training/**'] } }`;
  await it.push('main', 'Add two', {
    [file('concerned')]: quickPipeline('concerned', on),
    [file('other')]: quickPipeline('other', on),
  });
  const sha = await it.push('docs', 'Write words', {
    'docs/words.md': 'Words.\n',
    [file('concerned')]: quickPipeline('concerned', on, `owner: 'grace'`),
  });
  const number = await openPullRequest('docs');
  const status = await it.settled(sha, 'other');
  assert.deepEqual([status.state, status.description], ['success', 'Not affected by this change']);
  assert.equal((await it.settled(sha, 'concerned')).state, 'success');
  assert.deepEqual(
    (await runsOf(sha)).map(({ opened }) => opened.pipeline),
    ['concerned'],
    'its own definition concerns it',
  );
  await it.comment(number, 'concerned', /All steps ended well/);
  assert.equal(it.github.comments(number).length, 1);
});

test('a broken definition is an error with its place, and the mended commit turns the same context green', async () => {
  const broken = `import { pipeline } from 'contender';\n\nexport default pipeline('mended', { on: { pullRequest: true } }, () => {\n  nothing();\n});\n`;
  const sha = await it.push('mend', 'Break it', { [file('mended')]: broken });
  const number = await openPullRequest('mend');
  const status = await it.settled(sha, 'mended');
  assert.equal(status.state, 'error');
  assert.match(status.description ?? '', /^\.pipelines\/mended\.ts:4: /);
  await it.comment(number, 'mended', /\.pipelines\/mended\.ts:4:3/);
  const check = await it.system.until('the check run', async () =>
    it.github.checkRuns(sha).find(({ name }) => name === 'contender/mended'),
  );
  assert.equal(check?.conclusion, 'failure');
  assert.deepEqual(
    check?.annotations.map(({ path, start_line: line }) => [path, line]),
    [[file('mended'), 4]],
  );

  const good = await it.push('mend', 'Mend it', { [file('mended')]: quickPipeline('mended', '{ pullRequest: true }') });
  assert.equal((await it.settled(good, 'mended')).state, 'success');
  await it.comment(number, 'mended', new RegExp(good));
});

test('a pull request from a fork waits for somebody who may push, and runs nothing before', async () => {
  await it.push('main', 'Add one', { [file('trusting')]: quickPipeline('trusting', '{ pullRequest: true }') });
  const { pushUrl } = await it.github.fork('stranger');
  await it.git('checkout', '--quiet', '-B', 'evil');
  await it.git('commit', '--quiet', '--allow-empty', '-m', 'Do evil');
  await it.git('push', '--quiet', pushUrl, 'evil');
  const sha = await it.git('rev-parse', 'HEAD');
  const { number } = await it.github.openPullRequest({
    head: 'stranger:evil',
    base: 'main',
    title: 'Evil',
    user: 'stranger',
  });
  const waiting = await it.system.until('what the fork waits for', async () =>
    it.github.statuses(sha).find(({ context }) => context === 'contender/trusting'),
  );
  assert.equal(waiting.state, 'pending');
  assert.match(waiting.description ?? '', /from a fork does not run/);
  await it.handled();
  assert.deepEqual(await runsOf(sha), []);
  assert.deepEqual(it.github.comments(number), []);

  await it.git('push', '--quiet', 'origin', `${sha}:refs/heads/fork-${number}`);
  await openPullRequest(`fork-${number}`);
  assert.equal((await it.settled(sha, 'trusting')).state, 'success', 'it is read, and runs as one of our own');
});

test('a force push cancels the run of the commit that it replaces, and follows the branch back as well', async () => {
  const until = join(it.folder, 'never');
  const slow = (text: string): string => `import { pipeline, step } from 'contender';
export default pipeline('forced', { on: { push: { branches: ['forced'] } }, cancelInProgress: true, owner: '${text}' }, () => {
  step('work', { command: ['sh', '-c', 'until [ -e "${until}" ]; do sleep 0.02; done'] });
});
`;
  const base = await it.push('forced', 'Begin', { 'forced.txt': '' });
  const first = await it.push('forced', 'Slow', { [file('forced')]: slow('mona') });
  const running = await it.system.untilRun('the slow run', ({ opened }) => opened.sha === first);
  await it.git('reset', '--quiet', '--hard', base);
  await it.git('commit', '--quiet', '--allow-empty', '-m', 'Elsewhere');
  await writeFile(join(it.folder, 'clone', '.pipelines', 'forced.ts'), slow('grace'));
  await it.git('add', '--all');
  await it.git('commit', '--quiet', '-m', 'Slow again');
  await it.git('push', '--quiet', '--force', 'origin', 'forced');
  const second = await it.git('rev-parse', 'HEAD');
  const cancelled = await it.system.untilRun(
    'its end',
    ({ id, finishedAt }) => id === running.id && finishedAt !== null,
  );
  assert.equal(cancelled.state, 'cancelled');
  assert.match(
    (await it.settled(first, 'forced')).description ?? '',
    new RegExp(`a newer commit, ${second.slice(0, 7)}, replaces it`),
  );
  await writeFile(until, '');
  assert.equal((await it.settled(second, 'forced')).state, 'success');

  await it.git('push', '--quiet', '--force', 'origin', `${base}:forced`);
  await it.handled();
  assert.equal(await it.system.journal.head(it.system.repository, 'forced'), base);
});

test('a branch that is deleted is forgotten, and runs nothing twice when it comes back', async () => {
  const sha = await it.push('short-lived', 'Add one', {
    [file('brief')]: quickPipeline('brief', `{ push: { branches: ['short-lived'] } }`),
  });
  await it.settled(sha, 'brief');
  await it.git('push', '--quiet', 'origin', '--delete', 'short-lived');
  await it.handled();
  assert.equal(await it.system.journal.head(it.system.repository, 'short-lived'), null);
  await it.git('push', '--quiet', 'origin', `${sha}:refs/heads/short-lived`);
  await it.handled();
  await it.system.until('the branch to be known again', async () =>
    (await it.system.journal.head(it.system.repository, 'short-lived')) === sha ? true : null,
  );
  assert.equal((await runsOf(sha)).length, 1);
});

test('where a pipeline forbids overlap, the commit that comes too early is told', async () => {
  const until = join(it.folder, 'free');
  const alone = (owner: string): string => `import { pipeline, step } from 'contender';
export default pipeline('alone', { on: { push: { branches: ['alone'] } }, overlap: 'forbid', owner: '${owner}' }, () => {
  step('work', { command: ['sh', '-c', 'until [ -e "${until}" ]; do sleep 0.02; done'] });
});
`;
  const first = await it.push('alone', 'First', { [file('alone')]: alone('mona') });
  await it.system.untilRun('the first run', ({ opened }) => opened.sha === first);
  const second = await it.push('alone', 'Second', { [file('alone')]: alone('grace') });
  assert.match((await it.settled(second, 'alone')).description ?? '', /its overlap policy is forbid/);
  await writeFile(until, '');
  assert.equal((await it.settled(first, 'alone')).state, 'success');
});
