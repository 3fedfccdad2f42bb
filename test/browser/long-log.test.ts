/** Logs that no browser could draw as a whole. The run is given to the journal by hand; the lines lie in the real store. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attemptId } from '../../src/executor/executor.ts';
import { drive, openedOf, outcomes } from '../support/drive.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { accessibilityTroubles, noBrowser, screenshot, visit } from './browser.ts';
import { openSite, type Site } from './site.ts';

const skip = noBrowser;
const lineCount = 900_000;
const runId = 'long-log';
const address = `/runs/${runId}/steps/prepare/train/0/1/log`;
const cleanUps: (() => Promise<void>)[] = [];
let site: Site;

before(async () => {
  if (skip !== false) return;
  site = await openSite({ after: (cleanUp) => void cleanUps.push(cleanUp as () => Promise<void>) }, { watch: false });
  const { journal, logs, repository } = site.system;
  const definition = pipelineOf([stepOf({ name: 'prepare/train' })]);
  const opened = openedOf({ runId, repository });
  const { events, run } = drive(definition, () => outcomes.failed('code', 'it broke'), { opened });
  const [kept] = await journal.commit([
    [
      {
        write: 'versions',
        repository,
        sha: opened.sha,
        at: 1,
        versions: [],
        definitions: new Map([[opened.digest, definition]]),
      },
      { write: 'open-run', triggerKey: 'test', opened, reused: [] },
      {
        write: 'append',
        runId,
        position: 1,
        events,
        becomes: { state: run.state, reason: run.reason, finishedAt: run.finishedAt },
      },
    ],
  ]);
  assert.deepEqual(kept, { ok: true });
  const writer = logs.writer(attemptId(runId, { step: 'prepare/train', index: 0, attempt: 1 }));
  for (let from = 1; from <= lineCount; from += 10_000) {
    writer.write('out', Array.from({ length: 10_000 }, (_, at) => `batch ${from + at}\n`).join(''));
  }
  await writer.close();
});
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

test(
  'a log of 900 000 lines is a window: its end, a linked line and its middle are drawn at once',
  { skip },
  async () => {
    const { page, troubles, close } = await visit(`${site.url}${address}`);
    const box = page.locator('.log.window');
    await box.locator('.t', { hasText: /^batch 1$/ }).waitFor();
    await box.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    await box.locator('.t', { hasText: `batch ${lineCount}` }).waitFor();
    assert.ok((await page.locator('.row').count()) < 200);
    const height = await box.evaluate((element) => element.scrollHeight);
    assert.ok(height <= 15_100_000);
    await page.goto(`${site.url}${address}#L450000-L450002`);
    await page.reload();
    await box.locator('.marked .t', { hasText: 'batch 450001' }).waitFor();
    assert.equal(await page.locator('.marked').count(), 3);
    const line = await box.locator('#L450000').boundingBox();
    const frame = await box.boundingBox();
    assert.ok(
      line !== null && frame !== null && line.y >= frame.y && line.y < frame.y + frame.height,
      'the line is in sight',
    );
    // A notch of the wheel moves by lines, not by thousands of them.
    await box.hover();
    await page.mouse.wheel(0, 200);
    await page.waitForFunction(
      (before) => (document.querySelector('#L450000')?.getBoundingClientRect().y ?? before) < before - 150,
      line.y,
    );
    assert.ok((await box.locator('#L450010').count()) === 1);
    assert.deepEqual(await accessibilityTroubles(page), []);
    await screenshot(page, 'log-long-light');
    assert.deepEqual(troubles, []);
    await close();
  },
);

test('without a program a long log comes in parts', { skip }, async () => {
  const { page, close } = await visit(`${site.url}${address}?from=899001`, { javaScriptEnabled: false });
  assert.equal(await page.locator('.line').count(), 1000);
  assert.match((await page.locator('.parts').first().textContent()) ?? '', /Lines 899.001 to 900.000 of 900.00/);
  await close();
});

test('the whole of it is searched', { skip }, async () => {
  const { page, close } = await visit(`${site.url}${address}`);
  await page.keyboard.press('/');
  await page.keyboard.type('batch 77777');
  await page.keyboard.press('Enter');
  await page.locator('.found', { hasText: '11 lines with' }).waitFor();
  await page.locator('a.n', { hasText: '777777' }).click();
  await page.locator('.log.window .marked .t', { hasText: 'batch 777777' }).waitFor();
  await close();
});
