import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { docs, pageOf } from './blocks.ts';

const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));

for (const page of pages) {
  test(`docs/${page} links to pages and headings that are there`, () => {
    for (const [, target = ''] of pageOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(docs, file)), `${target} is not there`);
      if (heading === undefined) continue;
      const headings = [...pageOf(file).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => anchorOf(text));
      assert.ok(headings.includes(heading), `${target}: there is no such heading`);
    }
  });
}

test('docs/README.md lists each page', () => {
  const index = pageOf('README.md');
  const unlisted = pages.filter((page) => !page.includes('/') && page !== 'README.md' && !index.includes(`(${page})`));
  assert.deepEqual(unlisted, []);
});

test('docs/decisions/README.md lists each decision under its heading', () => {
  const index = pageOf('decisions/README.md');
  const decisions = pages.filter((page) => /^decisions\/\d/.test(page));
  for (const page of decisions) {
    const [, number = '', heading = ''] = /^# 0*(\d+)\.? (.*)$/m.exec(pageOf(page)) ?? [];
    const name = page.slice('decisions/'.length);
    assert.ok(index.includes(`| [${number.padStart(4, '0')}](${name}) | ${heading} |`), name);
    assert.ok(name.startsWith(number.padStart(4, '0')), name);
  }
});

test('the README of the repository lists each page too', () => {
  const readme = readFileSync(join(docs, '../README.md'), 'utf8');
  const unlisted = pages.filter(
    (page) => !page.includes('/') && page !== 'README.md' && !readme.includes(`(docs/${page})`),
  );
  assert.deepEqual(unlisted, []);
});

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}
