/** What the buttons on the page of a run do. Each ends on the page that shows what came of it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RerunSteps } from '../../engine/event.ts';
import type { DecideRequest } from '../../engine/request.ts';
import type { RunRow } from '../../journal/journal.ts';
import type { Problem } from '../../std/problem.ts';
import type { Result } from '../../std/result.ts';
import { errorPage, runAddress } from '../../ui/ui.ts';
import { RefusedError } from '../access.ts';
import type { ServerPorts } from '../ports.ts';
import { formBytesMax, formField, formNotWhole, pageKeyOf, seeOther, someone } from './forms.ts';
import type { PageReply } from './reply.ts';
import { parameterOf } from './request.ts';

export function runActionRoutes(app: FastifyInstance, ports: ServerPorts, pages: PageReply): void {
  app.post('/runs/:id/cancel', { bodyLimit: formBytesMax }, async (request, reply) => {
    const row = await findRun(ports, parameterOf(request, 'id'));
    const cancel = { type: 'cancel', by: someone, reason: 'with the button on its page' } as const;
    // One that has ended meanwhile is shown as it ended; who saw it run meant it, and not its finally-steps.
    const isAsSeen = row.state === (formField(request, 'finally') === 'yes' ? 'cancelling' : 'running');
    if (isAsSeen) await ports.conductor.ask(row.id, cancel);
    return seeOther(reply, runAddress(row.id));
  });

  app.post('/runs/:id/decide', { bodyLimit: formBytesMax }, async (request, reply) => {
    const row = await findRun(ports, parameterOf(request, 'id'));
    const decision = decisionOf(request);
    const asked = await ports.conductor.ask(row.id, { type: 'decide', by: someone, ...decision });
    if (asked.ok) return seeOther(reply, runAddress(row.id));
    const status = asked.error.kind === 'step-unknown' ? 404 : 409;
    return pages.send(request, reply, errorPage(status, asked.error.message), status);
  });

  app.post('/runs/:id/promote', { bodyLimit: formBytesMax }, async (request, reply) => {
    const row = await findRun(ports, parameterOf(request, 'id'));
    const model = formField(request, 'model');
    const promoted = await ports.conductor.promote({ runId: row.id, model, actor: someone });
    if (promoted.ok) return seeOther(reply, runAddress(row.id));
    return refuse(request, reply, promoted.error);
  });

  app.post('/runs/:id/rerun', { bodyLimit: formBytesMax }, async (request, reply) => {
    const row = await findRun(ports, parameterOf(request, 'id'));
    const again = await runAgain(ports, row, request);
    if (again.ok) return seeOther(reply, runAddress(again.value));
    return refuse(request, reply, again.error);
  });

  function refuse(request: FastifyRequest, reply: FastifyReply, error: Problem | string): Promise<FastifyReply> {
    const message = typeof error === 'string' ? error : `${error.message} (${error.help})`;
    return pages.send(request, reply, errorPage(422, message), 422);
  }
}

/** The run once more. The same button of a page that was served once is the same run. */
async function runAgain(
  ports: ServerPorts,
  row: RunRow,
  request: FastifyRequest,
): Promise<Result<string, Problem | string>> {
  const atHead = formField(request, 'head') === 'yes';
  const steps = stepsOf(request);
  const button = `${typeof steps === 'string' ? steps : `from ${steps.from}`}${atHead ? ' at head' : ''}`;
  const key = `${row.id}:${pageKeyOf(request)}:${button}`;
  return ports.conductor.rerun({ runId: row.id, steps, atHead, actor: someone, key });
}

function stepsOf(request: FastifyRequest): RerunSteps {
  const [steps, from] = [formField(request, 'steps'), formField(request, 'from')];
  if (steps === 'from' && from !== '') return { from };
  if (steps !== 'all' && steps !== 'failed') throw formNotWhole();
  return steps;
}

function decisionOf(request: FastifyRequest): Pick<DecideRequest, 'step' | 'decision' | 'reason'> {
  const step = formField(request, 'step').trim();
  const decision = formField(request, 'decision');
  const reason = formField(request, 'reason').trim();
  if (step === '' || reason.length > 1000 || (decision !== 'approve' && decision !== 'reject')) throw formNotWhole();
  if (decision === 'reject' && reason === '')
    throw new RefusedError(422, 'A rejection needs a reason: go back and say why.');
  return { step, decision, reason: reason === '' ? null : reason };
}

async function findRun(ports: ServerPorts, id: string): Promise<RunRow> {
  const row = await ports.journal.run(id);
  if (row === null) throw new RefusedError(404, 'There is no run with this id.');
  return row;
}
