/** A registry in Git on a remote of its own, and what people do to its files. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openMirror } from '../../src/git/mirror.ts';
import { openGitRegistry } from '../../src/registry/git.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import { temporaryFolder, type GitRemote } from './git-remote.ts';

export const registryBranch = 'contender/models';

/** A registry with a mirror of its own, as each server has one. */
export function openRegistryOf(t: TestContext, remote: GitRemote): ModelRegistry {
  const repository = openMirror({ url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  t.after(() => repository.close());
  return openGitRegistry({ repository });
}

/** Edits a file of the registry as a person does: with a commit. */
export function editRegistryFile(remote: GitRemote, path: string, change: (text: string) => string): void {
  remote.commit(registryBranch, { [path]: change(`${remote.git('show', `${registryBranch}:${path}`)}\n`) });
}
