/** Lists and models, for everybody; and there are pictures to look at. */
import { test } from 'node:test';
import { noBrowser } from './browser.ts';
import { pleasesEverybody } from './everywhere.ts';
import { trainedSite } from './trained-site.ts';

const skip = noBrowser;
const trained = trainedSite();

test('axe finds nothing on lists and models, on a desk and a phone, in either theme', { skip }, async () => {
  const { site, failed } = trained();
  await pleasesEverybody({
    runs: `${site.url}/runs`,
    'runs-empty': `${site.url}/runs?pipeline=weekly-churn&state=cancelled`,
    pipelines: `${site.url}/pipelines`,
    models: `${site.url}/models`,
    model: `${site.url}/models/churn`,
    'log-found': `${site.url}/runs/${failed.id}/steps/train/0/2/log?q=batch`,
  });
});
