/** The commit that a request means. */
import type { Sha } from '../git/git.ts';
import type { Refused } from './api-schemas.ts';
import type { ServerPorts } from './ports.ts';

/** As the remote has it now. */
export async function commitOf(
  ports: ServerPorts,
  request: { readonly repository?: string | undefined; readonly revision: string },
): Promise<{ readonly repository: string; readonly sha: Sha } | Refused> {
  const names = [...ports.projects.keys()];
  const repository = request.repository ?? (names.length === 1 ? names[0] : undefined);
  const project = repository === undefined ? undefined : ports.projects.get(repository);
  if (repository === undefined || project === undefined) {
    return { error: `name one of the repositories: ${names.join(', ')}` };
  }
  const fetched = await project.git.fetch();
  if (!fetched.ok) return { error: fetched.error.message };
  const sha = await project.git.resolve(request.revision);
  return sha.ok ? { repository, sha: sha.value } : { error: sha.error.message };
}
