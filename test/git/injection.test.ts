import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GitRepository, Sha } from '../../src/git/git.ts';
import { openMirror } from '../../src/git/mirror.ts';
import type { Result } from '../../src/std/result.ts';
import { author, value } from '../contract/git-repository.ts';
import { makeRemote, temporaryFolder } from '../support/git-remote.ts';

/** What has run code or written files through a branch name, a commit id or a path somewhere; CANARY is a file. */
const payloads = [
  '--upload-pack=touch CANARY',
  '--upload-pack=touch${IFS}CANARY',
  '--receive-pack=touch CANARY',
  '--exec=touch CANARY',
  '-u touch CANARY',
  '-utouch CANARY',
  '-qu touch CANARY',
  '--output=CANARY',
  '--output CANARY',
  '-oCANARY',
  '-o CANARY',
  '-OCANARY',
  '--config=core.sshCommand=touch CANARY',
  '--config core.fsmonitor=touch CANARY',
  '-c core.pager=touch CANARY',
  '-ccore.editor=touch CANARY',
  '--template=CANARY',
  '--git-dir=CANARY',
  '--work-tree=CANARY',
  '--exec-path=CANARY',
  '--namespace=CANARY',
  '--open-files-in-pager=touch CANARY',
  '-Otouch CANARY',
  '--no-index',
  '--stdin',
  '--all',
  '--',
  '-',
  '--end-of-options',
  '--help',
  '--receive-pack',
  '-h',
  'ext::sh -c touch% CANARY',
  'EXT::sh -c touch% CANARY',
  'fd::17/foo',
  'file:///etc/passwd',
  'ssh://-oProxyCommand=touch CANARY/x',
  '$(touch CANARY)',
  '`touch CANARY`',
  '; touch CANARY',
  '| touch CANARY',
  '&& touch CANARY',
  'main; touch CANARY',
  'main\ninfo refs/heads/main',
  'main\0--upload-pack=touch CANARY',
  'main\r\n--output=CANARY',
  'main:refs/heads/other',
  '+main',
  ':main',
  'main:',
  '^main',
  'main^{tree}',
  'main~1',
  'main@{upstream}',
  '@{-1}',
  ':/A change',
  ':(exclude)a',
  ':!a',
  'refs/*',
  'main..other',
  'HEAD:../../etc/passwd',
  '../../CANARY',
  '/etc/passwd',
  'a/../../CANARY',
  '.git/config',
  'a/.GIT/hooks/post-update',
  'a//b',
  './a',
  'main.lock',
  '.hidden',
  'main.',
  '\u202emain ',
  '\ud800',
  'x'.repeat(5000),
  '',
] as const;

/** The one that is a proper name of a branch. */
const harmlessBranch = '+main';

test('no payload in a branch, revision, id, path, namespace or author runs anything or becomes an argument', async (t) => {
  const folder = temporaryFolder(t);
  const canary = join(folder, 'canary');
  const transcript = join(folder, 'transcript');
  const realPath = process.env['PATH'] ?? '';
  writeRecorder(join(folder, 'bin'), transcript, realPath);
  process.env['PATH'] = `${join(folder, 'bin')}:${realPath}`;
  t.after(() => (process.env['PATH'] = realPath));

  const remote = makeRemote(t);
  const tip = remote.commit('main', { a: '1' });
  const repository = openMirror({ url: remote.path, directory: join(folder, 'mirror') });
  t.after(() => repository.close());
  value(await repository.fetch());
  const refs = remote.git('for-each-ref');

  for (const template of payloads) {
    const payload = template.replaceAll('CANARY', canary);
    for (const [name, call] of Object.entries(callsWith(repository, tip, payload))) {
      const result = await call();
      // A path that is merely strange is looked up in the tree, where it is not, or set in a commit that is not taken.
      const isLookup = name.startsWith('path') && (result.ok || result.error.kind === 'moved');
      if (isLookup || (name.startsWith('branch') && template === harmlessBranch)) continue;
      assert.ok(!result.ok, `${name} accepted ${JSON.stringify(template)}`);
      const kinds = name === 'revision' ? ['refused', 'missing'] : ['refused'];
      assert.ok(kinds.includes(result.error.kind), `${name} ${JSON.stringify(template)}: ${result.error.message}`);
    }
    assert.equal(existsSync(canary), false, JSON.stringify(template));
  }
  const argv = readFileSync(transcript, 'utf8');
  assert.ok(argv.includes('cat-file'), 'the recorder stands before git');
  assert.ok(!argv.includes('canary'), 'a payload stands among the arguments of a git process');
  assert.equal(remote.git('for-each-ref'), refs);
  assert.equal(value(await repository.resolve('main')), tip, 'the reading process still answers what it is asked');
});

