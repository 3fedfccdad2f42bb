import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { good } from '../cli/pipelines.ts';
import { createProject } from '../cli/sandbox.ts';
import { exampleOf, examplesOf, missingLines, pageOf } from './blocks.ts';
import { createReader } from './reader.ts';

const examples = examplesOf(pageOf('quick-start.md'));
const reader = createReader();
after(() => reader.leave());
const repository = join(import.meta.dirname, '../..');

test('the quick start has its examples', () => assert.ok(examples.length >= 8));

for (const { line, commands, shown } of examples) {
  test(`line ${line} of the quick start does what it shows`, async () => {
    const output = await reader.type(commands);
    if (shown !== null) assert.deepEqual(missingLines(shown, output), [], output);
  });
}

test('the compiler takes its files as the editor is told to read them', async () => {
  const modules = join(reader.folder, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  symlinkSync(repository, join(modules, 'contender'));
  symlinkSync(join(repository, 'node_modules/@types/node'), join(modules, '@types/node'));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  // The types of the package are those of its sources, which need no build.
  const args = [tsc, '-p', '.pipelines', '--customConditions', 'contender-source'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: reader.folder });
  assert.equal(stdout, '');
});

for (const [name, file] of [
  ['pointer', 'models/churn.json'],
  ['ledger', 'ledger/churn.jsonl'],
] as const) {
  test(`docs/models.md shows the ${name} as it was really written`, async () => {
    const written = await promisify(execFile)('git', ['show', `contender/models:${file}`], { cwd: reader.folder });
    const text = name === 'ledger' ? (written.stdout.split('\n')[0] ?? '') : written.stdout;
    assert.deepEqual(shapeOf(JSON.parse(exampleOf(pageOf('models.md'), name))), shapeOf(JSON.parse(text)));
  });
}

test('the server says where it is, and its pages are those that the quick start names', async () => {
  const page = pageOf('quick-start.md');
  const sandbox = createProject({ '.pipelines/good.ts': good });
  try {
    const server = sandbox.start(['serve', '--port', '0']);
    const [, url = ''] = await server.until(/^Contender [\d.]+ is at (http:\/\/127\.0\.0\.1:\d+), watching /m);
    assert.equal((await sandbox.run(['run', 'good'])).status, 0);
    const addresses = [...page.matchAll(/^\| `(\/\w+)` \|/gm)].map(([, address = '']) => address);
    assert.deepEqual(addresses, ['/runs', '/pipelines', '/models']);
    for (const address of [...addresses, '/login'])
      assert.equal((await fetch(`${url}${address}`)).status, 200, address);
    assert.match(await (await fetch(`${url}/pipelines`)).text(), />Start a run</);
    assert.match(await (await fetch(`${url}/runs`)).text(), /href="\/login/);
    assert.match(sandbox.read('.contender/api-token'), /^[\w-]{16,}\n$/);
    server.kill('SIGINT');
    assert.equal((await server.ended).status, 0);
  } finally {
    await sandbox.remove();
  }
});

test('the keys of the quick start are those that the pages list', () => {
  const source = readFileSync(join(repository, 'src/ui/islands/tools.ts'), 'utf8');
  const listed = /^const keys[^=]*= \[\n([\s\S]*?)^\];$/m.exec(source)?.[1]?.matchAll(/\['([^']+)', /g) ?? [];
  const shown = pageOf('quick-start.md').matchAll(/^\| `(\?|\/|\w|Enter)` \| .+ \|$/gm);
  const keys = (found: Iterable<RegExpMatchArray>) => [...found].map(([, key]) => key);
  assert.deepEqual(keys(shown), keys(listed));
});

/** The keys and kinds of a value; of a list, those of its first element. */
function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shapeOf(field)]));
}
