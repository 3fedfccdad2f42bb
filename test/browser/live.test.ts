/** The pages in a real browser while the world moves: a run from its start to its end, a server that goes and comes back. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildAssets } from '../../src/ui/assets.ts';
import { renderPage } from '../../src/ui/page.ts';
import { pipelinesPage, type PipelineItem } from '../../src/ui/pipelines-page.ts';
import { noBrowser, screenshot, visit } from './browser.ts';
import { churnPipeline, customersCsv, nightlyPipeline } from './pipelines.ts';
import { openSite, type Site } from './site.ts';

const skip = noBrowser;
const cleanUps: (() => Promise<void>)[] = [];
let site: Site;

before(async () => {
  if (skip !== false) return;
  site = await openSite({ after: (cleanUp) => void cleanUps.push(cleanUp as () => Promise<void>) });
  site.repository.commit('Train', { '.pipelines/churn.ts': churnPipeline(0.45), 'data/customers.csv': customersCsv });
  await site.system.untilRun('the first model', (row) => row.state === 'success');
});
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

test('a run is followed from its start to its end without a reload', { skip }, async () => {
  const { repository, system, url } = site;
  const goOn = join(repository.folder, '.git', 'go-on');
  repository.commit('Train again', { '.pipelines/churn.ts': churnPipeline(0.5, goOn) });
  const run = await system.untilRun('the second run', (row) => row.number === 2);
  const { page, troubles, close } = await visit(`${url}/runs/${run.id}`);
  await page.locator('.liveness.live').waitFor();
  const graph = await page.locator('svg.graph').boundingBox();
  const places = await page
    .locator('svg.graph .node')
    .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('transform')));
  await page.locator('.log .t', { hasText: 'epoch 2/12' }).waitFor();
  assert.match(await page.title(), /^◐ weekly-churn #2 running/);
  writeFileSync(goOn, '');
  await page.locator('.title-row .state', { hasText: 'passed' }).waitFor();
  await page.getByRole('heading', { name: /challenger is worse/ }).waitFor();
  await page.locator('.next', { hasText: 'not promoted' }).waitFor();
  assert.match(await page.title(), /^✗ weekly-churn #2 passed · not promoted: worse/);
  assert.deepEqual(
    await page.locator('svg.graph .node').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('transform'))),
    places,
    'the graph moved',
  );
  assert.equal((await page.locator('svg.graph').boundingBox())?.width, graph?.width);
  await page.waitForFunction(() => document.querySelector('.liveness') === null);
  assert.deepEqual(troubles, []);
  // What it became is what a fresh page is served.
  const live = await page.locator('svg.graph').innerHTML();
  await page.reload();
  assert.equal(await page.locator('svg.graph').innerHTML(), live);
  await close();
});

test('a page whose server is gone says since when, and goes on when it is back', { skip }, async () => {
  const { system, url, repository } = site;
  repository.commit('Slow', { '.pipelines/slow.ts': slowPipeline });
  const run = await system.untilRun('the slow run', (row) => row.opened.pipeline === 'slow');
  const { page, close } = await visit(`${url}/runs/${run.id}`);
  await page.locator('.liveness.live').waitFor();
  const stop = await site.pause();
  await page.locator('.liveness.stale', { hasText: 'not live, last seen' }).waitFor();
  await screenshot(page, 'run-stale');
  await stop();
  await page.locator('.liveness.live').waitFor();
  await system.conductor.ask(run.id, { type: 'cancel', by: 'test', reason: 'enough' });
  await page.locator('.title-row .state', { hasText: 'cancelled' }).waitFor();
  await close();
});

/** Runs in the page: tabs are in sight or not by `tab.seen`, and `tab.opened` says of each stream which it was. */
function pretendTabs(seen: boolean): void {
  const tab = { seen, opened: [] as boolean[] };
  Object.assign(globalThis, { tab });
  Object.defineProperty(document, 'visibilityState', { get: () => (tab.seen ? 'visible' : 'hidden') });
  const { EventSource } = globalThis;
  globalThis.EventSource = class extends EventSource {
    constructor(address: string | URL) {
      super(address);
      tab.opened.push(tab.seen);
    }
  };
}

/** Runs in the page. */
function turnTab(seen: boolean): void {
  Reflect.get(globalThis, 'tab').seen = seen;
  document.dispatchEvent(new Event('visibilitychange'));
}

test('a page in the background takes no stream before it is looked at', { skip }, async () => {
  const { repository, system, url } = site;
  const sha = repository.commit('Unseen', { '.pipelines/slow.ts': slowPipeline });
  const run = await system.untilRun('the unseen run', ({ opened }) => opened.pipeline === 'slow' && opened.sha === sha);
  const { page, close } = await visit(`${url}/runs`);
  await page.addInitScript(pretendTabs, false);
  await page.goto(`${url}/runs/${run.id}`);
  await page.locator('.liveness', { hasText: 'as of' }).waitFor();
  await page.evaluate(turnTab, true);
  await page.locator('.liveness.live').waitFor();
  assert.deepEqual(await page.evaluate(() => Reflect.get(globalThis, 'tab').opened), [true]);
  await close();
});

