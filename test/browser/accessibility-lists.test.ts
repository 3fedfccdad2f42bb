/** Pages in both themes: axe finds nothing, the policy holds, and there is a picture to look at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessibilityTroubles, noBrowser, screenshot, visit } from './browser.ts';
import { trainedSite } from './trained-site.ts';

const skip = noBrowser;
const trained = trainedSite();

test('axe finds nothing on lists and models in either theme, and no page breaks the policy', { skip }, async () => {
  const { site, failed } = trained();
  const pages = {
    runs: '/runs',
    'runs-empty': '/runs?pipeline=weekly-churn&state=cancelled',
    pipelines: '/pipelines',
    models: '/models',
    model: '/models/churn',
    'log-found': `/runs/${failed.id}/steps/train/0/2/log?q=batch`,
  };
  for (const [name, path] of Object.entries(pages)) {
    const { page, troubles, close } = await visit(`${site.url}${path}`, { colorScheme: 'light' });
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      assert.deepEqual(await accessibilityTroubles(page), [], `${name}, ${theme}`);
      await screenshot(page, `${name}-${theme}`);
    }
    assert.deepEqual(troubles, [], name);
    await close();
  }
});
