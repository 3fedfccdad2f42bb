import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { version } from '../../src/version.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox();
});
afterEach(() => sandbox.remove());

test('in an empty folder, a pipeline, its configuration and types for the editor are written, and they are good', async () => {
  const { status, out, err } = await sandbox.run(['init']);
  assert.deepEqual({ status, err }, { status: 0, err: '' });
  assert.deepEqual(readdirSync(sandbox.folder).toSorted(), ['.gitignore', '.pipelines', 'contender.yaml']);
  assert.match(out, /wrote \.pipelines\/hello\.ts/);
  assert.match(out, /git init/);
  const checked = await sandbox.run(['check']);
  assert.equal(checked.status, 0, checked.err);
  assert.match(checked.out, /hello 2 steps/);
});

test('in a Git repository, what it ignored already stays ignored, and no second repository is proposed', async () => {
  sandbox.git('init', '--quiet', '--initial-branch=main');
  sandbox.write({ '.gitignore': 'node_modules' });
  const { status, out } = await sandbox.run(['init']);
  assert.equal(status, 0);
  assert.doesNotMatch(out, /git init/);
  assert.equal(sandbox.read('.gitignore'), 'node_modules\n.contender/\n');
});

test('in a subfolder of a repository, nothing is written, and the top is named', async () => {
  sandbox.git('init', '--quiet', '--initial-branch=main');
  sandbox.write({ 'models/notes.txt': '' });
  const { status, out, err } = await sandbox.run(['init'], { within: 'models' });
  assert.deepEqual({ status, out }, { status: 2, out: '' });
  assert.ok(err.includes(`contender -C ${sandbox.folder} init`), err);
  assert.match(err, /\[init-below-top\]/);
  assert.deepEqual(readdirSync(join(sandbox.folder, 'models')), ['notes.txt']);
});

test('a project in a subfolder of a repository is told where it belongs', async () => {
  sandbox.git('init', '--quiet', '--initial-branch=main');
  sandbox.write({ 'models/contender.yaml': 'repositories:\n  - url: .\n' });
  const { status, err } = await sandbox.run(['run', 'hello'], { within: 'models' });
  assert.equal(status, 2);
  assert.match(err, /models is no Git repository, but a folder in one \[repository-unreadable\]/);
  assert.ok(err.includes(`to the top of that repository, ${sandbox.folder},`), err);
});

test('after git add, what npm installed and what Contender keeps is no part of the commit', async () => {
  sandbox.git('init', '--quiet', '--initial-branch=main');
  sandbox.write({ 'package.json': '{}', 'node_modules/left/index.js': '', '.contender/journal.sqlite': '' });
  const { out } = await sandbox.run(['init']);
  assert.match(out, /added \.contender\/ and node_modules\/ to \.gitignore/);
  sandbox.git('add', '.');
  assert.deepEqual(sandbox.git('ls-files').split('\n'), [
    '.gitignore',
    '.pipelines/hello.ts',
    '.pipelines/tsconfig.json',
    'contender.yaml',
    'package.json',
  ]);
});

test('what is there is never overwritten, and then nothing at all is written', async () => {
  sandbox.write({ 'contender.yaml': 'mine' });
  const { status, out, err } = await sandbox.run(['init']);
  assert.deepEqual({ status, out }, { status: 2, out: '' });
  assert.match(err, /contender\.yaml is here already \[init-exists\]/);
  assert.equal(sandbox.read('contender.yaml'), 'mine');
  assert.equal(existsSync(join(sandbox.folder, '.pipelines')), false);
});

test('what the editor needs and is not here is named, and nothing once it is', async () => {
  const install = `npm install --save-dev @types/node@24 ../contender/contender-${version}.tgz`;
  assert.ok((await sandbox.run(['init'])).out.includes(install));
  for (const path of ['.pipelines', 'contender.yaml']) rmSync(join(sandbox.folder, path), { recursive: true });
  sandbox.write({ 'node_modules/contender/package.json': '{}', 'node_modules/@types/node/package.json': '{}' });
  assert.doesNotMatch((await sandbox.run(['init'])).out, /npm install/);
});

test('the next lines call the program as it is installed: for this user, or in this folder', async () => {
  sandbox.write({ 'bin/contender': '' });
  const environment = { PATH: `${join(sandbox.folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  assert.match((await sandbox.run(['init'], { environment })).out, /^ {2}contender check$/m);
  for (const path of ['.pipelines', 'contender.yaml']) rmSync(join(sandbox.folder, path), { recursive: true });
  sandbox.write({ 'node_modules/.bin/contender': '' });
  assert.match((await sandbox.run(['init'], { environment })).out, /^ {2}npx contender check$/m);
});

test('the first pipeline runs', async () => {
  sandbox.git('init', '--quiet', '--initial-branch=main');
  await sandbox.run(['init']);
  sandbox.commit({});
  const { status, out, err } = await sandbox.run(['run', 'hello']);
  assert.equal(status, 0, err);
  assert.match(out, /✓ success/);
  assert.equal(sandbox.git('status', '--porcelain'), '');
});