test('a page that was refused its stream asks again as soon as it is looked at', { skip }, async () => {
  const { repository, system, url } = site;
  const sha = repository.commit('Refused', { '.pipelines/slow.ts': slowPipeline });
  const run = await system.untilRun(
    'the refused run',
    ({ opened }) => opened.pipeline === 'slow' && opened.sha === sha,
  );
  const { page, close } = await visit(`${url}/runs`);
  await page.addInitScript(pretendTabs, true);
  await page.route('**/events**', (route) => route.fulfill({ status: 502 }));
  await page.goto(`${url}/runs/${run.id}`);
  await page.locator('.liveness.stale').waitFor();
  await page.evaluate(turnTab, false);
  await page.unroute('**/events**');
  await page.evaluate(turnTab, true);
  await page.locator('.liveness.live').waitFor();
  await close();
});

test('a log grows on its own page, from its first line to its last', { skip }, async () => {
  const { repository, system, url } = site;
  repository.commit('Count', { '.pipelines/count.ts': countPipeline });
  const run = await system.untilRun('the counting run', (row) => row.opened.pipeline === 'count');
  await system.until('the first line', async () =>
    (await system.logs.read(`${run.id}/count/0/1`, 1, 1)).total > 0 ? true : null,
  );
  const { page, troubles, close } = await visit(`${url}/runs/${run.id}/steps/count/0/1/log`);
  await page.locator('.t', { hasText: /^line 60$/ }).waitFor();
  const numbers = await page.locator('.line .n').allTextContents();
  assert.deepEqual(
    numbers.slice(0, 60),
    Array.from({ length: 60 }, (_, at) => String(at + 1)),
  );
  await page.waitForFunction(() => document.querySelector('#liveness')?.textContent === '');
  assert.deepEqual(troubles, []);
  await close();
});

const countPipeline = `import { pipeline, step } from 'contender';
export default pipeline('count', { on: { push: { branches: ['main'] } } }, () => {
  step('count', { command: ['sh', '-c', 'for i in $(seq 60); do echo "line $i"; sleep 0.03; done'] });
});
`;

const slowPipeline = `import { pipeline, step } from 'contender';
export default pipeline('slow', { on: { push: { branches: ['main'] } } }, () => {
  step('wait', { command: ['sleep', '600'] });
});
`;

test(
  'a list that is fetched again keeps what the reader opened, scrolled, selected and stood on',
  { skip },
  async () => {
    const names = (await buildAssets()).names;
    const listed = (pipelines: readonly PipelineItem[]): string => {
      const repository = { name: 'shop', branch: 'main', sha: null, trouble: null, pipelines, broken: [] };
      const filter = { owner: null, tag: null };
      return renderPage(pipelinesPage({ now: Date.now(), filter, repositories: [repository] }), names);
    };
    const [old, added] = [listedPipeline('old', 'first-tag'), listedPipeline('added', 'no-tag')];
    const { page, close } = await visit(`${site.url}/runs`, { viewport: { width: 800, height: 900 } });
    let body = listed([old]);
    await page.route('**/listed', (route) => route.fulfill({ contentType: 'text/html', body }));
    await page.goto(`${site.url}/listed`);
    const ticks = page.locator('summary');
    await ticks.click();
    await ticks.focus();
    await page.evaluate(() => {
      const name = document.querySelector('tbody th a');
      if (name) getSelection()?.selectAllChildren(name);
      document.querySelector('.scroll')?.scrollTo({ left: 50 });
    });
    body = listed([added, { ...old, tags: ['other-tag'] }]);
    await page.getByRole('link', { name: 'other-tag' }).waitFor();
    assert.deepEqual(await page.locator('tbody th > a').allTextContents(), ['added', 'old']);
    assert.equal(await page.getByRole('link', { name: 'first-tag' }).count(), 0);
    assert.deepEqual(
      await page.evaluate(() => ({
        open: [...document.querySelectorAll('details')].map(({ open }) => open),
        focused: document.activeElement === [...document.querySelectorAll('summary')].at(-1),
        selected: getSelection()?.toString(),
        left: document.querySelector('.scroll')?.scrollLeft,
      })),
      { open: [false, true], focused: true, selected: 'old', left: 50 },
    );
    await close();
  },
);

function listedPipeline(name: string, tag: string): PipelineItem {
  return {
    name,
    description: null,
    owner: null,
    tags: [tag],
    steps: 1,
    triggers: [`push to ${'a_branch'.repeat(20)}`],
    followers: [],
    schedule: { cron: '0 2 * * *', timeZone: 'UTC', next: [1] },
    ticks: [{ tick: 1, decision: 'missed', reason: null, runId: null }],
    recent: [],
  };
}

test('how long ago is told by the clock of the server', { skip }, async () => {
  const { page, close } = await visit(`${site.url}/runs`);
  await page.clock.install({ time: Date.now() + 48 * 3_600_000 });
  await page.goto(`${site.url}/runs`);
  await page.locator('#tools button').first().waitFor();
  assert.doesNotMatch((await page.locator('td .ago').first().textContent()) ?? '', /^2 d|^in/);
  await close();
});

test('lists grow by themselves and leave the reader where he is', { skip }, async () => {
  const { page, close } = await visit(`${site.url}/runs?branch=main`);
  await page.keyboard.press('j');
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('href'));
  site.repository.commit('Again', { '.pipelines/nightly.ts': nightlyPipeline });
  await page.getByRole('link', { name: 'nightly-recommender #1' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('href')), focused);
  await close();
});
