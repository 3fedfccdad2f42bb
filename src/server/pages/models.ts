/** `/models` and `/models/:name`: the registries' pointers, with what the ledger says about each version. */
import type { FastifyInstance } from 'fastify';
import type { Project } from '../../conductor/ports.ts';
import type { ModelPointer, ModelVersion } from '../../registry/registry.ts';
import type { JsonObject } from '../../std/json.ts';
import { errorPage, modelPage, modelsPage, verdictKinds, type ModelsView, type ModelView } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import type { PageReply } from './reply.ts';
import { parameterOf } from './request.ts';

export function modelsRoutes(app: FastifyInstance, ports: ServerPorts, pages: PageReply): void {
  app.get('/models', async (request, reply) => pages.send(request, reply, modelsPage(await readModels(ports))));

  app.get('/models/:name', async (request, reply) => {
    const name = parameterOf(request, 'name');
    for (const project of ports.projects.values()) {
      const found = await project.registry.model(name);
      if (found.ok && found.value !== null)
        return pages.send(request, reply, modelPage(viewOf(project, found.value), ports.clock.now()));
      if (!found.ok && found.error.kind !== 'invalid')
        return pages.send(
          request,
          reply,
          errorPage(503, `The registry of ${project.name} could not be read: ${found.error.message}`),
          503,
        );
    }
    return pages.send(request, reply, errorPage(404, `No registry knows a model of this name.`), 404);
  });
}

async function readModels({ projects, clock }: ServerPorts): Promise<ModelsView> {
  const models: ModelView[] = [];
  const troubles: { repository: string; message: string }[] = [];
  for (const project of projects.values()) {
    const names = await project.registry.models();
    if (!names.ok) {
      troubles.push({ repository: project.name, message: names.error.message });
      continue;
    }
    for (const found of await Promise.all(names.value.map((name) => project.registry.model(name)))) {
      if (!found.ok) troubles.push({ repository: project.name, message: found.error.message });
      else if (found.value !== null) models.push(viewOf(project, found.value));
    }
  }
  return { now: clock.now(), models, troubles };
}

function viewOf(project: Project, pointer: ModelPointer): ModelView {
  return {
    name: pointer.model,
    repository: project.name,
    champion: pointer.aliases.champion,
    hold: pointer.hold,
    versions: [...pointer.versions]
      .sort((left, right) => right.version - left.version)
      .map((version) => versionView(project, version)),
  };
}

function versionView(
  project: Project,
  { version, promotedAt, evidence, artifact }: ModelVersion,
): ModelView['versions'][number] {
  return {
    version,
    promotedAt,
    decidedBy: evidence.decidedBy,
    comparedWith: evidence.comparedWith,
    verdict: verdictOf(evidence.verdict),
    runId: evidence.runId,
    pipeline: evidence.pipeline,
    sha: evidence.sha,
    shaUrl: project.forge.commitUrl(evidence.sha),
    artifact: { sha256: artifact.$artifact, name: artifact.name, bytes: artifact.bytes },
  };
}

/** The ledger keeps it as JSON that an older version may have written. */
function verdictOf({ kind, reason }: JsonObject): ModelView['versions'][number]['verdict'] {
  return {
    kind: verdictKinds.find((each) => each === kind) ?? null,
    reason: typeof reason === 'string' ? reason : null,
  };
}
