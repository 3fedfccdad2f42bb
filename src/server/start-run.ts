/** A run that somebody asks for, over the API or with the form of its page. */
import type { Problem } from '../std/problem.ts';
import type { Result } from '../std/result.ts';
import { commitOf } from './api-commit.ts';
import type { Refused, RunRequest } from './api-schemas.ts';
import type { ServerPorts } from './ports.ts';
import { refusedOf } from './refusals.ts';

export async function startRun(ports: ServerPorts, request: RunRequest): Promise<{ id: string } | Refused> {
  const commit = await commitOf(ports, request);
  if ('error' in commit) return commit;
  const started = await ports.conductor.runManually({
    ...commit,
    pipeline: request.pipeline,
    actor: request.by,
    logicalDate: request.date === undefined ? null : Date.parse(`${request.date}T00:00:00Z`),
    parameters: request.parameters,
    key: request.key ?? crypto.randomUUID(),
  });
  return answerOf(started);
}

export function answerOf(started: Result<string, Problem | string>): { id: string } | Refused {
  return started.ok ? { id: started.value } : refusedOf(started.error);
}
