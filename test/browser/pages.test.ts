/** Pages by keyboard, in either zone of time, with lines that are shared. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildAssets } from '../../src/ui/assets.ts';
import { appendLines } from '../../src/ui/log-blocks.ts';
import { renderPage } from '../../src/ui/page.ts';
import { runPage } from '../../src/ui/run-page.ts';
import type { RunView } from '../../src/ui/run-view.ts';
import { payloads } from '../ui/payloads.ts';
import { betterChallenge, failedRun, noSelection, viewOf } from '../ui/views.ts';
import { noBrowser, screenshot, visit } from './browser.ts';
import { trainedSite } from './trained-site.ts';

const skip = noBrowser;
const trained = trainedSite();

test('everything is reached by keyboard: skip link, rows, steps of the graph, list of keys', { skip }, async () => {
  const { site, better } = trained();
  const { page, close } = await visit(`${site.url}/runs`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const href = await page.evaluate(() => document.activeElement?.getAttribute('href'));
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${href}`);
  await page.goto(`${site.url}/runs/${better.id}`);
  const first = page.locator('svg.graph a').first();
  await first.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\?step=prepare%2Fextract#step$/);
  await page.locator('#step-title', { hasText: 'prepare/extract' }).waitFor();
  await page.keyboard.press('u');
  await page.waitForURL(/\/runs\?pipeline=weekly-churn$/);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  assert.ok((await page.evaluate(offLine)) < 2, 'the box stands on the line of its label');
  await screenshot(page, 'keys');
  await page.getByLabel('Single keys do something').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await close();
});

/** Runs in the page: how far the middle of the dialog's box is from the middle of the words beside it. */
function offLine(): number {
  const [box, label] = ['dialog input', 'dialog label'].map((name) => document.querySelector(name));
  const words = document.createRange();
  if (box && label) words.selectNodeContents(label);
  const middle = (rect: DOMRect | undefined): number => (rect === undefined ? Number.NaN : rect.y + rect.height / 2);
  const text = [...words.getClientRects()].at(-1);
  return Math.abs(middle(box?.getBoundingClientRect()) - middle(text));
}

test('times are UTC or local by a switch, the timeline too, and the choice stays', { skip }, async () => {
  const { site, better } = trained();
  const { page, close } = await visit(`${site.url}/runs/${better.id}`);
  assert.match((await page.locator('.facts .moment').first().textContent()) ?? '', /UTC$/);
  await page.getByRole('button', { name: /Times are UTC/ }).click();
  assert.match((await page.locator('.facts .moment').first().textContent()) ?? '', /−0[45]:00$/);
  assert.match((await page.locator('.time-axis text').first().textContent()) ?? '', /−0[45]:00$/);
  await page.goto(`${site.url}/runs`);
  await page.getByRole('button', { name: /Times are local/ }).waitFor();
  assert.match((await page.locator('td .moment').first().textContent()) ?? '', /−0[45]:00$/);
  await close();
});

test('lines of a log are linked, marked and shared as a range', { skip }, async () => {
  const { site, failed } = trained();
  const { page, troubles, close } = await visit(`${site.url}/runs/${failed.id}/steps/train/0/2/log#L3-L5`);
  await page.locator('#L4.marked').waitFor();
  assert.equal(await page.locator('.marked').count(), 3);
  await page.locator('#L8 a.n').click();
  await page.locator('#L10 a.n').click({ modifiers: ['Shift'] });
  assert.match(page.url(), /#L8-L10$/);
  assert.equal(await page.locator('.marked').count(), 3);
  assert.deepEqual(troubles, []);
  await close();
});

test('hostile texts in every field of a run run nothing, on the page as served and drawn again', { skip }, async () => {
  const { site } = trained();
  const run = failedRun();
  const base = viewOf(run);
  const all = payloads.join(' ');
  const lines = payloads.map((text, at) => ({ number: at + 1, at: 1, stream: 'out' as const, text }));
  const view: RunView = {
    ...base,
    head: {
      ...base.head,
      pipeline: all,
      summary: all,
      trigger: { text: all, branch: all, pullRequest: { number: 1, url: 'javascript:pwned=1', fork: false } },
      shaUrl: 'javascript:pwned=1',
    },
    failure: { step: all, index: 0, attempt: 1, mapped: false, cause: 'code', message: all, line: 1, lines },
    steps: base.steps.map((step) => ({ ...step, message: all })),
    challenges: [{ ...betterChallenge, model: all, next: all, verdict: { ...betterChallenge.verdict, reason: all } }],
  };
  const visitor = { kind: 'member', formToken: 'x', pageKey: 'y' } as const;
  const tail = { key: 'train/0/1', lines, total: lines.length, closed: true, removed: null };
  const body = runPage({
    view,
    log: { tail, blocks: appendLines([], lines) },
    liveness: { kind: 'still' },
    watch: { now: view.now, zone: 'utc' },
    visitor,
  });
  const island = { name: 'run' as const, data: { view, tail, selection: noSelection, settled: true, visitor } };
  const document = renderPage({ title: all, area: 'runs', body, island }, (await buildAssets()).names);
  const { page, close } = await visit(`${site.url}/runs`);
  // Without the policy, which would stop what got through.
  await page.route('**/hostile', (route) => route.fulfill({ contentType: 'text/html', body: document }));
  await page.goto(`${site.url}/hostile`);
  await page.getByRole('button', { name: /Times are UTC/ }).click();
  await page
    .locator('.facts .moment', { hasText: /−0[45]:00$/ })
    .first()
    .waitFor();
  assert.equal(await page.evaluate(() => 'pwned' in globalThis), false);
  assert.equal(
    await page
      .locator('img, iframe, object, embed, base, [onload], [onerror], [onfocus], [href^="javascript"]')
      .count(),
    0,
  );
  await close();
});
