import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { compileLimits, type Compiled } from '../../src/compile/compile.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf, goodFile, pipelineFile, placesOf } from './sources.ts';

// Time enough by the clock, however busy the machine is.
const compiler = await createCompiler({ evaluationMs: 300, evaluationKillMs: 30_000 });
after(async () => await compiler.close());

async function compile(files: Readonly<Record<string, string>>): Promise<readonly Compiled[]> {
  return await compiler.compile(commitOf(files));
}

async function problemOf(source: string): Promise<{ code: string; message: string; help: string; place: string }> {
  const [compiled] = await compile({ '.pipelines/a.ts': source });
  const problem = compiled?.problems[0];
  assert.ok(problem, 'a problem');
  const { code, message, help, where } = problem;
  return { code, message, help, place: `${where?.file ?? '?'}:${where?.line ?? 0}:${where?.column ?? 0}` };
}

test('a file becomes a version with its definition, canonical text and digest', async () => {
  const [compiled] = await compile({ '.pipelines/good.ts': goodFile });
  assert.deepEqual(compiled?.problems, []);
  assert.equal(compiled?.version?.definition.name, 'good');
  assert.deepEqual(JSON.parse(compiled?.version?.canonical ?? ''), compiled?.version?.definition);
  assert.match(compiled?.version?.digest ?? '', /^[0-9a-f]{64}$/);
});

test('an input is as deep as the words allow, with a handle in it too', async () => {
  const input = `${'{ a: '.repeat(16)}date${' }'.repeat(16)}`;
  const compiled = await compile({
    '.pipelines/a.ts': pipelineFile(`step('a', { input: ${input}, run: () => 1 });`),
  });
  assert.deepEqual(compiled[0]?.problems, []);
});

test('a file that Git refuses to read stops only those that import it', async () => {
  const huge = new Uint8Array(2 * 1024 * 1024);
  const source = commitOf({
    '.pipelines/good.ts': goodFile,
    '.pipelines/rows.csv': huge,
    '.pipelines/huge.json': huge,
    '.pipelines/huge.ts': huge,
    '.pipelines/one.ts': "import './huge.json';",
    '.pipelines/two.ts': "import '../data.json';",
    '.pipelines/three.ts': "import '../.git/config.json';\nimport '../.git/hooks/a.ts';",
    '.pipelines/four.ts': "import '../lib/data.json';",
    'data.json': huge,
    'lib/data.json': huge,
  });
  const read: typeof source.read = async (paths) => {
    const contents = await source.read(paths);
    const isRefused = (path: string): boolean => contents.get(path)?.length === huge.length || path.startsWith('.git/');
    if (paths.some(isRefused)) throw new Error('refused');
    return contents;
  };
  const listed: string[] = [];
  const list: typeof source.list = async (folder) => {
    listed.push(folder);
    if (/^\.git\b/.test(folder)) throw new Error('refused');
    return await source.list(folder);
  };
  const compiled = await compiler.compile({ ...source, list, read });
  assert.deepEqual(
    compiled.map(({ file, problems }) => [file, problems.map(({ message }) => message).join()]),
    [
      ['.pipelines/four.ts', 'lib/data.json has more than 1048576 bytes'],
      ['.pipelines/good.ts', ''],
      ['.pipelines/huge.ts', '.pipelines/huge.ts has more than 1048576 bytes'],
      ['.pipelines/one.ts', '.pipelines/huge.json has more than 1048576 bytes'],
      [
        '.pipelines/three.ts',
        'there is no file ".git/config.json" that can be imported,there is no file ".git/hooks/a.ts" that can be imported',
      ],
      ['.pipelines/two.ts', 'data.json has more than 1048576 bytes'],
    ],
  );
  assert.equal(source.asked.includes('.pipelines/rows.csv'), false);
  // The whole tree for the file at its top alone, and no folder twice but the first.
  assert.deepEqual(listed.filter((folder) => !folder.startsWith('.git')).toSorted(), [
    '',
    '.pipelines',
    '.pipelines',
    'lib',
  ]);
  assert.equal(new Set(listed).size, listed.length - 1);
});