test('an author and a message stay data', async (t) => {
  const remote = makeRemote(t);
  const repository = openMirror({ url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  t.after(() => repository.close());
  const texts = payloads.filter((_, index) => index % 5 === 0 || index > 65);
  let expected: Sha | null = null;
  for (const text of texts) {
    const made: Result<Sha, { kind: string; message: string }> = await repository.commitFiles({
      branch: 'own',
      expected,
      files: new Map([['a', text.toWellFormed()]]),
      message: text.replaceAll('\0', ' ').toWellFormed(),
      author: { name: text, email: text },
      at: 1,
    });
    expected = value(made);
    assert.match(
      remote.git('cat-file', 'commit', expected),
      /^tree .*\n(?:parent .*\n)?author [^<>\n]+ <[^<>\n]+> 0 \+0000\ncommitter /,
    );
  }
  assert.equal(remote.git('rev-list', '--count', 'own'), String(texts.length));
  const nul = await repository.commitFiles({
    branch: 'own',
    expected,
    files: new Map([['a', '']]),
    message: 'a\0b',
    author,
    at: 1,
  });
  assert.ok(!nul.ok && nul.error.kind === 'refused');
});

type Call = () => Promise<Result<unknown, { readonly kind: string; readonly message: string }>>;

function callsWith(repository: GitRepository, tip: Sha, payload: string): Record<string, Call> {
  // What a cast elsewhere could let through.
  const forged = payload as Sha;
  const change = { branch: 'own', expected: null, files: new Map([['a', '1']]), message: 'm', author, at: 1 };
  return {
    revision: () => repository.resolve(payload),
    'branch tip': () => repository.branchTip(payload),
    'branch to write': () => repository.commitFiles({ ...change, branch: payload, expected: tip }),
    expected: () => repository.commitFiles({ ...change, expected: forged }),
    'path to write': () => repository.commitFiles({ ...change, branch: 'main', files: new Map([[payload, 'x']]) }),
    'path of a folder': () => repository.files(tip, payload === '' ? '.' : payload),
    'path to read': () => repository.read(tip, [payload]),
    id: () => repository.commit(forged),
    'id to ensure': () => repository.ensure(forged),
    'id to list': () => repository.files(forged, ''),
    'id to read': () => repository.read(forged, ['a']),
    'id to compare': () => repository.changedPaths(forged, tip),
    'id to compare with': () => repository.changedPaths(tip, forged),
    'id of an ancestor': () => repository.isAncestor(forged, tip),
    'id of a base': () => repository.mergeBase(tip, forged),
    'id to extract': () => repository.extract(forged, '/nonexistent/target'),
    'id of a note': () => repository.changeNotes('contender', new Map([[forged, () => 'x']]), 1),
    'namespace to write': () => repository.changeNotes(payload, new Map([[tip, () => 'x']]), 1),
    'namespace to read': () => repository.readNote(payload, tip),
  };
}

/** A `git` that notes its arguments and then is git. */
function writeRecorder(folder: string, transcript: string, path: string): void {
  mkdirSync(folder);
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" >> '${transcript}'\nPATH='${path}' exec git "$@"\n`;
  writeFileSync(join(folder, 'git'), script, { mode: 0o755 });
}
