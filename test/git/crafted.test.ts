/** Repositories as nobody makes them by accident: what they hold is read as data or refused, and does nothing. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { GitRepository, Sha } from '../../src/git/git.ts';
import { gitLimits } from '../../src/git/limits.ts';
import { openMirror } from '../../src/git/mirror.ts';
import { parseTree } from '../../src/git/tree.ts';
import { errorKind, value } from '../contract/git-repository.ts';
import { makeRemote, sha, temporaryFolder, type GitRemote } from '../support/git-remote.ts';

interface Entry {
  readonly mode: string;
  readonly name: string | Buffer;
  readonly id: string;
}

interface Crafted {
  readonly remote: GitRemote;
  readonly repository: GitRepository;
  readonly target: string;
  readonly blob: (text: string | Buffer) => string;
  /** A tree object byte by byte, whatever git thinks of it. */
  readonly tree: (entries: readonly Entry[]) => string;
  /** A commit of `tree` on main, fetched. */
  readonly commit: (tree: string) => Promise<Sha>;
}

function craft(t: TestContext): Crafted {
  const remote = makeRemote(t);
  const folder = temporaryFolder(t);
  const repository = openMirror({ url: remote.path, directory: join(folder, 'mirror') });
  t.after(() => repository.close());
  return {
    remote,
    repository,
    target: join(folder, 'work'),
    blob: (text) => remote.gitWithInput(text, 'hash-object', '-w', '--stdin'),
    tree(entries) {
      const parts = entries.flatMap(({ mode, name, id }) => [
        Buffer.from(`${mode} `),
        Buffer.from(name),
        Buffer.alloc(1),
        Buffer.from(id, 'hex'),
      ]);
      return remote.gitWithInput(Buffer.concat(parts), 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin');
    },
    async commit(tree) {
      const made = sha(remote.git('commit-tree', '-m', 'crafted', tree));
      remote.setBranch('main', made);
      value(await repository.fetch());
      return made;
    },
  };
}

const paths = async (repository: GitRepository, commit: Sha, folder = ''): Promise<readonly string[]> =>
  value(await repository.files(commit, folder)).map((file) => file.path);

test('links and submodules are neither listed nor read nor written', async (t) => {
  const { remote, repository, target, blob, tree, commit } = craft(t);
  const inner = tree([
    { mode: '120000', name: 'link.ts', id: blob('/etc/passwd') },
    { mode: '160000', name: 'module', id: 'a'.repeat(40) },
    { mode: '100644', name: 'real.ts', id: blob('real') },
  ]);
  const tip = await commit(
    tree([
      {
        mode: '100644',
        name: '.gitmodules',
        id: blob('[submodule "module"]\n\tpath = .pipelines/module\n\turl = ext::sh -c false\n'),
      },
      { mode: '40000', name: '.pipelines', id: inner },
      { mode: '120000', name: 'up', id: blob('..') },
    ]),
  );
  assert.deepEqual(await paths(repository, tip), ['.gitmodules', '.pipelines/real.ts']);
  const read = value(
    await repository.read(tip, ['.pipelines/link.ts', '.pipelines/module', 'up', 'up/x', '.pipelines/real.ts']),
  );
  assert.deepEqual([...read.keys()], ['.pipelines/real.ts']);
  value(await repository.extract(tip, target));
  assert.deepEqual(readdirSync(target, { recursive: true, encoding: 'utf8' }).sort(), [
    '.gitmodules',
    '.pipelines',
    '.pipelines/real.ts',
  ]);
  assert.equal(remote.tip('main'), tip);
});

test('a link in place of a folder leads nowhere, also where the tree holds both under one name', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const inner = tree([{ mode: '100644', name: 'authorized_keys', id: blob('evil') }]);
  const tip = await commit(
    tree([
      { mode: '120000', name: 'a', id: blob('/tmp') },
      { mode: '40000', name: 'a', id: inner },
    ]),
  );
  value(await repository.extract(tip, target));
  assert.ok(lstatSync(join(target, 'a')).isDirectory());
});

test('attributes and filters have no say in what is extracted', async (t) => {
  const { remote, repository, target } = craft(t);
  const files = {
    '.gitattributes': 'hidden.txt export-ignore\nstamp.txt export-subst\n*.txt text eol=crlf filter=evil ident\n',
    'hidden.txt': 'here\n',
    'stamp.txt': '$Format:%H$ $Id$\n',
    'lfs.bin': 'version https://git-lfs.github.com/spec/v1\n',
  };
  remote.git('config', 'filter.evil.smudge', `touch ${target}.smudged`);
  const tip = remote.commit('main', files);
  value(await repository.fetch());
  value(await repository.extract(tip, target));
  for (const [name, text] of Object.entries(files)) assert.equal(readFileSync(join(target, name), 'utf8'), text);
  assert.equal(existsSync(`${target}.smudged`), false);
});

