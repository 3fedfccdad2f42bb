import { join } from 'node:path';
import { openMirror } from '../../src/git/mirror.ts';
import { gitRepositoryContract } from '../contract/git-repository.ts';
import { makeRemote, temporaryFolder } from '../support/git-remote.ts';

gitRepositoryContract('a mirror of a path', (t) => {
  const remote = makeRemote(t);
  const repository = openMirror({ url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  t.after(() => repository.close());
  return Promise.resolve({ repository, remote });
});

gitRepositoryContract('a mirror of a file URL', (t) => {
  const remote = makeRemote(t);
  const repository = openMirror({ url: `file://${remote.path}`, directory: join(temporaryFolder(t), 'mirror') });
  t.after(() => repository.close());
  return Promise.resolve({ repository, remote });
});
