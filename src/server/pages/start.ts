/** `/pipelines/start`: the form of a new run, and what comes of it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parameterField, runAddress, startPage, type StartView } from '../../ui/ui.ts';
import { RefusedError } from '../access.ts';
import { runRequestSchema } from '../api-schemas.ts';
import type { ServerPorts } from '../ports.ts';
import { startRun } from '../start-run.ts';
import { formBytesMax, formField, formFields, formNotWhole, pageKeyOf, seeOther, someone } from './forms.ts';
import type { PageReply } from './reply.ts';
import type { RepositoryReader } from './repositories.ts';
import { fieldOf } from './request.ts';

export function startRoutes(
  app: FastifyInstance,
  ports: ServerPorts,
  repositories: RepositoryReader,
  pages: PageReply,
): void {
  const emptyForm = async (repository: string, pipeline: string): Promise<StartView> => {
    const found = await repositories.pipeline(repository, pipeline);
    if ('why' in found) throw new RefusedError(404, found.why);
    const { branch, sha, definition } = found;
    const { description, parameters } = definition;
    return { repository, pipeline, description, branch, sha, parameters, filled: {}, trouble: null };
  };

  app.get('/pipelines/start', async (request, reply) => {
    const view = await emptyForm(fieldOf(request.query, 'repository') ?? '', fieldOf(request.query, 'pipeline') ?? '');
    return pages.send(request, reply, startPage(view, await pages.visitor(request)));
  });

  app.post('/pipelines/start', { bodyLimit: formBytesMax }, async (request, reply) => {
    const [repository, pipeline] = [formField(request, 'repository'), formField(request, 'pipeline')];
    const view = await emptyForm(repository, pipeline);
    const refuse = async (trouble: string): Promise<FastifyReply> => {
      const again = { ...view, filled: formFields(request), trouble };
      return pages.send(request, reply, startPage(again, await pages.visitor(request)), 422);
    };
    const wanted = runRequestSchema.safeParse(wantedOf(request, view));
    if (!wanted.success) return refuse(wanted.error.issues.map(sentenceOf).join('; '));
    const started = await startRun(ports, wanted.data);
    return 'id' in started ? seeOther(reply, runAddress(started.id)) : refuse(started.error);
  });
}

function sentenceOf({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): string {
  return `${path.map(String).join('.')}: ${message}`;
}

/** As the API takes it. A number that is left out has its default, and a text that is left out is empty. */
function wantedOf(request: FastifyRequest, { repository, pipeline, parameters }: StartView): object {
  const fields = formFields(request);
  const [revision, date] = [formField(request, 'revision').trim(), formField(request, 'date').trim()];
  if (revision === '') throw formNotWhole();
  const given = Object.entries(parameters).flatMap(([name, { type }]) => {
    const value = fields[parameterField(name)];
    return value === undefined || (value.trim() === '' && type !== 'string') ? [] : [[name, value] as const];
  });
  return {
    repository,
    pipeline,
    revision,
    by: someone,
    key: `form:${pageKeyOf(request)}`,
    parameters: Object.fromEntries(given),
    ...(date === '' ? {} : { date }),
  };
}
