/** The pages on a phone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser, screenshot, visit } from './browser.ts';
import { phone } from './everywhere.ts';
import { trainedSite } from './trained-site.ts';

const skip = noBrowser;
const trained = trainedSite();

test('on a phone every value of every table is in sight, and the error comes first', { skip }, async () => {
  const { site, better, failed } = trained();
  for (const [name, path] of Object.entries({
    'run-failed': `/runs/${failed.id}`,
    'run-better': `/runs/${better.id}`,
    runs: '/runs',
    pipelines: '/pipelines',
    models: '/models',
    model: '/models/churn',
    log: `/runs/${failed.id}/steps/train/0/2/log`,
  })) {
    const { page, close } = await visit(`${site.url}${path}`, phone);
    for (const fold of await page.locator('details.fold > summary').all()) await fold.click();
    await screenshot(page, `${name}-phone`);
    assert.deepEqual(await page.evaluate(outOfSight), [], name);
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

/** Runs in the page: cells and bars that reach beyond the card that they are in, and words of the time axis that cover others. */
function outOfSight(): readonly string[] {
  const wrong: string[] = [];
  for (const cell of document.querySelectorAll('td, tbody th, .time-axis, .time-axis text, .bars rect')) {
    const card = cell.closest('.scroll')?.getBoundingClientRect();
    const { left, right, width } = cell.getBoundingClientRect();
    if (card === undefined || width === 0) continue;
    if (left < card.left - 1 || right > card.right + 1)
      wrong.push(`${cell.textContent || (cell.getAttribute('class') ?? '')} ends at ${right} in ${card.right}`);
  }
  for (const axis of document.querySelectorAll('.time-axis')) {
    const words = [...axis.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
    const seen = words.filter(({ width }) => width > 0).sort((one, other) => one.left - other.left);
    if (seen.some((box, at) => at > 0 && box.left < (seen[at - 1]?.right ?? 0))) wrong.push('the axis covers itself');
  }
  return wrong;
}