test('a file at the top that cannot be read is no reason to wait where the tree is too large to be listed', async () => {
  const source = commitOf({ '.pipelines/a.ts': "import '../data.json';", '.pipelines/good.ts': goodFile });
  const compiled = await compiler.compile({
    list: async (folder) => {
      if (folder === '') throw new Error('the tree has more than 100000 entries');
      return await source.list(folder);
    },
    read: async (paths) => {
      if (paths.includes('data.json')) throw new Error('too large');
      return await source.read(paths);
    },
  });
  assert.deepEqual(placesOf(compiled), ['.pipelines/a.ts:1:8 definition-import']);
});

test('files with the same definition share its digest, and files with another one do not', async () => {
  const digestOf = async (source: string): Promise<string | undefined> =>
    (await compile({ '.pipelines/good.ts': source }))[0]?.version?.digest;
  const digest = await digestOf(goodFile);
  assert.equal(await digestOf(`// a comment\n${goodFile}`), digest);
  assert.notEqual(await digestOf(goodFile.replace("'echo'", "'printf'")), digest);
});

test('what was compiled is remembered, until others have taken its room', async () => {
  const word = 'x'.repeat(4000);
  const versionOf = async (title: string, words: number): Promise<Compiled['version'] | undefined> => {
    const source = pipelineFile(`step('s', { command: ['${title}', ...Array(${words}).fill('${word}')] });`);
    const [compiled] = await compile({ '.pipelines/a.ts': source });
    assert.deepEqual(compiled?.problems, []);
    return compiled?.version;
  };
  const first = await versionOf('first', 1);
  assert.equal(await versionOf('first', 1), first);
  const words = 200;
  const needed = Math.ceil(compileLimits.cachedCharactersMax / (words * word.length));
  for (let each = 0; each < needed; each += 1) await versionOf(`large ${each}`, words);
  assert.notEqual(await versionOf('first', 1), first);
});

test('one broken file does not stop the others', async () => {
  const compiled = await compile({
    '.pipelines/a.ts': 'export default 1;',
    '.pipelines/b.ts': 'const = 1;',
    '.pipelines/c.ts': goodFile,
    '.pipelines/d.ts': `throw new Error('no');`,
  });
  assert.deepEqual(
    compiled.map(({ file, version }) => [file, version !== null]),
    [
      ['.pipelines/a.ts', false],
      ['.pipelines/b.ts', false],
      ['.pipelines/c.ts', true],
      ['.pipelines/d.ts', false],
    ],
  );
});

test('only .ts files directly in .pipelines are pipelines', async () => {
  const compiled = await compile({
    '.pipelines/good.ts': goodFile,
    '.pipelines/tsconfig.json': '{}',
    '.pipelines/good.test.ts': 'nonsense',
    '.pipelines/words.d.ts': 'nonsense',
    '.pipelines/shared/model.ts': 'nonsense',
  });
  assert.deepEqual(
    compiled.map(({ file }) => file),
    ['.pipelines/good.ts'],
  );
});

test('files are imported relatively, from anywhere in the repository', async () => {
  const source = `import { pipeline } from 'contender';
import { train } from './shared/train.ts';
import grid from '../config/grid.json' with { type: 'json' };
export default pipeline('imports', {}, () => { train(grid.depths); });`;
  const [compiled] = await compile({
    '.pipelines/a.ts': source,
    '.pipelines/shared/train.ts': `import { step } from 'contender';
export function train(depths: number[]): void { step('train', { input: { depths }, run: async ({ depths }) => depths }); }`,
    'config/grid.json': '{ "depths": [2, 4] }',
  });
  assert.deepEqual(compiled?.problems, []);
  assert.deepEqual(compiled?.version?.definition.steps[0]?.work, {
    kind: 'function',
    file: '.pipelines/a.ts',
    input: { literal: { depths: [2, 4] } },
  });
});