test('hooks of the mirror and hooks that a commit brings do not run', async (t) => {
  const { remote, repository, target } = craft(t);
  const folder = temporaryFolder(t);
  const evil = `#!/bin/sh\ntouch ${folder}/ran\n`;
  const tip = remote.commit('main', { 'hooks/post-checkout': evil, '.githooks/pre-push': evil });
  value(await repository.fetch());
  const hooks = join(target, '..', 'mirror', 'hooks');
  mkdirSync(hooks, { recursive: true });
  for (const name of ['pre-push', 'reference-transaction', 'post-index-change', 'post-update', 'fsmonitor-watchman']) {
    writeFileSync(join(hooks, name), evil);
    chmodSync(join(hooks, name), 0o755);
  }
  value(await repository.extract(tip, target));
  const author = { name: 'a', email: 'b' };
  value(
    await repository.commitFiles({
      branch: 'own',
      expected: null,
      files: new Map([['a', '1']]),
      message: 'm',
      author,
      at: 1,
    }),
  );
  value(await repository.fetch());
  assert.deepEqual(readdirSync(folder), []);
});

test('strange names are names', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const plain = ['--output=x', '-rf', ' lead', '"q"', "'", '$(id)', 'a\nb', 'a\tb', 'a\\b', 'tail ', '日本', '💥'];
  const names = [...plain, '\u00fc', 'u\u0308', '\u202e'];
  const sorted = names.map((name) => Buffer.from(name)).sort((one, other) => Buffer.compare(one, other));
  const tip = await commit(tree(sorted.map((name) => ({ mode: '100644', name, id: blob(name) }))));
  assert.deepEqual(await paths(repository, tip), sorted.map(String));
  const read = value(await repository.read(tip, names));
  for (const name of names) assert.equal(Buffer.from(read.get(name) ?? []).toString(), name);
  value(await repository.extract(tip, target));
  assert.deepEqual(readdirSync(target).sort(), [...names].sort());
});

test('names that are no UTF-8 are extracted byte by byte', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const name = Buffer.from([0x61, 0xff, 0xfe]);
  const tip = await commit(tree([{ mode: '100644', name, id: blob('bytes') }]));
  assert.deepEqual(await paths(repository, tip), ['a\ufffd\ufffd']);
  value(await repository.extract(tip, target));
  assert.deepEqual(readdirSync(target, { encoding: 'buffer' }), [name]);
});

test('names that differ only in case are two files, or none where the disk cannot tell them apart', async (t) => {
  const { remote, repository, target } = craft(t);
  const tip = remote.commit('main', { 'A.txt': 'big', 'a.txt': 'small' });
  value(await repository.fetch());
  assert.deepEqual(await paths(repository, tip), ['A.txt', 'a.txt']);
  const extracted = await repository.extract(tip, target);
  if (extracted.ok) assert.deepEqual(readdirSync(target).sort(), ['A.txt', 'a.txt']);
  else assert.equal(existsSync(target), false);
});

test('executable bits and old modes are understood', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const id = blob('x');
  const tip = await commit(
    tree([
      { mode: '100664', name: 'group', id },
      { mode: '100600', name: 'private', id },
      { mode: '100755', name: 'run', id },
    ]),
  );
  value(await repository.extract(tip, target));
  const executable = (name: string): boolean => (statSync(join(target, name)).mode & 0o100) !== 0;
  assert.deepEqual(['group', 'private', 'run'].map(executable), [false, false, true]);
});

test('trees that lead out of the folder or into .git are refused whole', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const id = blob('evil');
  const innocent = { mode: '100644', name: '0', id };
  const inner = tree([{ mode: '100644', name: 'config', id }]);
  const evil: readonly Entry[] = [
    { mode: '100644', name: '../evil', id },
    { mode: '100644', name: '/evil', id },
    { mode: '40000', name: '..', id: inner },
    { mode: '40000', name: '.', id: inner },
    { mode: '40000', name: '.git', id: inner },
    { mode: '40000', name: '.GIT', id: inner },
    { mode: '40000', name: 'git~1', id: inner },
    { mode: '40000', name: '.g\u200cit', id: inner },
    { mode: '0', name: 'device', id },
    { mode: '020000', name: 'device', id },
  ];
  for (const entry of evil) {
    const tip = await commit(tree([innocent, entry]));
    assert.equal(errorKind(await repository.extract(tip, target)), 'refused', String(entry.name));
    assert.equal(errorKind(await repository.files(tip, '')), 'refused', String(entry.name));
  }
  assert.deepEqual(readdirSync(join(target, '..')), ['mirror']);
});

