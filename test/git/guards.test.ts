import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { array, constantFrom, sample } from 'fast-check';
import { parseSha } from '../../src/git/git.ts';
import {
  isSafeEntryName,
  parseBranchName,
  parseNotesNamespace,
  parsePath,
  parseRevision,
} from '../../src/git/guards.ts';
import { parseRemoteUrl } from '../../src/git/remote-url.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { openMirror } from '../../src/git/mirror.ts';

test('a commit id is forty lower-case hex digits, and not the one that means none', () => {
  assert.ok(parseSha('0123456789abcdef0123456789abcdef01234567').ok);
  const wrong = [
    '',
    '0'.repeat(40),
    'a'.repeat(39),
    'a'.repeat(41),
    'A'.repeat(40),
    'g'.repeat(40),
    `${'a'.repeat(40)}\n`,
    'a'.repeat(64),
  ];
  for (const text of wrong) assert.equal(parseSha(text).ok, false, text);
});

test('branch names are those that git accepts', () => {
  const good = [
    'main',
    'feature/x-1',
    'ü',
    '日本',
    'a.b',
    'a@b',
    '#12',
    "it's",
    'a&b',
    'a|b',
    'x'.repeat(255),
    'gh-readonly-queue/main/pr-1',
  ];
  const bad = [
    '',
    '@',
    'HEAD',
    '-x',
    'a b',
    'a..b',
    'a~b',
    'a^b',
    'a:b',
    'a?b',
    'a*b',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
  ];
  const worse = [
    'a.',
    'a.lock',
    'a.lock/b',
    'a@{b',
    'a\u007f',
    'a\tb',
    'a\nb',
    'a\0b',
    '\ud800',
    'x'.repeat(256),
    'ü'.repeat(128),
  ];
  for (const name of good) assert.ok(parseBranchName(name).ok, name);
  for (const name of [...bad, ...worse]) assert.equal(parseBranchName(name).ok, false, JSON.stringify(name));
});

test('whatever we take for a branch name, git takes too', () => {
  const alphabet = constantFrom(
    ...Array.from('aZ0-._/@{}~^:?*[\\ \t\n"\'$`;|&<>#%+=!(),'),
    '.lock',
    '..',
    '@{',
    'HEAD',
    'ü',
    '\u202e',
    '\u0085',
  );
  const names = sample(
    array(alphabet, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
    { numRuns: 150, seed: 7 },
  );
  let accepted = 0;
  for (const name of names) {
    if (!parseBranchName(name).ok) continue;
    accepted += 1;
    const oracle = spawnSync('git', ['check-ref-format', '--branch', name], { stdio: 'ignore' });
    assert.equal(oracle.status, 0, JSON.stringify(name));
  }
  assert.ok(accepted > 20, `${accepted} accepted`);
});

test('a path stays inside the repository', () => {
  const good = [
    'a',
    '.pipelines/weekly.ts',
    '-rf',
    'a b/"c"\n',
    'ü/日本',
    '.gitignore',
    '.github/x',
    'a/..b/c',
    '...',
    'x'.repeat(1024),
    'a\\b',
  ];
  const bad = [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/..',
    '../a',
    'a/./b',
    '.git',
    'a/.git/b',
    '.GIT/x',
    '.git /x',
    '.git./x',
    'git~1/x',
  ];
  const worse = ['.g\u200cit/config', '.ｇit', '.git::$INDEX_ALLOCATION', 'a\0b', '\ud800', 'x'.repeat(1025)];
  for (const path of good) assert.ok(parsePath(path).ok, JSON.stringify(path));
  for (const path of [...bad, ...worse]) assert.equal(parsePath(path).ok, false, JSON.stringify(path));
});

test('a name that is no text may be a file, one with a slash may not', () => {
  assert.ok(isSafeEntryName(Buffer.from([0xff, 0xfe])));
  assert.ok(!isSafeEntryName(Buffer.from('a/b')));
  assert.ok(!isSafeEntryName(Buffer.from('..')));
  assert.ok(isSafeEntryName(Buffer.from(`${'.'.repeat(1023)}x`)));
  assert.ok(!isSafeEntryName(Buffer.from(`${'.'.repeat(1024)}x`)), 'no path is that long');
});

test('notes stand in our own namespaces alone', () => {
  for (const name of ['contender', 'contender/reports', 'contender-status'])
    assert.ok(parseNotesNamespace(name).ok, name);
  for (const name of [
    '',
    'commits',
    'contenders',
    'contender/',
    'contender/../x',
    'contender*',
    'Contender',
    'contender/-x',
  ]) {
    assert.equal(parseNotesNamespace(name).ok, false, name);
  }
});

test('a revision is looked for as a branch, then a tag, then part of an id', () => {
  const names = (revision: string): readonly string[] | null => {
    const parsed = parseRevision(revision);
    return parsed.ok ? parsed.value : null;
  };
  assert.deepEqual(names('main'), ['refs/heads/main', 'refs/tags/main']);
  assert.deepEqual(names('abcdef1'), ['refs/heads/abcdef1', 'refs/tags/abcdef1', 'abcdef1']);
  assert.deepEqual(names('a'.repeat(40)), ['a'.repeat(40)]);
  assert.deepEqual(names('abc'), ['refs/heads/abc', 'refs/tags/abc']);
  assert.equal(names('main^'), null);
});

test('a URL is one of few kinds and holds no credentials', () => {
  const good: readonly (readonly [string, string])[] = [
    ['https://github.com/a/b.git', 'https'],
    ['http://127.0.0.1:8080/a/b', 'http'],
    ['http://localhost/a', 'http'],
    ['http://[::1]:3000/a', 'http'],
    ['ssh://git@example.com:22/a/b.git', 'ssh'],
    ['git@github.com:a/b.git', 'ssh'],
    ['file:///srv/git/a.git', 'file'],
    ['/srv/git/a b.git', 'file'],
    ['some/folder', 'file'],
    ['.', 'file'],
  ];
  for (const [url, protocol] of good) {
    const parsed = parseRemoteUrl(url);
    assert.ok(parsed.ok && parsed.value.protocol === protocol, url);
  }
  const bad = [
    '',
    '-x',
    '--upload-pack=x',
    'ext::sh -c x',
    'fd::3',
    'http::https://a/b',
    'http://example.com/a',
    'git://example.com/a',
  ];
  const worse = [
    'ftp://a/b',
    'https://mona@a/b',
    'https://mona:secret@a/b',
    'https://a/b?x=1',
    'https://a/b#c',
    'a\nb',
    'https://',
    'ssh://-oProxyCommand=x/a',
  ];
  const short = ['git@-host:a', '-oX@host:a', 'git@host:-a', 'git@host::a', 'ssh://git:secret@a/b', 'ssh://-x@a/b'];
  for (const url of [...bad, ...worse, ...short]) {
    const parsed = parseRemoteUrl(url);
    // What is no URL and begins harmlessly is a path; it is then absolute, so it can be neither option nor helper.
    if (parsed.ok) assert.ok(parsed.value.protocol === 'file' && parsed.value.address.startsWith('/'), url);
    else assert.ok(!parsed.error.includes('secret'), parsed.error);
  }
});

test('a URL that is not supported is a problem with a code', () => {
  assert.throws(
    () => openMirror({ url: 'https://mona:hunter2@example.com/x', directory: '/nonexistent' }),
    (error) =>
      error instanceof ProblemError &&
      error.problem.code === 'repository-url-invalid' &&
      error.message.includes('CONTENDER_GITHUB_TOKEN') &&
      !error.message.includes('hunter2'),
  );
});
