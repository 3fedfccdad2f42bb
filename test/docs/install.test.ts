import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { version } from '../../src/version.ts';
import { pageOf } from './blocks.ts';

const pages: readonly (readonly [name: string, text: string])[] = [
  ['README.md', readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')],
  ['docs/quick-start.md', pageOf('quick-start.md')],
];

for (const [name, text] of pages) {
  test(`${name} installs the package that a clone makes, since no registry has it`, () => {
    const lines = text.match(/^npm install .*$/gm) ?? [];
    assert.equal(lines.length, 1);
    assert.ok(lines[0]?.endsWith(`/contender-${version}.tgz`), lines[0]);
    assert.match(text, /in no registry/);
    assert.match(text, /npm ci && npm pack/);
  });
}