test('packages may be imported, and are refused only when the definition touches them', async () => {
  const head = `import { pipeline, step } from 'contender';
import { readFile } from 'node:fs/promises';
import fs, * as all from 'fs';
import { parse } from 'some-package/deep';
`;
  const fine = `${head}export default pipeline('a', {}, () => {
  step('read', { run: async () => parse(await readFile('x', 'utf8')) + fs.sep + all.sep });
});`;
  assert.deepEqual((await compile({ '.pipelines/a.ts': fine }))[0]?.problems, []);
  for (const touch of [`parse('1')`, `fs.readFileSync('x')`, `all.readFileSync('x')`, `new fs.Stats()`, `fs.x = 1`]) {
    const problem = await problemOf(`${head}export default pipeline('a', {}, () => {
  step('read', { run: async () => 1 });
});
${touch};`);
    assert.equal(problem.code, 'definition-impure', touch);
    assert.match(problem.message, /^the package "(?:fs|some-package\/deep)" is used while the pipeline is defined$/);
    assert.equal(problem.place.split(':')[1], '8');
  }
});

test('a problem is placed where the user made it, through imports and groups', async () => {
  const compiled = await compile({
    '.pipelines/a.ts': `import { pipeline, group } from 'contender';
import { clean } from './shared/clean.ts';

export default pipeline('a', {}, () => {
  group('prepare', () => { clean('Clean'); });
});`,
    '.pipelines/shared/clean.ts': `import { step } from 'contender';

export const clean = (name: string) =>
  step(name, { command: ['true'] });`,
  });
  assert.deepEqual(placesOf(compiled), ['.pipelines/shared/clean.ts:4:3 definition-name']);
});

const placed: readonly (readonly [title: string, source: string, place: string, code: string])[] = [
  ['a syntax error', 'const a = 1;\nconst ü = "ü" + ;\n', '2:17', 'definition-syntax'],
  ['an unknown word', `import { stap } from 'contender';\nstap('x');`, '1:10', 'definition-import'],
  ['a missing file', `import { a } from './a.ts';\nimport { x } from './no.ts';\nx(a);`, '2:19', 'definition-import'],
  ['a file above the repository', `import { x } from '../../etc/passwd.ts';\nx();`, '1:19', 'definition-import'],
  ['an absolute file', `import x from '/etc/passwd';\nx();`, '1:15', 'definition-import'],
  ['an address', `import x from 'https://example.org/x.ts';\nx();`, '1:15', 'definition-import'],
  ['import()', `\nconst x = import('node:fs');`, '2:18', 'definition-import'],
  ['require()', `const x = require('node:fs');`, '1:19', 'definition-import'],
  ['top-level await', `\n\nawait new Promise(() => {});`, '3:1', 'definition-promise'],
  [
    'a thrown error',
    `\nconst broken = () => {\n  throw new TypeError('no');\n};\nbroken();`,
    '3:13',
    'definition-threw',
  ],
  ['a clock', `const now = Date.now();\nexport default now;`, '1:13', 'definition-impure'],
  ['an endless loop', `let x = 0;\nwhile (true) x++;`, '2:14', 'definition-limit'],
];

for (const [title, source, place, code] of placed) {
  test(`${title} is a problem at its place`, async () => {
    const problem = await problemOf(source);
    assert.deepEqual([problem.place, problem.code], [`.pipelines/a.ts:${place}`, code]);
    assert.notEqual(problem.help, '');
  });
}

