/** Every page in both themes: axe finds nothing, the policy holds, and there is a picture to look at. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { accessibilityTroubles, noBrowser, screenshot, visit } from './browser.ts';
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

test('axe finds nothing on any page in either theme, and no page breaks the policy', { skip }, async () => {
  const pages = {
    'run-better': `/runs/${better.id}`,
    'run-step': `/runs/${better.id}?step=features&index=2`,
    'run-failed': `/runs/${failed.id}`,
    runs: '/runs',
    'runs-empty': '/runs?pipeline=weekly-churn&state=cancelled',
    pipelines: '/pipelines',
    models: '/models',
    model: '/models/churn',
    log: `/runs/${failed.id}/steps/train/0/2/log`,
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
