/**
 * The pictures of the README, from the real thing: tells the demo's story, then opens its run page and its pull request
 * in Chromium. `node scripts/screenshots.ts FOLDER` writes them there; Debian's package `chromium` is needed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { runDemo } from '../src/demo/demo.ts';
import type { Stage } from '../src/demo/stage.ts';
import { fullName } from '../src/demo/stage.ts';

const folder = process.argv[2] ?? 'docs/images';
mkdirSync(folder, { recursive: true });

const silent = {
  chapter: () => undefined,
  fact: () => undefined,
  link: () => undefined,
  wrong: (text: string) => console.error(text),
};

const told = await runDemo({
  folder: null,
  port: 0,
  validate: true,
  narrator: silent,
  afterwards: picture,
  interrupted: new Promise(() => undefined),
});
process.exitCode = told === 0 ? 0 : 1;

async function picture(stage: Stage): Promise<void> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1180 }, deviceScaleFactor: 1.25 });
    const runs = await runsOf(stage);
    const better =
      runs.find(
        (run) => run.trigger === 'pull-request' && run.reason === null && run.state === 'success' && run.number === 3,
      ) ?? runs[0];
    await shoot(page, `${stage.serverUrl}/runs/${better?.id}`, 'run-page');
    await shoot(page, `${stage.github.webUrl}/${fullName}/pull/2`, 'pull-request');
  } finally {
    await browser.close();
  }
}

async function shoot(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

interface ApiRun {
  readonly id: string;
  readonly number: number;
  readonly pipeline: string;
  readonly trigger: string;
  readonly state: string;
  readonly reason: string | null;
}

async function runsOf(stage: Stage): Promise<readonly ApiRun[]> {
  const answer = await fetch(`${stage.serverUrl}/api/v1/runs?pipeline=birdstrikes&limit=50`);
  return ((await answer.json()) as { readonly runs: readonly ApiRun[] }).runs;
}