test('a file without its ending is named with it', async () => {
  const compiled = await compile({
    '.pipelines/a.ts': `import { x } from './shared/x';\nimport { y } from '../y.js';\nx(y);`,
    '.pipelines/shared/x.ts': 'export const x = 1;',
    'y.ts': 'export const y = 1;',
  });
  assert.deepEqual(
    compiled[0]?.problems.map(({ help }) => help),
    ['Write the whole name of the file: "./shared/x.ts".', 'Write the whole name of the file: "../y.ts".'],
  );
});

test('two files with one name are both refused', async () => {
  const compiled = await compile({
    '.pipelines/a.ts': goodFile,
    '.pipelines/b.ts': goodFile,
    '.pipelines/c.ts': pipelineFile(`step('x', { command: ['true'] });`, 'other'),
  });
  assert.deepEqual(placesOf(compiled), ['.pipelines/a.ts:1:1 definition-name', '.pipelines/b.ts:1:1 definition-name']);
  assert.match(compiled[0]?.problems[0]?.message ?? '', /"good" is defined in \.pipelines\/b\.ts too/);
});

test('a schedule that never fires, or is in no time zone, is refused', async () => {
  const schedule = (text: string): string =>
    `import { pipeline, step } from 'contender';\nexport default pipeline('a', { on: { schedule: ${text} } }, () => { step('x', { command: ['x'] }); });`;
  assert.match((await problemOf(schedule(`'0 0 31 2 *'`))).message, /never fires/);
  const zone = await problemOf(schedule(`{ cron: '0 0 * * *', timeZone: 'Europe/Atlantis' }`));
  assert.match(zone.message, /Atlantis/);
  assert.equal(zone.place, '.pipelines/a.ts:2:16');
});

test('the limits of a commit hold: number of files, of pipelines, bytes and code', async () => {
  const many = Object.fromEntries(
    Array.from({ length: compileLimits.filesMax + 1 }, (_, index) => [`.pipelines/x/${index}.ts`, '']),
  );
  assert.deepEqual(placesOf(await compile(many)), ['.pipelines:1:1 definition-limit']);
  const pipelines = Object.fromEntries(
    Array.from({ length: compileLimits.pipelinesMax + 1 }, (_, index) => [`.pipelines/${index}.ts`, '']),
  );
  assert.deepEqual(placesOf(await compile(pipelines)), ['.pipelines:1:1 definition-limit']);
  assert.equal((await problemOf(`//${'x'.repeat(compileLimits.fileBytesMax)}`)).code, 'definition-limit');
  assert.equal((await problemOf('a;'.repeat(compileLimits.bundleTokensMax / 2 + 1))).code, 'definition-limit');
});

test('the same files are not evaluated again, and a changed import is', async () => {
  const other = await createCompiler();
  const files = {
    '.pipelines/a.ts': `import { pipeline, step } from 'contender';
import { command } from '../shared.ts';
export default pipeline('a', {}, () => { step('x', { command }); });`,
    'shared.ts': `export const command = ['one'];`,
  };
  const first = await other.compile(commitOf(files));
  const second = await other.compile(commitOf({ ...files }));
  assert.equal(second[0]?.version, first[0]?.version);
  const third = await other.compile(commitOf({ ...files, 'shared.ts': `export const command = ['two'];` }));
  assert.deepEqual(third[0]?.version?.definition.steps[0]?.work, {
    kind: 'command',
    command: ['two'],
    environment: {},
  });
  await other.close();
});

test('a source that cannot be read rejects, and says nothing about the files', async () => {
  const source = commitOf({ '.pipelines/a.ts': `import { x } from '../x.ts';\nx();`, 'x.ts': '' });
  const broken = {
    list: async (folder: string) => await source.list(folder),
    read: async (paths: readonly string[]) => {
      if (paths.includes('x.ts')) throw new Error('the mirror is gone');
      return await source.read(paths);
    },
  };
  await assert.rejects(compiler.compile(broken), /the mirror is gone/);
});

test('commits without pipelines have no results', async () => {
  assert.deepEqual(await compile({ 'README.md': 'hello' }), []);
});
