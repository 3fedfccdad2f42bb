/** The pages of runs, for everybody; and there are pictures to look at. */
import { test } from 'node:test';
import { noBrowser } from './browser.ts';
import { pleasesEverybody } from './everywhere.ts';
import { trainedSite } from './trained-site.ts';

const skip = noBrowser;
const trained = trainedSite();

test('axe finds nothing on the pages of runs, on a desk and a phone, in either theme', { skip }, async () => {
  const { site, better, failed } = trained();
  await pleasesEverybody({
    'run-better': `${site.url}/runs/${better.id}`,
    'run-step': `${site.url}/runs/${better.id}?step=features&index=2`,
    'run-failed': `${site.url}/runs/${failed.id}`,
    log: `${site.url}/runs/${failed.id}/steps/train/0/2/log`,
  });
});
