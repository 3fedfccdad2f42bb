/** A site with two models trained, the better one promoted, and a pipeline that failed: what most pages are looked at with. */
import { after, before } from 'node:test';
import type { RunRow } from '../../src/journal/journal.ts';
import { noBrowser } from './browser.ts';
import { churnPipeline, customersCsv, nightlyPipeline } from './pipelines.ts';
import { openSite, type Site } from './site.ts';

export interface TrainedSite {
  readonly site: Site;
  readonly better: RunRow;
  readonly failed: RunRow;
}

/** Made before the tests of a file, ended after them; nothing where there is no browser to look with. */
export function trainedSite(): () => TrainedSite {
  const cleanUps: (() => Promise<void>)[] = [];
  let made: TrainedSite | null = null;
  before(async () => {
    if (noBrowser === false) made = await train(cleanUps);
  });
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });
  return () => {
    if (made === null) throw new Error('the site is not there yet');
    return made;
  };
}

async function train(cleanUps: (() => Promise<void>)[]): Promise<TrainedSite> {
  const site = await openSite({ after: (cleanUp) => void cleanUps.push(cleanUp as () => Promise<void>) });
  const { repository, system } = site;
  repository.commit('Train', { '.pipelines/churn.ts': churnPipeline(0.6), 'data/customers.csv': customersCsv });
  await system.untilRun('the first model', (row) => row.state === 'success');
  repository.commit('Train better', {
    '.pipelines/churn.ts': churnPipeline(0.45),
    '.pipelines/nightly.ts': nightlyPipeline,
  });
  const better = await system.untilRun(
    'the better model',
    (row) => row.opened.pipeline === 'weekly-churn' && row.number === 2 && row.finishedAt !== null,
  );
  const failed = await system.untilRun('the failed run', (row) => row.state === 'failed');
  await system.until('the promotion', async () =>
    (await system.journal.evaluations({ runId: better.id, limit: 1 })).find((row) => row.state === 'promoted'),
  );
  return { site, better, failed };
}
