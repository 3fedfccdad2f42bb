import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { loadFunction } from '../../runner/load.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf, placesOf } from './sources.ts';

const shared = {
  '.pipelines/shared/t.ts': 'export interface Row { a: number }\nexport const two: number = 2;\n',
  '.pipelines/shared/rows.ts': `export type { Row } from './t.ts';\nexport { two } from './t.ts';\n`,
  '.pipelines/shared/all.ts': `export * from './t.ts';\n`,
  '.pipelines/shared/mixed.ts': `// ü\nexport { two, Row } from './t.ts';\n`,
  '.pipelines/shared/again.ts': `import {\n  two,\n  Row,\n} from './t.ts';\nexport { two, Row };\n`,
  '.pipelines/shared/types.ts': 'export interface Column { name: string }\n',
  '.pipelines/shared/plain.js': 'export const two = 2;\n',
  '.pipelines/shared/old.js': `const two = 2;\nmodule.exports = { two };\n`,
  '.pipelines/shared/old.ts': 'exports.two = 2;\n',
  '.pipelines/shared/older.ts': '\nexport = { two: 2 };\n',
  '.pipelines/shared/old.cjs': 'exports.two = 2;\n',
  '.pipelines/shared/old.cts': 'exports.two = 2;\n',
  '.pipelines/shared/both.js': `export const two = 2;\nif (typeof module !== 'undefined') module.exports = { two };\n`,
  '.pipelines/shared/broken.ts': 'export const two = ;\n',
  '.pipelines/commonjs/package.json': '{ "type": "commonjs" }',
  '.pipelines/commonjs/two.js': 'export const two = 2;\n',
  '.pipelines/commonjs/two.mjs': 'export const two = 2;\n',
  '.pipelines/commonjs/two.ts': 'export const two = 2;\n',
  '.pipelines/modules/package.json': '{ "type": "module" }',
  '.pipelines/modules/two.js': 'export const two = 2;\n',
  'lib/grid.json': '{ "depth": 2 }',
  'lib/broken.json': '{ "depth": }',
};

/** The lines of a file before its pipeline, and the place and the help of the problem that it has, if any. */
const heads: readonly (readonly [title: string, head: string, place?: string, help?: RegExp])[] = [
  ['a type marked in a list', `import { type Row, two } from './shared/t.ts';\nconst row: Row = { a: two };`],
  ['a list of types', `import type { Row } from './shared/t.ts';\nlet row: Row;`],
  [
    'a type that is not marked',
    `\nimport { two, Row } from './shared/t.ts';\nlet row: Row;`,
    'a.ts:2:15',
    /`import type`/,
  ],
  [
    'a type that is not marked, of a file of types alone',
    `import { Column } from './shared/types.ts';\nlet column: Column;`,
    'a.ts:1:10',
    /`import type`/,
  ],
  ['types from a file that passes them on', `import { type Row, two } from './shared/rows.ts';\nlet row: Row;`],
  ['types from a file that passes all on', `import { type Row, two } from './shared/all.ts';\nlet row: Row;`],
  ['a type passed on unmarked', `import { two } from './shared/mixed.ts';`, 'shared/mixed.ts:2:15', /`export type`/],
  ['a type imported and passed on', `import { two } from './shared/again.ts';`, 'shared/again.ts:3:3', /`import type`/],
  ['a name that a script lacks', `import { two, three } from './shared/plain.js';`, 'a.ts:1:15', /`import type`/],
  [
    'a type of the words that is not marked',
    `import { Json } from 'contender';\nlet json: Json;`,
    'a.ts:1:10',
    /`import type`/,
  ],
  ['a type of the words', `import type { Json } from 'contender';\nlet json: Json;`],
  ['a missing file that nothing uses', `import { x } from './missing.ts';`, 'a.ts:1:19', /Check the path/],
  ['a missing file of types', `import type { X } from './missing.ts';\nlet x: X;`],
  ['a file that nothing uses', `import { two } from './shared/t.ts';`],
  ['data', `import grid from '../lib/grid.json';\nconst { depth } = grid;`],
  ['data marked as such', `import grid from '../lib/grid.json' with { type: 'json' };\nconst { depth } = grid;`],
  ['a name from data', `import { depth } from '../lib/grid.json';`, 'a.ts:1:10', /default export alone/],
  [
    'a name from marked data',
    `import { depth } from '../lib/grid.json' with { type: 'json' };`,
    'a.ts:1:10',
    /default export/,
  ],
  ['data as a namespace', `import * as grid from '../lib/grid.json';\nconst { depth } = grid.default;`],
  ['data that are none', `import grid from '../lib/broken.json';`, '../lib/broken.json:1:12', /Correct/],
  ['an enum', `enum Mood { Good = 'good' }\nconst mood = Mood.Good;`],
  ['a namespace', `namespace Numbers { export const two = 2; }\nconst two = Numbers.two;`],
  ['parameter properties', `class Row { constructor(readonly a: number) {} }\nconst row = new Row(1);`],
  ['a decorator', `const noted = (x: unknown): void => {};\n@noted class Row {}`, 'a.ts:2:1', /./],
  ['a name that a namespace lacks', `import * as t from './shared/t.ts';\nvoid t.three;`, 'a.ts:2:8', /`import type`/],
  ['a name that data as a namespace lack', `import * as t from '../lib/grid.json';\nvoid t.depth;`, 'a.ts:2:8', /JSON/],
  ['a word that is none', `import * as words from 'contender';\nvoid words.steps;`, 'a.ts:2:12', /lists the words/],
  ['a default export that is missing', `import two from './shared/plain.js';`, 'a.ts:1:8', /by its name/],
  ['one of a file of types alone', `import two from './shared/types.ts';`, 'a.ts:1:8', /by its name/],
  ['one of the words', `import contender from 'contender';`, 'a.ts:1:8', /by its name/],
  [
    'a mistake in another file',
    `import { two } from './shared/broken.ts';`,
    'shared/broken.ts:1:20',
    /^Correct the file/,
  ],
  ['CommonJS', `import { two } from './shared/old.js';`, 'shared/old.js:2:1', /ES modules/],
  ['CommonJS as a default', `import old from './shared/old.js';`, 'shared/old.js:2:1', /ES modules/],
  ['CommonJS that exports nothing', `import './shared/old.js';`, 'shared/old.js:2:1', /ES modules/],
  ['CommonJS in TypeScript', `import { two } from './shared/old.ts';`, 'shared/old.ts:1:1', /ES modules/],
  ['an assignment of all exports', `import { two } from './shared/older.ts';`, 'shared/older.ts:2:1', /ES modules/],
  ['CommonJS by its ending', `import { two } from './shared/old.cjs';`, 'a.ts:1:21', /ES modules/],
  ['CommonJS in TypeScript by its ending', `import { two } from './shared/old.cts';`, 'a.ts:1:21', /ES modules/],
  ['a file that may be either', `import { two } from './shared/both.js';`],
  ['a script of a package in CommonJS', `import { two } from './commonjs/two.js';`, 'a.ts:1:21', /Call it two\.mjs/],
  ['a module of such a package', `import { two } from './commonjs/two.mjs';`],
  ['TypeScript of such a package', `import { two } from './commonjs/two.ts';`],
  ['a script of a package of modules', `import { two } from './modules/two.js';`],
  ['a require', `const { two } = require('./shared/plain.js');`, 'a.ts:1:25', /ES modules/],
  ['a require that cannot be followed', `const load = require;\nload('./shared/plain.js');`, 'a.ts:2:1', /ES modules/],
  ['exports of the pipeline itself', `module.exports = {};`, 'a.ts:1:1', /ES modules/],
  ['an import by require', `import fs = require('node:fs');`, 'a.ts:1:21', /at the top of the file/],
];

