import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, '../..', name), 'utf8'));
const { packages } = read('package-lock.json') as { readonly packages: Readonly<Record<string, Entry>> };
const manifest = read('package.json') as Entry;

/** As Node finds it: in the package's own folder, or in that of one around it. */
function resolves(from: string, name: string): boolean {
  for (let folder = from; ;) {
    if (packages[`${folder}${folder === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true;
    const at = folder.lastIndexOf('/node_modules/');
    if (folder === '') return false;
    folder = at < 0 ? '' : folder.slice(0, at);
  }
}

test('the lock file is of this package.json', () => {
  const { dependencies, devDependencies } = packages[''] ?? {};
  assert.deepEqual(
    { dependencies, devDependencies },
    { dependencies: manifest.dependencies, devDependencies: manifest.devDependencies },
  );
});

test('the lock file holds all that is named in it, for each platform, so that npm ci accepts it', () => {
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    [entry.dependencies, entry.devDependencies, entry.optionalDependencies]
      .flatMap((names) => Object.keys(names ?? {}))
      .filter((name) => !resolves(path, name))
      .map((name) => `${path} needs ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('what is installed is proved by its digest, on each platform', () => {
  const unproved = Object.entries(packages).flatMap(([path, { integrity }]) =>
    path === '' || integrity?.startsWith('sha512-') === true ? [] : [path],
  );
  assert.deepEqual(unproved, []);
});
