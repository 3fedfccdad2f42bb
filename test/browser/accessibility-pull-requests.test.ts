/** The run of a pull request, and the pages of the demo's own GitHub that lead to it, for everybody. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { noBrowser, visit } from './browser.ts';
import { pleasesEverybody } from './everywhere.ts';
import { churnPipeline, customersCsv } from './pipelines.ts';

const skip = noBrowser;
let it: GitHubSystem;
let worse: RunRow;
let head = '';

before(async () => {
  if (skip !== false) return;
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
  const files = (noise: number, rowsMin = 100): Record<string, string> => ({
    '.pipelines/churn.ts': churnPipeline(noise).replace('rows: { min: 100 }', `rows: { min: ${rowsMin} }`),
    'data/customers.csv': customersCsv,
  });
  await it.evaluation(await it.push('main', 'A first model', files(0.45)), 'promoted');
  head = await it.push('worse', 'A worse model', files(0.7, 10));
  const { number } = await it.github.openPullRequest({
    head: 'worse',
    base: 'main',
    title: 'Worse',
    // More words than link: only then is the link one of a sentence to axe.
    user: 'wilhelmina-of-the-models',
  });
  await it.evaluation(head, 'refused');
  await it.comment(number, 'weekly-churn', /Weakened[^]*What happens next/);
  await it.settled(head, 'weekly-churn');
  worse = await it.system.untilRun('the run of the pull request', ({ opened }) => opened.sha === head);
});
after(async () => {
  if (skip === false) await it.close();
});

test('axe finds nothing on the run of a pull request and on the lists that have it', { skip }, async () => {
  await pleasesEverybody({
    'run-pull-request': `${it.serverUrl}/runs/${worse.id}`,
    'runs-worse': `${it.serverUrl}/runs`,
    'pipelines-worse': `${it.serverUrl}/pipelines`,
  });
  const { page, close } = await visit(`${it.serverUrl}/runs/${worse.id}`);
  assert.equal(await page.getByRole('link', { name: 'Pull request #1' }).count(), 1);
  await close();
});

test('a worse model is as red on its page and in the lists as on its commit', { skip }, async () => {
  assert.equal((await it.settled(head, 'weekly-churn')).state, 'failure');
  const word = 'passed · not promoted: worse';
  const { page, close } = await visit(`${it.serverUrl}/runs/${worse.id}`);
  assert.match(await page.title(), /^✗ weekly-churn #2 passed · not promoted: worse/);
  assert.equal((await page.locator('.verdict').textContent())?.match(/fell from/g)?.length, 1);
  for (const [path, place] of [
    [`/runs/${worse.id}`, '.title-row'],
    ['/runs', 'tr:has-text("#2")'],
    ['/pipelines', 'td:has(.state)'],
  ] as const) {
    await page.goto(`${it.serverUrl}${path}`);
    const mark = page.locator(`${place} .state.tone-bad`, { hasText: word });
    assert.equal(await mark.count(), 1, path);
    assert.equal(await mark.locator('svg').count(), 1);
  }
  assert.equal(
    await page
      .getByRole('link', { name: `#2, ${word}` })
      .locator('svg.tone-bad')
      .count(),
    1,
  );
  await close();
});

test(
  'axe finds nothing on the pages of the GitHub of the demo, and no file of theirs is missing',
  { skip },
  async () => {
    const [check] = it.github.checkRuns(head);
    const home = `${it.github.webUrl}/mona/models`;
    await pleasesEverybody({
      'github-pull': `${home}/pull/1`,
      'github-files': `${home}/pull/1/files`,
      'github-repository': home,
      'github-pulls': `${home}/pulls`,
      'github-commit': `${home}/commit/${head}`,
      'github-check': `${home}/runs/${check?.id}`,
    });
  },
);
