/** Logs that grow while somebody looks at them, of any length, and when an answer comes late or not at all. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser, visit } from './browser.ts';
import { openSite, type Site } from './site.ts';

const skip = noBrowser;
const cleanUps: (() => Promise<void>)[] = [];
let site: Site;

before(async () => {
  if (skip !== false) return;
  site = await openSite({ after: (cleanUp) => void cleanUps.push(cleanUp as () => Promise<void>) });
});
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

/** A step that writes `first` lines, and when it is told to, all up to `last`. */
async function growingLog(
  name: string,
  first: number,
  last: number,
): Promise<{ readonly address: string; readonly goOn: () => void }> {
  const { repository, system, url } = site;
  const flag = join(repository.folder, '.git', `go-on-${name}`);
  repository.commit(name, {
    [`.pipelines/${name}.ts`]: `import { pipeline, step } from 'contender';
export default pipeline('${name}', { on: { push: { branches: ['main'], paths: ['.pipelines/${name}.ts'] } } }, () => {
  step('count', { command: ['sh', '-c', 'seq -f "line %.0f" ${first}; until [ -e ${flag} ]; do sleep 0.05; done; seq -f "line %.0f" ${first + 1} ${last}; sleep 600'] });
});
`,
  });
  const run = await system.untilRun(`the run of ${name}`, ({ opened }) => opened.pipeline === name);
  await system.until('its first lines', async () =>
    (await system.logs.read(`${run.id}/count/0/1`, 1, 0)).total === first ? true : null,
  );
  return { address: `${url}/runs/${run.id}/steps/count/0/1/log`, goOn: () => writeFileSync(flag, '') };
}

async function untilCount(page: Page, lines: RegExp): Promise<void> {
  await page.locator('#log-count', { hasText: lines }).waitFor();
}

test('a window shows the lines that came while their neighbours were fetched', { skip }, async () => {
  const { address, goOn } = await growingLog('window', 5600, 5700);
  const { page, troubles, close } = await visit(address);
  const asked = Promise.withResolvers<void>();
  const grown = Promise.withResolvers<void>();
  await page.route('**/lines?from=5501&**', async (route) => {
    const response = await route.fetch();
    asked.resolve();
    await grown.promise;
    await route.fulfill({ response });
  });
  const box = page.locator('.log.window');
  await box.locator('.t', { hasText: /^line 1$/ }).waitFor();
  await box.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
  await asked.promise;
  goOn();
  await untilCount(page, /^5.700 lines/);
  grown.resolve();
  await box.locator('.t', { hasText: /^line 5700$/ }).waitFor();
  await box.locator('.t', { hasText: /^line 5690$/ }).waitFor();
  assert.deepEqual(troubles, []);
  await close();
});

test('a log that grows beyond what a page holds becomes a window, where the reader was', { skip }, async () => {
  const { address, goOn } = await growingLog('longer', 4990, 5100);
  const { page, troubles, close } = await visit(`${address}#L3000`);
  await page.locator('#L3000.marked').waitFor();
  await page.locator('.liveness.live').waitFor();
  goOn();
  const box = page.locator('.log.window');
  await box.locator('.marked .t', { hasText: /^line 3000$/ }).waitFor();
  await untilCount(page, /^5.100 lines/);
  await box.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
  await box.locator('.t', { hasText: /^line 5100$/ }).waitFor();
  assert.ok((await page.locator('.line').count()) < 200);
  assert.deepEqual(troubles, []);
  await close();
});

test('lines that could not be fetched are fetched again', { skip }, async () => {
  const { address, goOn } = await growingLog('broken', 10, 20);
  const { page, close } = await visit(address);
  await page.locator('.liveness.live').waitFor();
  let refused = 0;
  await page.route('**/lines?**', async (route) => {
    refused += 1;
    return refused <= 2 ? route.abort() : route.continue();
  });
  goOn();
  await page.locator('.t', { hasText: /^line 20$/ }).waitFor();
  assert.ok(refused > 2);
  await close();
});
