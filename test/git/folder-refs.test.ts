import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { GitRepository } from '../../src/git/git.ts';
import { gitLimits } from '../../src/git/limits.ts';
import { openMirror } from '../../src/git/mirror.ts';
import { makeRemote, temporaryFolder, type GitRemote } from '../support/git-remote.ts';

interface Given {
  readonly remote: GitRemote;
  readonly repository: GitRepository;
  /** From now on Git finds no repository there; its refs stay as they are. */
  readonly breakGit: () => void;
  readonly passTime: (ms: number) => void;
}

function given(t: TestContext): Given {
  const remote = makeRemote(t);
  let now = 0;
  const directory = join(temporaryFolder(t), 'mirror');
  const repository = openMirror({ url: remote.path, directory, clock: { now: () => now } });
  t.after(() => repository.close());
  return {
    remote,
    repository,
    breakGit: () => renameSync(join(remote.path, 'objects'), join(remote.path, 'lost')),
    passTime: (ms) => void (now += ms),
  };
}

test('while the files of the refs stay the same, Git is not asked again, for a while', async (t) => {
  const { remote, repository, breakGit, passTime } = given(t);
  const main = remote.commit('main', { a: '1' });
  assert.ok((await repository.remoteRefs()).ok);
  breakGit();
  passTime(gitLimits.refsTrustedMs - 1);
  const refs = await repository.remoteRefs();
  assert.deepEqual(refs.ok && [...refs.value.branches], [['main', main]]);
  passTime(1);
  assert.ok(!(await repository.remoteRefs()).ok);
});

test('a clock that was set back does not keep an old answer', async (t) => {
  const { remote, repository, breakGit, passTime } = given(t);
  remote.commit('main', { a: '1' });
  assert.ok((await repository.remoteRefs()).ok);
  breakGit();
  passTime(-60_000);
  assert.ok(!(await repository.remoteRefs()).ok);
});

test('where the files do not tell, Git is asked each time: too many, or links', async (t) => {
  const crowded = given(t);
  const main = crowded.remote.commit('main', { a: '1' });
  const heads = join(crowded.remote.path, 'refs/heads');
  for (let each = 0; each < gitLimits.refFilesMax; each += 1) writeFileSync(join(heads, `b${each}`), `${main}\n`);
  const linked = given(t);
  linked.remote.commit('main', { a: '1' });
  const packed = join(linked.remote.path, 'packed-refs');
  linked.remote.git('pack-refs', '--all');
  renameSync(packed, `${packed}-elsewhere`);
  symlinkSync(`${packed}-elsewhere`, packed);
  for (const { repository, breakGit } of [crowded, linked]) {
    assert.ok((await repository.remoteRefs()).ok);
    breakGit();
    assert.ok(!(await repository.remoteRefs()).ok);
  }
});

test('a look has the remote name its branches and tags alone, and none of its pull requests', async (t) => {
  const { remote, repository, passTime } = given(t);
  const main = remote.commit('main', { a: '1' });
  remote.git('update-ref', 'refs/pull/1/head', main);
  remote.git('tag', 'v1', main);
  // As of a far remote, nothing can be told from the files.
  symlinkSync('elsewhere', join(remote.path, 'refs/link'));
  assert.ok((await repository.remoteRefs()).ok);
  passTime(gitLimits.headTrustedMs - 1);
  const trace = tracePackets(t);
  const [branches, refs] = [await repository.remoteBranches(), await repository.remoteRefs()];
  assert.deepEqual(branches.ok && [...branches.value.keys()], ['main']);
  assert.deepEqual(refs.ok && refs.value.tags.ok && [...refs.value.tags.value.keys()], ['v1']);
  const named = (): readonly (string | undefined)[] =>
    [...trace().matchAll(/ls-remote< [0-9a-f]{40} (\S+)/g)].map(([, ref]) => ref);
  assert.deepEqual(named(), ['refs/heads/main', 'refs/heads/main', 'refs/tags/v1']);
  remote.git('symbolic-ref', 'HEAD', 'refs/heads/other');
  remote.git('branch', 'other', main);
  passTime(1);
  const later = await repository.remoteRefs();
  assert.equal(later.ok && later.value.defaultBranch, 'other');
  assert.ok(named().includes('refs/pull/1/head'), 'which the default branch is, is told with all refs');
});

/** From now on Git writes down what it is sent; gives the function that reads it. */
function tracePackets(t: TestContext): () => string {
  const [folder, path = ''] = [temporaryFolder(t), process.env['PATH']];
  const script = `#!/bin/sh\nGIT_TRACE_PACKET='${folder}/packets' PATH='${path}' exec git "$@"\n`;
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/git'), script, { mode: 0o755 });
  process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
  t.after(() => (process.env['PATH'] = path));
  return () => readFileSync(join(folder, 'packets'), 'utf8');
}
