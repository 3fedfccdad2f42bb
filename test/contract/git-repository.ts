/** What every `GitRepository` keeps. The factory gives a repository that has not been fetched yet, and its remote. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { GitError, GitRepository, Sha } from '../../src/git/git.ts';
import type { Result } from '../../src/std/result.ts';
import { sha, temporaryFolder, type GitRemote } from '../support/git-remote.ts';

export interface RepositoryFixture {
  readonly repository: GitRepository;
  readonly remote: GitRemote;
}

export const author = { name: 'Contender', email: 'contender@localhost' };

export function value<T>(result: Result<T, { readonly kind: string; readonly message: string }>): T {
  if (!result.ok) assert.fail(`${result.error.kind}: ${result.error.message}`);
  return result.value;
}

export function errorKind(result: Result<unknown, GitError>): string {
  return result.ok ? 'no error' : result.error.kind;
}

function texts(contents: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...contents].map(([path, bytes]) => [path, Buffer.from(bytes).toString('utf8')]));
}

export function gitRepositoryContract(title: string, open: (t: TestContext) => Promise<RepositoryFixture>): void {
  const check = (claim: string, body: (fixture: RepositoryFixture, t: TestContext) => Promise<void>): void => {
    test(`${title} ${claim}`, async (t) => body(await open(t), t));
  };
  readingContract(check);
  followingContract(check);
  writingContract(check);
}

type Check = (claim: string, body: (fixture: RepositoryFixture, t: TestContext) => Promise<void>) => void;

function readingContract(check: Check): void {
  check('gives the commit that a branch, a tag, HEAD or part of an id names', async ({ repository, remote }) => {
    const first = remote.commit('main', { 'a.txt': 'a' }, 'First\n\nbody\n');
    const second = remote.commit('topic/x', { 'b.txt': 'b' });
    remote.git('tag', '-a', '-m', 'annotated', 'v1', first);
    remote.git('tag', 'light', second);
    value(await repository.fetch());
    assert.equal(value(await repository.resolve('main')), first);
    assert.equal(value(await repository.resolve('HEAD')), first);
    assert.equal(value(await repository.resolve('topic/x')), second);
    assert.equal(value(await repository.resolve('v1')), first);
    assert.equal(value(await repository.resolve('light')), second);
    assert.equal(value(await repository.resolve(first.slice(0, 10))), first);
    assert.equal(value(await repository.resolve(first)), first);
    assert.equal(errorKind(await repository.resolve('nowhere')), 'missing');
    assert.equal(errorKind(await repository.resolve('f'.repeat(40))), 'missing');
  });

  check('gives the parts of a commit', async ({ repository, remote }) => {
    const first = remote.commit('main', { 'a.txt': 'a' });
    const second = remote.commit('main', { 'a.txt': 'b' }, 'Zweiter – Ümlaut\n\n\nparent 0123\ntree x\n');
    value(await repository.fetch());
    const commit = value(await repository.commit(second));
    assert.equal(commit.message, 'Zweiter – Ümlaut\n\n\nparent 0123\ntree x\n');
    assert.deepEqual(commit.parents, [first]);
    assert.equal(commit.authorName, 'Mona');
    assert.equal(commit.tree, remote.git('rev-parse', `${second}^{tree}`));
    assert.equal(commit.committedAt, Number(remote.git('log', '-1', '--format=%ct', second)) * 1000);
    assert.equal(errorKind(await repository.commit(sha('1'.repeat(40)))), 'missing');
  });

  check('lists the files below a folder with their sizes', async ({ repository, remote }) => {
    const tip = remote.commit('main', {
      '.pipelines/a.ts': 'abc',
      '.pipelines/deep/b.ts': 'de',
      'other.txt': '',
      'x/.pipelines/c': '',
    });
    value(await repository.fetch());
    const listed = value(await repository.files(tip, '.pipelines'));
    assert.deepEqual(
      listed.map(({ path, bytes }) => [path, bytes]),
      [
        ['.pipelines/a.ts', 3],
        ['.pipelines/deep/b.ts', 2],
      ],
    );
    assert.equal(listed[0]?.objectId, remote.git('rev-parse', `${tip}:.pipelines/a.ts`));
    assert.equal(value(await repository.files(tip, '')).length, 4);
    assert.deepEqual(value(await repository.files(tip, 'nothing')), []);
    assert.deepEqual(value(await repository.files(tip, 'other.txt')), []);
    assert.equal(errorKind(await repository.files(sha('2'.repeat(40)), '')), 'missing');
  });

  check('reads contents as of the commit, leaving out what is not there', async ({ repository, remote }) => {
    const before = remote.commit('main', { 'a.txt': 'old', 'b/c.txt': 'c', empty: '' });
    const after = remote.commit('main', { 'a.txt': 'new', 'b/c.txt': null });
    value(await repository.fetch());
    const paths = ['a.txt', 'b/c.txt', 'b', 'empty', 'a.txt/x', 'none'];
    assert.deepEqual(texts(value(await repository.read(before, paths))), { 'a.txt': 'old', 'b/c.txt': 'c', empty: '' });
    assert.deepEqual(texts(value(await repository.read(after, paths))), { 'a.txt': 'new', empty: '' });
  });

  check('names every path that differs between two commits', async ({ repository, remote }) => {
    const many = Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`many/${index}.txt`, `${index}`]));
    const before = remote.commit('main', { 'a.txt': 'a', 'gone.txt': 'g', 'same.txt': 's' });
    const after = remote.commit('main', {
      ...many,
      'a.txt': 'b',
      'gone.txt': null,
      'moved/gone.txt': 'g',
      'ü "q"\n.txt': 'q',
    });
    value(await repository.fetch());
    const changed = value(await repository.changedPaths(before, after));
    assert.deepEqual(
      [...changed].sort(),
      [...Object.keys(many), 'a.txt', 'gone.txt', 'moved/gone.txt', 'ü "q"\n.txt'].sort(),
    );
    assert.deepEqual(value(await repository.changedPaths(null, before)), ['a.txt', 'gone.txt', 'same.txt']);
    assert.deepEqual(value(await repository.changedPaths(after, after)), []);
    assert.equal(errorKind(await repository.changedPaths(sha('3'.repeat(40)), after)), 'missing');
  });

  check('knows ancestors and merge bases', async ({ repository, remote }) => {
    const base = remote.commit('main', { a: '1' });
    remote.setBranch('topic', base);
    const topic = remote.commit('topic', { b: '1' });
    const main = remote.commit('main', { a: '2' });
    const alone = remote.commit('alone', { z: '1' });
    value(await repository.fetch());
    assert.equal(value(await repository.isAncestor(base, topic)), true);
    assert.equal(value(await repository.isAncestor(topic, main)), false);
    assert.equal(value(await repository.isAncestor(main, main)), true);
    assert.equal(value(await repository.mergeBase(topic, main)), base);
    assert.equal(value(await repository.mergeBase(alone, main)), null);
    assert.equal(errorKind(await repository.isAncestor(sha('4'.repeat(40)), main)), 'missing');
  });

  check('writes the files of a commit into a new folder', async ({ repository, remote }, t) => {
    const tip = remote.commit('main', { 'a.txt': 'a', 'b/c/d.txt': 'd', empty: '' });
    value(await repository.fetch());
    const parent = temporaryFolder(t);
    const target = join(parent, 'deep', 'work');
    value(await repository.extract(tip, target));
    assert.equal(readFileSync(join(target, 'b/c/d.txt'), 'utf8'), 'd');
    assert.equal(statSync(join(target, 'empty')).size, 0);
    assert.deepEqual(readdirSync(target).sort(), ['a.txt', 'b', 'empty']);
    assert.deepEqual(readdirSync(join(parent, 'deep')), ['work']);
    assert.equal(errorKind(await repository.extract(sha('5'.repeat(40)), join(parent, 'other'))), 'missing');
    assert.deepEqual(readdirSync(parent), ['deep']);
  });
}

function followingContract(check: Check): void {
  check('follows branches that move, appear and go', async ({ repository, remote }) => {
    remote.commit('main', { a: '1' });
    const topic = remote.commit('topic', { b: '1' });
    value(await repository.fetch());
    remote.setBranch('topic', null);
    const nested = remote.commit('topic/nested', { b: '2' });
    const main = remote.commit('main', { a: '2' });
    assert.equal(value(await repository.resolve('topic')), topic);
    value(await repository.fetch());
    assert.equal(value(await repository.resolve('main')), main);
    assert.equal(value(await repository.resolve('topic/nested')), nested);
    assert.equal(errorKind(await repository.resolve('topic')), 'missing');
  });

  check('names the branches of the remote and its default one without fetching', async ({ repository, remote }) => {
    const main = remote.commit('main', { a: '1' });
    const other = remote.commit('release/1.0', { b: '1' });
    const branches = value(await repository.remoteBranches());
    assert.deepEqual(
      [...branches],
      [
        ['main', main],
        ['release/1.0', other],
      ],
    );
    assert.equal(value(await repository.defaultBranch()), 'main');
    assert.equal(errorKind(await repository.resolve('main')), 'missing');
  });

  check('names the tags of the remote with the objects that they name', async ({ repository, remote }) => {
    const main = remote.commit('main', { a: '1' });
    remote.git('tag', 'light', main);
    remote.git('tag', '-a', '-m', 'annotated', 'v1', main);
    const refs = value(await repository.remoteRefs());
    assert.deepEqual([...refs.branches], [['main', main]]);
    const tags = value(refs.tags);
    assert.deepEqual(
      [...tags],
      [
        ['light', main],
        ['v1', remote.git('rev-parse', 'v1')],
      ],
    );
    value(await repository.fetch());
    assert.equal(value(await repository.resolve(tags.get('v1') ?? '')), main);
  });

  check('sees each move of a branch or tag in the next look', async ({ repository, remote }) => {
    const [one, two] = [remote.commit('main', { a: '1' }), remote.commit('other', { a: '2' })];
    const look = async (): Promise<readonly (readonly [string, string])[]> => {
      const refs = value(await repository.remoteRefs());
      return [...refs.branches, ...value(refs.tags)];
    };
    const known = (): readonly (readonly [string, string])[] => {
      const listed = remote.git(
        'for-each-ref',
        '--format=%(refname:lstrip=2) %(objectname)',
        'refs/heads',
        'refs/tags',
      );
      return listed.split('\n').map((line) => line.split(' ') as [string, string]);
    };
    const moves: readonly (readonly string[])[] = [
      ['update-ref', 'refs/heads/main', two],
      ['update-ref', 'refs/heads/main', one],
      ['branch', 'a/b/c', two],
      ['tag', 'v1', one],
      ['pack-refs', '--all'],
      ['update-ref', 'refs/heads/a/b/c', one],
      ['tag', '--force', 'v1', two],
      ['branch', '--delete', '--force', 'other'],
      ['update-ref', '-d', 'refs/heads/a/b/c'],
      ['pack-refs', '--all', '--no-prune'],
      ['tag', '--delete', 'v1'],
    ];
    assert.deepEqual(await look(), known());
    for (const move of moves) {
      remote.git(...move);
      assert.deepEqual(await look(), known(), move.join(' '));
      assert.deepEqual(await look(), known(), `${move.join(' ')}, looked at again`);
    }
  });

  check('looks at 50 000 tags, and at none where there are more', async ({ repository, remote }) => {
    const main = remote.commit('main', { a: '1' });
    const tags = Array.from({ length: 50_000 }, (_, index) => `${main} refs/tags/t${index}`).toSorted();
    const packed = join(remote.path, 'packed-refs');
    const header = '# pack-refs with: peeled fully-peeled sorted';
    writeFileSync(packed, `${[header, ...tags].join('\n')}\n`);
    assert.equal(value(value(await repository.remoteRefs()).tags).size, 50_000);
    remote.git('tag', 'one-more', main);
    const refs = value(await repository.remoteRefs());
    assert.deepEqual([...refs.branches], [['main', main]]);
    assert.ok(!refs.tags.ok);
    assert.equal(refs.tags.error.message, 'the repository has more than 50000 tags');
  });

  check('says of an object that leads to no commit that it is there', async ({ repository, remote }) => {
    const main = remote.commit('main', { a: '1' });
    const file = remote.git('rev-parse', `${main}:a`);
    remote.git('tag', 'key', file);
    value(await repository.fetch());
    assert.equal(errorKind(await repository.resolve(file)), 'refused');
    assert.equal(errorKind(await repository.resolve('key')), 'refused');
  });

  check('says that an empty remote has no branches', async ({ repository }) => {
    value(await repository.fetch());
    assert.equal(value(await repository.remoteBranches()).size, 0);
    assert.equal(errorKind(await repository.defaultBranch()), 'missing');
    assert.equal(value(await repository.branchTip('main')), null);
  });

  check('brings a commit by its id where no branch of ours reaches it', async ({ repository, remote }) => {
    remote.commit('main', { a: '1' });
    const fork = remote.commit('from-a-fork', { b: '1' });
    remote.git('update-ref', 'refs/pull/7/head', fork);
    remote.setBranch('from-a-fork', null);
    value(await repository.fetch());
    assert.equal(errorKind(await repository.commit(fork)), 'missing');
    value(await repository.ensure(fork));
    assert.deepEqual(texts(value(await repository.read(fork, ['b']))), { b: '1' });
    value(await repository.ensure(fork));
  });

  check('brings a commit within a limit, and refuses one beyond it', async ({ repository, remote }) => {
    remote.commit('main', { a: '1' });
    const large = remote.commit('from-a-fork', { b: randomBytes(300_000).toString('base64') });
    remote.git('update-ref', 'refs/pull/7/head', large);
    remote.setBranch('from-a-fork', null);
    value(await repository.fetch());
    assert.equal(errorKind(await repository.ensure(large, 100_000)), 'refused');
    assert.equal(errorKind(await repository.commit(large)), 'missing');
    value(await repository.ensure(large, 1_000_000));
    value(await repository.ensure(large, 100_000));
  });

  check('says that a commit is missing which a forced push made unreachable', async ({ repository, remote }) => {
    const base = remote.commit('main', { a: '1' });
    const lost = remote.commit('main', { a: '2' });
    remote.setBranch('main', base);
    remote.collectGarbage();
    value(await repository.fetch());
    assert.equal(errorKind(await repository.ensure(lost)), 'missing');
    assert.equal(errorKind(await repository.read(lost, ['a'])), 'missing');
  });

  check('serves many fetches and reads at once', async ({ repository, remote }) => {
    const tip = remote.commit('main', { a: '1', b: '2' });
    value(await repository.fetch());
    const fetches = Array.from({ length: 10 }, () => repository.fetch());
    const reads = Array.from({ length: 50 }, (_, index) => repository.read(tip, [index % 2 === 0 ? 'a' : 'b']));
    for (const fetched of await Promise.all(fetches)) value(fetched);
    for (const [index, read] of (await Promise.all(reads)).entries()) {
      assert.deepEqual(texts(value(read)), index % 2 === 0 ? { a: '1' } : { b: '2' });
    }
  });

  check('refuses every call after it was closed', async ({ repository, remote }) => {
    const tip = remote.commit('main', { a: '1' });
    value(await repository.fetch());
    await repository.close();
    assert.equal(errorKind(await repository.fetch()), 'refused');
    assert.equal(errorKind(await repository.commit(tip)), 'refused');
    assert.equal(errorKind(await repository.branchTip('main')), 'refused');
    await repository.close();
  });
}

function writingContract(check: Check): void {
  const change = (
    branch: string,
    expected: Sha | null,
    files: Record<string, string | null>,
    message = 'Change\n',
  ) => ({
    branch,
    expected,
    files: new Map(Object.entries(files)),
    message,
    author,
    at: 1_700_000_000_000,
  });

  check('commits files on a new branch and on an existing one', async ({ repository, remote }) => {
    remote.commit('main', { a: '1' });
    const first = value(await repository.commitFiles(change('own', null, { 'x/one.txt': 'one', 'x/two.txt': 'two' })));
    assert.equal(remote.tip('own'), first);
    const second = value(
      await repository.commitFiles(change('own', first, { 'x/one.txt': null, 'three.txt': 'ü\r\n' }, 'Zweiter\n\nx\n')),
    );
    assert.equal(remote.tip('own'), second);
    assert.equal(remote.git('ls-tree', '-r', '--name-only', second), 'three.txt\nx/two.txt');
    assert.equal(
      remote.git('log', '-1', '--format=%an <%ae> %ct %P', second),
      `Contender <contender@localhost> 1700000000 ${first}`,
    );
    assert.deepEqual(texts(value(await repository.read(second, ['three.txt']))), { 'three.txt': 'ü\r\n' });
    assert.equal(value(await repository.commit(second)).message, 'Zweiter\n\nx\n');
    assert.equal(value(await repository.branchTip('own')), second);
    assert.equal(value(await repository.resolve('own')), second);
  });

  check('says where the branch is when it moved, and leaves it there', async ({ repository, remote }) => {
    const base = remote.commit('own', { a: '1' });
    const theirs = remote.commit('own', { a: '2' });
    const lost = await repository.commitFiles(change('own', base, { b: 'mine' }));
    assert.ok(!lost.ok && lost.error.kind === 'moved' && lost.error.actual === theirs);
    const unexpected = await repository.commitFiles(change('own', null, { b: 'mine' }));
    assert.ok(!unexpected.ok && unexpected.error.kind === 'moved' && unexpected.error.actual === theirs);
    remote.setBranch('own', null);
    const gone = await repository.commitFiles(change('own', theirs, { b: 'mine' }));
    assert.ok(!gone.ok && gone.error.kind === 'moved' && gone.error.actual === null);
    assert.equal(remote.tip('own'), null);
  });

  check('takes the same commit a second time as done, also below a newer one', async ({ repository, remote }) => {
    const base = remote.commit('own', { a: '1' });
    const made = value(await repository.commitFiles(change('own', base, { b: 'mine' })));
    assert.equal(value(await repository.commitFiles(change('own', base, { b: 'mine' }))), made);
    const newer = remote.commit('own', { c: 'theirs' });
    assert.equal(value(await repository.commitFiles(change('own', base, { b: 'mine' }))), made);
    assert.equal(remote.tip('own'), newer);
  });

  check('keeps notes of commits, here and in the remote', async ({ repository, remote }) => {
    const one = remote.commit('main', { a: '1' });
    const two = remote.commit('main', { a: '2' });
    value(await repository.fetch());
    assert.equal(value(await repository.readNote('contender', one)), null);
    const before: (string | null)[] = [];
    const change = (texts: ReadonlyMap<Sha, string>) =>
      new Map([...texts].map(([sha, text]) => [sha, (note: string | null) => (before.push(note), text)] as const));
    const first = new Map([
      [one, ' first\n\n\ntext\n'],
      [two, 'second'],
    ]);
    assert.deepEqual(value(await repository.changeNotes('contender', change(first), 1_700_000_000_000)), []);
    const second = new Map([[two, 'second, again']]);
    assert.deepEqual(value(await repository.changeNotes('contender', change(second), 1_700_000_001_000)), []);
    assert.deepEqual(before, [null, null, 'second']);
    assert.equal(value(await repository.readNote('contender', one)), ' first\n\n\ntext\n');
    assert.equal(value(await repository.readNote('contender', two)), 'second, again');
    assert.equal(remote.git('notes', '--ref=contender', 'show', two), 'second, again');
    assert.equal(value(await repository.readNote('contender-other', one)), null);
  });

  check('adds its notes to those of others', async ({ repository, remote }) => {
    const commits = Array.from({ length: 5 }, (_, index) => remote.commit('main', { a: String(index) }));
    value(await repository.fetch());
    for (const [index, commit] of commits.entries()) {
      if (index % 2 === 0) remote.git('notes', '--ref=contender', 'add', '-m', `theirs ${index}`, commit);
      else value(await repository.changeNotes('contender', new Map([[commit, () => `ours ${index}`]]), 1));
    }
    value(await repository.fetch());
    const notes = await Promise.all(
      commits.map(async (commit) => value(await repository.readNote('contender', commit))),
    );
    assert.deepEqual(notes, ['theirs 0\n', 'ours 1', 'theirs 2\n', 'ours 3', 'theirs 4\n']);
  });

  check('keeps notes of many commits at once, and tells which are not here', async ({ repository, remote }) => {
    const commits = Array.from({ length: 300 }, (_, index) => remote.commit('main', { a: String(index) }));
    value(await repository.fetch());
    const absent = sha('f'.repeat(40));
    const notes = [...commits, absent].map((commit, index) => [commit, () => `note ${index}`] as const);
    assert.deepEqual(value(await repository.changeNotes('contender', new Map(notes), 1)), [absent]);
    assert.equal(remote.git('rev-list', '--count', 'refs/notes/contender'), '1');
    const shown = remote.git('log', '--notes=contender', '--format=%H %N', 'main').split(/\n+/).filter(Boolean);
    assert.deepEqual(
      shown.toReversed(),
      commits.map((commit, index) => `${commit} note ${index}`),
    );
    const again = new Map(commits.map((commit, index) => [commit, () => `note ${index === 7 ? 'seven' : index}`]));
    value(await repository.changeNotes('contender', again, 1));
    const changed = remote.git('log', '--notes=contender', '--format=%N', 'main').split(/\n+/).filter(Boolean);
    assert.deepEqual(
      changed.toReversed(),
      commits.map((_, index) => `note ${index === 7 ? 'seven' : index}`),
    );
  });

  check('lets one of two writers win who expect the same tip', async ({ repository, remote }) => {
    let tip = remote.commit('own', { a: '0' });
    for (let round = 0; round < 3; round += 1) {
      const expected = tip;
      const both = await Promise.all(
        ['left', 'right'].map((name) => repository.commitFiles(change('own', expected, { [name]: `${round}` }))),
      );
      const won = both.filter((result) => result.ok);
      assert.equal(won.length, 1);
      assert.equal(both.map(errorKind).filter((kind) => kind === 'moved').length, 1);
      tip = remote.tip('own') ?? assert.fail('the branch is gone');
      assert.ok(won.some((result) => result.ok && result.value === tip));
    }
    assert.equal(remote.git('rev-list', '--count', 'own'), '4');
  });
}
