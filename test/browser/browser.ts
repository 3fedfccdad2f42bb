/**
 * A real browser for a test file: Debian's Chromium, or the one of CONTENDER_TEST_CHROMIUM. Where there is none, the
 * tests are skipped with a visible reason, except in continuous integration (CI=true), where they fail.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const executablePath = process.env['CONTENDER_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Null: no browser, and the tests are to be skipped. */
export const noBrowser: string | false = existsSync(executablePath)
  ? false
  : `there is no Chromium at ${executablePath} (apt-get install chromium)`;

if (noBrowser !== false && process.env['CI'] === 'true') {
  test('a browser is there', () => {
    throw new Error(`${noBrowser}; in continuous integration this is a failure`);
  });
}

let launched: Promise<Browser> | null = null;
after(async () => (await launched)?.close());

export interface Visit {
  readonly page: Page;
  /** What went wrong in the page: exceptions, errors on the console (breaches of the policy are among them). */
  readonly troubles: readonly string[];
  readonly close: () => Promise<void>;
}

export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  launched ??= chromium.launch({ executablePath, args: flags });
  const context = await (
    await launched
  ).newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'America/New_York', ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  await page.goto(url, { waitUntil: 'load' });
  return { page, troubles, close: () => context.close() };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds: rule, and the elements. Evaluated by the debugger, so the page's policy stays as strict as it is. */
export async function accessibilityTroubles(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(
          options: object,
        ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    // Of WCAG 2.2, and not among axe's own choice.
    const { violations } = await axe.run({ rules: { 'target-size': { enabled: true } } });
    // The height of a line of a log is that of its text, which the rule itself leaves out.
    const isOfText = (id: string, html: string): boolean => id === 'target-size' && html.startsWith('<a class="n"');
    return violations.flatMap(({ id, nodes }) =>
      nodes
        .filter(({ html }) => !isOfText(id, html))
        .map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`),
    );
  });
}

const folder = join(import.meta.dirname, '../../build/screenshots');

/** For people to look at: `build/screenshots/<name>.png`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
