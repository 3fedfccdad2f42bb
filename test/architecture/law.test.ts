import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { findBreaches } from '../../scripts/law.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const table = `
| folder | what it is | may import |
|--|--|--|
| src/std | ground (pure) | |
| src/engine | heart (pure) | std |
| src/journal | memory | engine std |
| src/conductor | loop | journal! engine std |
`;

function treeOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'law-'));
  folders.push(root);
  for (const [path, text] of Object.entries({ 'ARCHITECTURE.md': table, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const lawful = {
  'src/std/json.ts': 'export type Json = string;',
  'src/engine/engine.ts': "import type { Json } from '../std/json.ts'; export type State = Json;",
  'src/engine/dates.ts':
    'export class Dates { Date = 1; static of(at: number): Date { return new Date(Math.max(at, Date.UTC(2026, 0), Date.parse("2026"))); } }',
  'src/journal/journal.ts': "export type { State } from '../engine/engine.ts';",
  'src/journal/sqlite.ts':
    "import type { State } from './journal.ts'; export const at = (): State => String(Date.now());",
  'src/conductor/conductor.ts': "import type { State } from '../journal/journal.ts'; export type Loop = State;",
};

test('this repository keeps the law of imports', () => {
  assert.deepEqual(findBreaches('.'), []);
});

test('a tree that keeps to its table has no breach', () => {
  assert.deepEqual(findBreaches(treeOf(lawful)), []);
});

const breaches: readonly {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
}[] = [
  {
    title: 'an upward import',
    files: { 'src/std/up.ts': "import { decide } from '../engine/engine.ts'; export const up = decide;" },
    says: /the row of src\/std does not name src\/engine/,
  },
  {
    title: 'an upward import of types alone',
    files: { 'src/std/up.ts': "import type { State } from '../engine/engine.ts'; export type Up = State;" },
    says: /the row of src\/std does not name src\/engine/,
  },
  {
    title: 'an upward re-export',
    files: { 'src/engine/up.ts': "export * from '../journal/journal.ts';" },
    says: /the row of src\/engine does not name src\/journal/,
  },
  {
    title: 'an upward dynamic import',
    files: { 'src/engine/up.ts': "export const up = () => import('../journal/journal.ts');" },
    says: /the row of src\/engine does not name src\/journal/,
  },
  {
    title: 'an upward import inside of a type',
    files: { 'src/std/up.ts': "export type Up = import('../engine/engine.ts').State;" },
    says: /the row of src\/std does not name src\/engine/,
  },
  {
    title: 'an upward import by require',
    files: { 'src/std/up.ts': "import up = require('../engine/engine.ts'); export const is = up;" },
    says: /the row of src\/std does not name src\/engine/,
  },
  {
    title: 'an implementation where only the contract is allowed',
    files: { 'src/conductor/deep.ts': "import { at } from '../journal/sqlite.ts'; export const deep = at;" },
    says: /only the contract src\/journal\/journal\.ts is allowed/,
  },
  {
    title: 'a circle of types',
    files: {
      'src/engine/one.ts': "import type { Two } from './two.ts'; export interface One { two: Two }",
      'src/engine/two.ts': "import type { One } from './one.ts'; export interface Two { one: One }",
    },
    says: /stands in a circle, src\/engine\/one\.ts → src\/engine\/two\.ts → src\/engine\/one\.ts/,
  },
  {
    title: "Node's API in a pure folder",
    files: { 'src/engine/file.ts': "import { readFileSync } from 'node:fs'; export const read = readFileSync;" },
    says: /imports node:fs in a pure folder/,
  },
  {
    title: 'a clock in a pure folder',
    files: { 'src/engine/clock.ts': 'export const at = (): number => Date.now();' },
    says: /uses Date\.now in a pure folder/,
  },
  {
    title: 'the date of today in a pure folder',
    files: { 'src/engine/clock.ts': 'export const at = (): number => new Date().getTime();' },
    says: /uses new Date\(\) in a pure folder/,
  },
  {
    title: 'the date of today as text in a pure folder',
    files: { 'src/engine/clock.ts': 'export const at = (): string => Date();' },
    says: /uses Date\(\) in a pure folder/,
  },
  {
    title: 'a clock of the global object in a pure folder',
    files: { 'src/engine/clock.ts': 'export const at = (): number => globalThis.Date.now();' },
    says: /uses globalThis\.Date in a pure folder/,
  },
  {
    title: 'a clock that is taken out in a pure folder',
    files: { 'src/engine/clock.ts': 'const { now } = Date; export const at = now;' },
    says: /uses Date in a pure folder/,
  },
  {
    title: 'a clock by a name that is text in a pure folder',
    files: { 'src/engine/clock.ts': "export const at = (): number => Date['now']();" },
    says: /uses Date in a pure folder/,
  },
  {
    title: 'a clock that is handed on in a pure folder',
    files: { 'src/engine/clock.ts': 'export const clocks = { Date };' },
    says: /uses Date in a pure folder/,
  },
  {
    title: 'randomness in a pure folder',
    files: { 'src/std/dice.ts': 'export const dice = (): number => Math.random();' },
    says: /uses Math\.random in a pure folder/,
  },
  {
    title: 'a folder without a row',
    files: { 'src/utils/all.ts': 'export const all = 1;' },
    says: /has no row in ARCHITECTURE\.md/,
  },
];

for (const breach of breaches) {
  test(`${breach.title} is a breach`, () => {
    const found = findBreaches(treeOf({ ...lawful, ...breach.files }));
    assert.equal(found.length, 1, JSON.stringify(found));
    assert.match(found[0]?.message ?? '', breach.says);
  });
}

test('a table whose row names what stands below it is a breach', () => {
  const root = treeOf(lawful);
  writeFileSync(
    join(root, 'ARCHITECTURE.md'),
    table.replace('| src/engine | heart (pure) | std |', '| src/engine | heart (pure) | std journal |'),
  );
  assert.match(findBreaches(root)[0]?.message ?? '', /names src\/journal, which does not stand above it/);
});

test('each file or folder that ARCHITECTURE.md names by its path is there', () => {
  const text = readFileSync('ARCHITECTURE.md', 'utf8');
  const paths = [...text.matchAll(/`([a-z][a-z.-]*(?:\/[a-z.-]+)+)`/g)].map(([, path = '']) => path);
  const missing = paths.filter((path) =>
    [path, `${path}.ts`, `src/${path}`, `src/${path}.ts`].every((place) => !existsSync(place)),
  );
  assert.ok(paths.length > 20);
  assert.deepEqual(missing, []);
});
