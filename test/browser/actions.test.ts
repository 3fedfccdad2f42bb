/** Logging in, and the buttons of a run, in a real browser: with a program, and without one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser, visit } from './browser.ts';
import { phone, pleasesEverybody } from './everywhere.ts';
import { openSite, siteToken, type Site } from './site.ts';

const skip = noBrowser;
const cleanUps: (() => Promise<void>)[] = [];
let site: Site;

const slowPipeline = `import { pipeline, step } from 'contender';
export default pipeline('slow', { on: { push: { branches: ['main'] } } }, () => {
  step('wait', { command: ['sleep', '600'] });
});
`;

const askedPipeline = `import { pipeline, step } from 'contender';
const parameters = {
  depth: { type: 'number', default: 3, description: 'How deep the trees are' },
  market: { type: 'string', choices: ['de', 'fr'], description: 'Whose customers' },
  dry: false,
} as const;
export default pipeline('asked', { description: 'Trains a model of one market.', parameters }, ({ parameters }) => {
  step('train', { command: ['echo', parameters.market, parameters.depth] });
});
`;

const releasePipeline = `import { approval, pipeline, step } from 'contender';
export default pipeline('release', { on: { push: { branches: ['main'] } } }, () => {
  const ask = approval('ask', { message: 'Release it?' });
  step('deploy', { after: ask, command: ['true'] });
});
`;

/** A button sends a form: the page that answers it is there afterwards, so that nothing meets it half way. */
async function press(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('load');
  const answered = page.waitForEvent('load');
  await page.getByRole('button', { name }).click();
  await answered;
}

before(async () => {
  if (skip !== false) return;
  site = await openSite({ after: (cleanUp) => void cleanUps.push(cleanUp as () => Promise<void>) });
});
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

for (const javaScriptEnabled of [false, true]) {
  const how = javaScriptEnabled ? 'with' : 'without';
  test(`on a phone, ${how} a program: log in, cancel a run, run it again, log out`, { skip }, async () => {
    const sha = site.repository.commit(`Wait ${how}`, { '.pipelines/slow.ts': slowPipeline });
    const run = await site.system.untilRun('the run', ({ opened }) => opened.sha === sha);
    const { page, troubles, close } = await visit(`${site.url}/runs/${run.id}`, { ...phone, javaScriptEnabled });
    await page.getByRole('link', { name: 'Log in to cancel it' }).click();
    await page.getByLabel('API token').fill('not the token');
    await press(page, 'Log in');
    await page.getByRole('alert').filter({ hasText: 'not the API token' }).waitFor();
    await page.getByLabel('API token').fill(siteToken);
    await press(page, 'Log in');
    await page.waitForURL(`${site.url}/runs/${run.id}`);
    await press(page, 'Cancel run');
    await site.system.untilRun('its end', ({ id, state }) => id === run.id && state === 'cancelled');
    if (!javaScriptEnabled) await page.reload();
    await page.getByRole('button', { name: `Run again at ${sha.slice(0, 7)}` }).click();
    await page.waitForURL((url) => url.pathname !== `/runs/${run.id}`);
    await press(page, 'Cancel run');
    await press(page, 'Log out');
    await page.getByRole('link', { name: 'Log in', exact: true }).waitFor();
    assert.equal(await page.getByRole('button', { name: /Cancel run|Run again/ }).count(), 0);
    // The refused token is told as an answer of the server, which the console names.
    assert.deepEqual(
      troubles.filter((trouble) => !trouble.includes('401')),
      [],
    );
    await close();
  });
}

async function loggedIn(address: string): Promise<Awaited<ReturnType<typeof visit>>> {
  const visited = await visit(`${site.url}/login?${new URLSearchParams({ to: address })}`, phone);
  await visited.page.getByLabel('API token').fill(siteToken);
  await press(visited.page, 'Log in');
  await visited.page.waitForURL(`${site.url}${address}`);
  return visited;
}

test('from the list of pipelines a run is started with its parameters', { skip }, async () => {
  const sha = site.repository.commit('Ask', { '.pipelines/asked.ts': askedPipeline });
  await site.system.until('it is compiled', () => site.system.journal.versions(site.system.repository, sha));
  const { page, troubles, close } = await loggedIn('/pipelines');
  await page.getByRole('link', { name: 'Start a run of asked' }).click();
  await page.getByLabel('market').selectOption('fr');
  await page.getByLabel('depth').fill('7');
  await page.getByLabel('Branch, tag or SHA').fill('nowhere');
  await press(page, 'Start asked');
  await page.getByRole('alert').filter({ hasText: 'nowhere' }).waitFor();
  assert.equal(await page.getByLabel('depth').inputValue(), '7');
  const storageState = await page.context().storageState();
  await pleasesEverybody({ start: page.url().replace(/$/, `?${startQuery()}`) }, { storageState });
  await page.getByLabel('Branch, tag or SHA').fill('main');
  await press(page, 'Start asked');
  assert.match(page.url(), /\/runs\//);
  const run = await site.system.untilRun('its end', ({ opened, state }) => opened.sha === sha && state === 'success');
  assert.deepEqual(run.opened.parameters, { depth: 7, market: 'fr', dry: false });
  assert.deepEqual(
    troubles.filter((trouble) => !trouble.includes('422')),
    [],
  );
  await close();
});

test('a reason that ends with Enter decides nothing, and goes with the button that is pressed', { skip }, async () => {
  const sha = site.repository.commit('Release', { '.pipelines/release.ts': releasePipeline });
  const run = await site.system.untilRun('it', ({ opened }) => opened.sha === sha && opened.pipeline === 'release');
  const { page, troubles, close } = await loggedIn(`/runs/${run.id}`);
  await page.getByLabel('Reason').fill('not on a Friday');
  await page.getByLabel('Reason').press('Enter');
  await press(page, 'Reject ask');
  const ended = await site.system.untilRun('its end', ({ id, finishedAt }) => id === run.id && finishedAt !== null);
  assert.match(ended.reason ?? '', /not on a Friday/);
  assert.deepEqual(troubles, []);
  await close();
});

function startQuery(): string {
  return new URLSearchParams({ repository: site.system.repository, pipeline: 'asked' }).toString();
}

test('axe finds nothing on the login and on the page of a run with its buttons', { skip }, async () => {
  const [run] = await site.system.journal.runs({ limit: 1 });
  const { page, close } = await visit(`${site.url}/login?to=/runs/${run?.id}`);
  await page.getByLabel('API token').fill(siteToken);
  await press(page, 'Log in');
  await page.waitForURL(`${site.url}/runs/${run?.id}`);
  const storageState = await page.context().storageState();
  await close();
  await pleasesEverybody({ login: `${site.url}/login` });
  const [ended] = await site.system.journal.runs({ pipeline: 'release', limit: 1 });
  const pages = { 'run-actions': `${site.url}/runs/${run?.id}`, 'run-again': `${site.url}/runs/${ended?.id}` };
  await pleasesEverybody(pages, { storageState });
});
