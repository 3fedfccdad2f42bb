/** A page as everybody sees it: on a desk and on a phone, light and dark. */
import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { accessibilityTroubles, screenshot, visit } from './browser.ts';

export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
};

/** Where nothing may have to be read by scrolling sideways: WCAG 2.2, 1.4.10. */
const smallest = { width: 320, height: 640 };

const widths: Readonly<Record<string, BrowserContextOptions>> = { desk: {}, phone };

/** axe finds nothing on any page, nothing is wider than the screen, and nothing goes wrong: exceptions, the policy, files that are missing. */
export async function pleasesEverybody(
  pages: Readonly<Record<string, string>>,
  given: BrowserContextOptions = {},
): Promise<void> {
  const found: string[] = [];
  for (const [name, url] of Object.entries(pages)) {
    for (const [width, options] of Object.entries(widths)) {
      const { page, troubles, close } = await visit(url, { ...given, ...options, colorScheme: 'light' });
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme });
        found.push(...(await accessibilityTroubles(page)).map((trouble) => `${name}, ${width}, ${theme}: ${trouble}`));
        await screenshot(page, `${name}-${width}-${theme}`);
      }
      found.push(...(await widthTroubles(page)).map((trouble) => `${name}, ${width}: ${trouble}`));
      if (width === 'phone') {
        await page.setViewportSize(smallest);
        found.push(...(await widthTroubles(page)).map((trouble) => `${name}, smallest: ${trouble}`));
      }
      found.push(...troubles.map((trouble) => `${name}, ${width}: ${trouble}`));
      await close();
    }
  }
  assert.deepEqual(found, []);
}

async function widthTroubles(page: Page): Promise<readonly string[]> {
  const { scrollWidth: wide, clientWidth: screen } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  });
  return wide > screen ? [`it is ${wide} wide on ${screen}`] : [];
}
