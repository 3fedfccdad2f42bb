/** The pages on a phone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser, screenshot, visit } from './browser.ts';
import { phone } from './everywhere.ts';
import { trainedSite } from './trained-site.ts';

const skip = noBrowser;
const trained = trainedSite();

test('on a phone nothing is wider than the screen, and the error comes first', { skip }, async () => {
  const { site, better, failed } = trained();
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
