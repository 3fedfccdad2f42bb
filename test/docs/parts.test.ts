import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageOf } from './blocks.ts';

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '../..');
const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** What the table below a heading says of each package. */
function partsBelow(heading: string): ReadonlyMap<string, { readonly version: string; readonly license: string }> {
  const section = pageOf('decisions/0001-parts.md').split(`${heading}\n`)[1]?.split(/^## /m)[0] ?? '';
  const rows = section.matchAll(/^\| [^|]+ \| `([^`]+)` \| ([\d.]+) \| ([\w.-]+) \|/gm);
  return new Map([...rows].map(([, name = '', version = '', license = '']) => [name, { version, license }]));
}

const { dependencies, devDependencies } = manifestOf('.');
for (const [heading, names] of [
  ['## While it runs', Object.keys(dependencies)],
  ['## While it is made', Object.keys(devDependencies)],
] as const) {
  const parts = partsBelow(heading);
  test(`0001-parts.md says why there is each package ${heading.slice(3).toLowerCase()}, and names no other`, () => {
    assert.deepEqual([...parts.keys()].toSorted(), names.toSorted());
  });

  test(`0001-parts.md is right about versions and licences ${heading.slice(3).toLowerCase()}`, () => {
    const installed = [...parts.keys()].map((name) => {
      const { version, license } = manifestOf(join('node_modules', name));
      return [name, { version, license }];
    });
    assert.deepEqual([...parts], installed);
  });
}