test('a tree object that is cut short or names nothing is refused', () => {
  const good = Buffer.concat([Buffer.from('100644 a\0'), Buffer.alloc(20, 1)]);
  assert.equal(parseTree(good).ok, true);
  assert.equal(parseTree(Buffer.alloc(0)).ok, true);
  for (let length = 1; length < good.length; length += 1) assert.equal(parseTree(good.subarray(0, length)).ok, false);
  assert.equal(parseTree(Buffer.concat([Buffer.from('100644 \0'), Buffer.alloc(20, 1)])).ok, false);
  assert.equal(parseTree(Buffer.concat([good, Buffer.from('junk')])).ok, false);
});

test('one name twice is refused, not written twice', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const entry = { mode: '100644', name: 'a' };
  const tip = await commit(
    tree([
      { ...entry, id: blob('one') },
      { ...entry, id: blob('two') },
    ]),
  );
  assert.equal(errorKind(await repository.extract(tip, target)), 'refused');
  assert.equal(existsSync(target), false);
});

test('a small repository that unfolds into billions of files is refused in time', async (t) => {
  const { repository, target, blob, tree, commit } = craft(t);
  const names = Array.from({ length: 40 }, (_, index) => `n${String(index).padStart(2, '0')}`);
  let id = tree(names.map((name) => ({ mode: '100644', name, id: blob('boom') })));
  for (let level = 0; level < 6; level += 1) {
    const below = id;
    id = tree(names.map((name) => ({ mode: '40000', name, id: below })));
  }
  const tip = await commit(id);
  assert.equal(errorKind(await repository.files(tip, '')), 'refused');
  assert.equal(errorKind(await repository.extract(tip, target)), 'refused');
  assert.equal((await paths(repository, tip, 'n00/n00/n00/n00/n00/n00')).length, 40);
});

test('folders up to the limit of depth are walked, deeper ones refused', async (t) => {
  const { repository, blob, tree, commit } = craft(t);
  let id = tree([{ mode: '100644', name: 'f', id: blob('x') }]);
  for (let depth = 0; depth < gitLimits.treeDepthMax; depth += 1) id = tree([{ mode: '40000', name: 'd', id }]);
  assert.equal((await paths(repository, await commit(id))).length, 1);
  const deeper = await commit(tree([{ mode: '40000', name: 'd', id }]));
  assert.equal(errorKind(await repository.files(deeper, '')), 'refused');
});

test('a file up to the limit is read, a larger one refused, and the next answer is right again', async (t) => {
  const { repository, blob, tree, commit } = craft(t);
  const tip = await commit(
    tree([
      { mode: '100644', name: 'fits', id: blob(Buffer.alloc(gitLimits.fileBytesMax, 1)) },
      { mode: '100644', name: 'large', id: blob(Buffer.alloc(gitLimits.fileBytesMax + 1, 2)) },
      { mode: '100644', name: 'small', id: blob('small') },
    ]),
  );
  const [large, fits, small] = await Promise.all(
    [['large'], ['fits'], ['small']].map((names) => repository.read(tip, names)),
  );
  assert.ok(large !== undefined && errorKind(large) === 'refused');
  assert.equal(fits?.ok === true && fits.value.get('fits')?.length, gitLimits.fileBytesMax);
  assert.ok(small?.ok === true && Buffer.from(small.value.get('small') ?? []).toString() === 'small');
});

test('a commit is written whole or not at all into a place that is taken', async (t) => {
  const { remote, repository, target } = craft(t);
  const tip = remote.commit('main', { a: '1' });
  value(await repository.fetch());
  mkdirSync(target);
  value(await repository.extract(tip, target));
  assert.equal(errorKind(await repository.extract(tip, target)), 'refused');
  assert.deepEqual(readdirSync(target), ['a']);
  assert.deepEqual(readdirSync(join(target, '..')).sort(), ['mirror', 'work']);
});

test('a commit with broken headers is read as far as it goes', async (t) => {
  const { remote, repository, tree } = craft(t);
  const empty = tree([]);
  const text = `tree ${empty}\nauthor <> never\ncommitter x\nparent zzz\n\n\u0000binary\n`;
  const made = sha(remote.gitWithInput(text, 'hash-object', '-t', 'commit', '-w', '--literally', '--stdin'));
  value(await repository.fetch());
  value(await repository.ensure(made));
  const commit = value(await repository.commit(made));
  assert.deepEqual([commit.authorName, commit.committedAt, commit.parents.length, commit.tree], ['', 0, 0, empty]);
  assert.deepEqual(await paths(repository, made), []);
});