const compiler = await createCompiler();
const tree = await mkdtemp(join(tmpdir(), 'contender-loads-'));
after(async () => {
  await compiler.close();
  await rm(tree, { recursive: true });
});

for (const [index, [title, head, place, help]] of heads.entries()) {
  test(`${title}: ${place === undefined ? 'accepted, and the runner loads it' : 'refused at its place'}`, async () => {
    const text = `${head}\nimport { pipeline, step } from 'contender';
export default pipeline('a', {}, () => { step('run', { run: () => 1 }); });`;
    const compiled = await compiler.compile(commitOf({ ...shared, '.pipelines/a.ts': text }));
    if (place !== undefined) {
      const at = join('.pipelines', place);
      assert.deepEqual(
        placesOf(compiled).map((each) => each.split(' ')[0]),
        [at],
      );
      const [told] = compiled[0]?.problems ?? [];
      assert.match(told?.help ?? '', help ?? /./);
      assert.doesNotMatch(`${told?.message} ${told?.help}`, /repository:|words:|plugin/);
      return;
    }
    assert.deepEqual(placesOf(compiled), []);
    const sourceTree = join(tree, 'tree');
    const file = `.pipelines/a${index}.ts`;
    for (const [path, content] of Object.entries({ ...shared, [file]: text })) {
      await mkdir(dirname(join(sourceTree, path)), { recursive: true });
      await writeFile(join(sourceTree, path), content);
    }
    const loaded = await loadFunction({ sourceTree, nodeModules: null, file, step: 'run' }, () => {});
    assert.deepEqual(loaded.ok ? null : loaded.error, null);
  });
}

test('a package that becomes one in CommonJS is seen, though no file of the pipeline changes', async () => {
  const files = {
    '.pipelines/shared/plain.js': shared['.pipelines/shared/plain.js'],
    '.pipelines/a.ts': `import { two } from './shared/plain.js';\nimport { pipeline, step } from 'contender';
export default pipeline('a', {}, () => { step('run', { command: ['echo', \`\${two}\`] }); });`,
  };
  assert.deepEqual(placesOf(await compiler.compile(commitOf(files))), []);
  const packed = commitOf({ ...files, 'package.json': '{ "type": "commonjs" }' });
  assert.deepEqual(placesOf(await compiler.compile(packed)), ['.pipelines/a.ts:1:21 definition-import']);
});
