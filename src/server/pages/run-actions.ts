/** What the buttons on the page of a run do. Each ends on the page that shows what came of it. */
import type { FastifyInstance } from 'fastify';
import { parseSha } from '../../git/git.ts';
import type { RunRow } from '../../journal/journal.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, type Result } from '../../std/result.ts';
import { errorPage, runAddress } from '../../ui/ui.ts';
import { RefusedError } from '../access.ts';
import type { ServerPorts } from '../ports.ts';
import { formBytesMax, formField, seeOther } from './forms.ts';
import type { PageReply } from './reply.ts';
import { parameterOf } from './request.ts';

const actor = 'a person';

export function runActionRoutes(app: FastifyInstance, ports: ServerPorts, pages: PageReply): void {
  app.post('/runs/:id/cancel', { bodyLimit: formBytesMax }, async (request, reply) => {
    const row = await findRun(ports, parameterOf(request, 'id'));
    if (row.finishedAt === null) ports.conductor.cancel(row.id, actor, 'with the button on its page');
    return seeOther(reply, runAddress(row.id));
  });

  app.post('/runs/:id/rerun', { bodyLimit: formBytesMax }, async (request, reply) => {
    const row = await findRun(ports, parameterOf(request, 'id'));
    const again = await runAgain(ports, row, formField(request, 'key'));
    if (again.ok) return seeOther(reply, runAddress(again.value));
    const message = typeof again.error === 'string' ? again.error : `${again.error.message} (${again.error.help})`;
    return pages.send(request, reply, errorPage(422, message), 422);
  });
}

/** The whole run once more: the same commit, moment and parameters. The same key, of a page that was served once, is the same run. */
async function runAgain(ports: ServerPorts, row: RunRow, key: string): Promise<Result<string, Problem | string>> {
  const { repository, pipeline, logicalDate, parameters } = row.opened;
  if (!/^[\w-]{1,100}$/.test(key)) throw new RefusedError(400, 'The form is not whole. Load its page again.');
  const sha = parseSha(row.opened.sha);
  if (!sha.ok) return failure(sha.error.message);
  return ports.conductor.runManually({
    repository,
    pipeline,
    sha: sha.value,
    actor,
    logicalDate,
    parameters,
    key: `${row.id}:${key}`,
  });
}

async function findRun(ports: ServerPorts, id: string): Promise<RunRow> {
  const row = await ports.journal.run(id);
  if (row === null) throw new RefusedError(404, 'There is no run with this id.');
  return row;
}
