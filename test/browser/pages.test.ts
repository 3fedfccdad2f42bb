/** The pages in a real browser: in both themes, by keyboard, on a phone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { noBrowser, screenshot, visit } from './browser.ts';
import { churnPipeline, customersCsv, nightlyPipeline } from './pipelines.ts';
import { openSite, type Site } from './site.ts';

const skip = noBrowser;
const cleanUps: (() => Promise<void>)[] = [];
let site: Site;
let better: RunRow;
let failed: RunRow;

before(async () => {
  if (skip !== false) return;
  site = await openSite({ after: (cleanUp) => void cleanUps.push(cleanUp as () => Promise<void>) });
  const { repository, system } = site;
  repository.commit('Train', { '.pipelines/churn.ts': churnPipeline(0.6), 'data/customers.csv': customersCsv });
  await system.untilRun('the first model', (row) => row.state === 'success');
  repository.commit('Train better', {
    '.pipelines/churn.ts': churnPipeline(0.45),
    '.pipelines/nightly.ts': nightlyPipeline,
  });
  better = await system.untilRun(
    'the better model',
    (row) => row.opened.pipeline === 'weekly-churn' && row.number === 2 && row.finishedAt !== null,
  );
  failed = await system.untilRun('the failed run', (row) => row.state === 'failed');
  await system.until('the promotion', async () =>
    (await system.journal.evaluations({ runId: better.id, limit: 1 })).find((row) => row.state === 'promoted'),
  );
});
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

test('on a phone nothing is wider than the screen, and the error comes first', { skip }, async () => {
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
  for (const [name, path] of Object.entries({
    'run-failed': `/runs/${failed.id}`,
    'run-better': `/runs/${better.id}`,
    runs: '/runs',
    pipelines: '/pipelines',
    model: '/models/churn',
    log: `/runs/${failed.id}/steps/train/0/2/log`,
  })) {
    const { page, close } = await visit(`${site.url}${path}`, phone);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `${name} is ${width} wide`);
    await screenshot(page, `${name}-phone`);
    if (name === 'run-failed') {
      const [error, graph] = [
        await page.locator('.failure').boundingBox(),
        await page.locator('.graph-box').boundingBox(),
      ];
      assert.ok((error?.y ?? 0) < 400 && (error?.y ?? 0) < (graph?.y ?? 0));
    }
    await close();
  }
});

test(
  'everything is reached by keyboard: the skip link, rows, steps of the graph, the list of keys',
  { skip },
  async () => {
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
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.getByLabel('Single keys do something').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await close();
  },
);

test('times are UTC or local by a switch, the timeline too, and the choice stays', { skip }, async () => {
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
