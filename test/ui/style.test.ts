/** What the rules of the pages promise about colours and shapes, computed from the style and the marks themselves. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { h, Fragment } from 'preact';
import { renderToString } from 'preact-render-to-string';
import {
  runMarkOf,
  runMarks,
  shapeParts,
  stepMarks,
  verdictKinds,
  verdictMarks,
  type Mark,
} from '../../src/ui/state-mark.ts';

const css = readFileSync(join(import.meta.dirname, '../../src/ui/style.css'), 'utf8');
const [light, dark] = ['light', 'dark'].map((theme) => {
  const blocks = [...css.matchAll(/:root \{([^}]*)\}/g)].map((match) => match[1] ?? '');
  const read = (block: string): [string, string][] =>
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((match) => [match[1] ?? '', match[2] ?? '']);
  return new Map([...read(blocks[0] ?? ''), ...(theme === 'dark' ? read(blocks[1] ?? '') : [])]);
});

const inks = ['text', 'muted', 'accent', 'good', 'bad', 'busy', 'warn', 'idle'];
const pairs: readonly (readonly [ink: string, ground: string])[] = [
  ...inks.flatMap((ink) =>
    ['surface', 'ground', 'raised', 'log-ground', 'accent-soft'].map((ground) => [ink, ground] as const),
  ),
  ...['good', 'bad', 'busy', 'warn', 'idle'].flatMap(
    (tone) =>
      [
        [tone, `${tone}-soft`],
        ['text', `${tone}-soft`],
        ['muted', `${tone}-soft`],
      ] as const,
  ),
  ...Array.from({ length: 8 }, (_, at) => [`ink-${at}`, 'log-ground'] as const),
  ...Array.from({ length: 7 }, (_, at) => ['surface', `ink-${at}`] as const),
  ['text', 'mark'],
  ['muted', 'mark'],
];

test('every text on every ground has a contrast of at least 4.5, in both themes', () => {
  for (const [theme, colours] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    for (const [ink, ground] of pairs) {
      const ratio = contrast(colours?.get(ink) ?? '', colours?.get(ground) ?? '');
      assert.ok(ratio >= 4.5, `${theme}: ${ink} on ${ground} has ${ratio.toFixed(2)}`);
    }
  }
});

test('edges of fields and the focus are seen: at least 3 to what is beside them', () => {
  for (const colours of [light, dark]) {
    for (const ink of ['border-strong', 'accent'])
      assert.ok(contrast(colours?.get(ink) ?? '', colours?.get('surface') ?? '') >= 3, ink);
  }
});

test('no two states share a shape, or a word: they are told apart without colour', () => {
  const refused = Object.fromEntries(
    verdictKinds
      .map((kind) => [kind, runMarkOf('success', kind)] as const)
      .filter(([, mark]) => mark !== runMarks.success),
  );
  assert.deepEqual(Object.keys(refused), ['worse', 'below-threshold']);
  const ofRuns = { ...stepMarks, cancelling: runMarks.cancelling, ...refused };
  for (const marks of [stepMarks, ofRuns, verdictMarks]) {
    const all: readonly Mark[] = Object.values(marks);
    assert.equal(new Set(all.map((mark) => mark.word)).size, all.length);
    assert.equal(new Set(all.map((mark) => renderToString(h(Fragment, null, shapeParts(mark))))).size, all.length);
  }
});

test('every tone that the marks use has its colour in both themes', () => {
  for (const { tone } of [...Object.values(stepMarks), ...Object.values(verdictMarks)]) {
    assert.ok(light?.has(tone) && dark?.has(tone), tone);
    assert.match(css, new RegExp(`\\.tone-${tone} \\{`));
  }
});

function contrast(left: string, right: string): number {
  const [one, other] = [luminance(left), luminance(right)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** Relative luminance of WCAG 2.2. */
function luminance(colour: string): number {
  assert.match(colour, /^#[0-9a-f]{6}$/);
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
