import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { program } from '../cli/sandbox.ts';
import { exampleOf, examplesOf, missingLines, pageOf } from './blocks.ts';

const examples = examplesOf(pageOf('quick-start.md'));
const repository = join(import.meta.dirname, '../..');
let root = '';

/** As on the reader's machine: an empty folder, an empty home with a name for Git, and `contender` on the PATH. */
before(() => {
  root = mkdtempSync(join(tmpdir(), 'quick-start-'));
  for (const folder of ['bin', 'home', 'work']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'bin/contender'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(join(root, 'bin/contender'), 0o755);
  writeFileSync(join(root, 'home/.gitconfig'), '[user]\n\tname = mona\n\temail = mona@example.com\n');
});
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

test('the quick start has its examples', () => assert.ok(examples.length >= 8));

for (const { line, commands, shown } of examples) {
  test(`line ${line} of the quick start does what it shows`, async () => {
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', commands], {
      cwd: join(root, 'work'),
      env: {
        PATH: `${join(root, 'bin')}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        HOME: join(root, 'home'),
        LANG: 'C.UTF-8',
      },
    });
    if (shown !== null) assert.deepEqual(missingLines(shown, stdout), [], stdout);
  });
}

test('the compiler takes its files as the editor is told to read them', async () => {
  const modules = join(root, 'work/node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  symlinkSync(repository, join(modules, 'contender'));
  symlinkSync(join(repository, 'node_modules/@types/node'), join(modules, '@types/node'));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  // The types of the package are those of its sources, which need no build.
  const args = [tsc, '-p', '.pipelines', '--customConditions', 'contender-source'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(root, 'work') });
  assert.equal(stdout, '');
});

for (const [name, file] of [
  ['pointer', 'models/churn.json'],
  ['ledger', 'ledger/churn.jsonl'],
] as const) {
  test(`docs/models.md shows the ${name} as it was really written`, async () => {
    const written = await promisify(execFile)('git', ['show', `contender/models:${file}`], { cwd: join(root, 'work') });
    const text = name === 'ledger' ? (written.stdout.split('\n')[0] ?? '') : written.stdout;
    assert.deepEqual(shapeOf(JSON.parse(exampleOf(pageOf('models.md'), name))), shapeOf(JSON.parse(text)));
  });
}

/** The keys and kinds of a value; of a list, those of its first element. */
function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shapeOf(field)]));
}
