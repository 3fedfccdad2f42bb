/** The interval chart as a browser draws it: what its labels cover is measured, over many values and three widths. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fragment, h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { intervalChart } from '../../src/ui/interval-chart.ts';
import { betterChallenge } from '../ui/views.ts';
import { noBrowser, screenshot, visit } from './browser.ts';

const skip = noBrowser;
const style = readFileSync(join(import.meta.dirname, '../../src/ui/style.css'), 'utf8');

const gain = fc.oneof(
  fc.double({ min: -0.1, max: 0.1, noNaN: true }),
  fc.constantFrom(0, 0.011, 0.005, -0.0001, 12_480.3),
);
const verdicts = fc.tuple(gain, gain, gain, fc.constantFrom(0, 0.005, 0.0051, 0.05, 300)).map(([a, b, c, required]) => {
  const [low = 0, value = 0, high = 0] = [a, b, c].sort((left, right) => left - right);
  return {
    ...betterChallenge.verdict,
    required,
    difference: { low, value, high, confidence: 0.95, p: null, method: 'delong' as const },
  };
});

test('no label of an interval chart covers another one or a line, or leaves the plot', { skip }, async () => {
  const charts = fc.sample(verdicts, { numRuns: 60, seed: 5 }).map((verdict) => intervalChart(verdict, 128, 'good'));
  const cards = charts.map((chart) => h('section', { class: 'card' }, chart));
  const { page, close } = await visit('about:blank');
  await page.setContent(`<style>${style}</style><main>${renderToString(h(Fragment, null, cards))}</main>`);
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    assert.deepEqual(await page.evaluate(covered), [], `at ${width}`);
  }
  await screenshot(page, 'interval-charts');
  await close();
});

/** Runs in the page: what is wrong, in words. */
function covered(): readonly string[] {
  const wrong: string[] = [];
  for (const chart of document.querySelectorAll('svg.interval')) {
    const frame = chart.getBoundingClientRect();
    const texts = [...chart.querySelectorAll('text')];
    for (const [at, text] of texts.entries()) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 1 || box.right > frame.right + 1) wrong.push(`${text.textContent} leaves the plot`);
      const others = [...texts.slice(at + 1), ...chart.querySelectorAll('line, circle')];
      for (const other of others) {
        const { left, right, top, bottom } = other.getBoundingClientRect();
        if (left < box.right && right > box.left && top < box.bottom && bottom > box.top)
          wrong.push(`${text.textContent} covers ${other.textContent || (other.getAttribute('class') ?? '')}`);
      }
    }
  }
  return wrong;
}
