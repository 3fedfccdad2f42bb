/** Names of pipelines that nothing is kept of. */
import type { RepositoryConfig } from '../config/repository.ts';
import { findPipeline } from './check.ts';
import { compileFrom } from './sources.ts';

/**
 * Rejects with a `ProblemError` where the pipelines of the repositories are those of the folder, and none has that name.
 * What a repository elsewhere has is not known here.
 */
export async function mindPipeline(
  directory: string,
  repositories: readonly RepositoryConfig[],
  name: string,
): Promise<void> {
  if (repositories.some(({ url }) => url !== directory)) return;
  findPipeline(await compileFrom(directory, null), name);
}
