/** `/models` and `/models/:name`: the registries' pointers, with what the ledger says about each version. */
import type { FastifyInstance } from 'fastify';
import { setTimeout as pause } from 'node:timers/promises';
import type { Project } from '../../conductor/ports.ts';
import type { ModelList, ModelPointer, ModelVersion } from '../../registry/registry.ts';
import type { JsonObject } from '../../std/json.ts';
import {
  errorPage,
  modelPage,
  modelsPage,
  verdictKinds,
  type ModelsView,
  type ModelView,
  type RegistryTrouble,
} from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import type { PageReply } from './reply.ts';
import { fieldOf, parameterOf } from './request.ts';

const limits = { rememberedMs: 5000, pageWaitMs: 2000, pageVersions: 50 } as const;

export function modelsRoutes(app: FastifyInstance, ports: ServerPorts, pages: PageReply): void {
  const { projects, clock } = ports;
  const reader = new ModelsReader(ports);

  app.get('/models', async (request, reply) => pages.send(request, reply, modelsPage(await viewOfAll(ports, reader))));

  app.get('/models/:name', async (request, reply) => {
    const name = parameterOf(request, 'name');
    const before = versionIn(fieldOf(request.query, 'before'));
    const readings = await Promise.all([...projects.values()].map((project) => reader.read(project)));
    for (const { project, list, trouble } of readings) {
      const pointer = list.pointers.find(({ model }) => model === name);
      if (pointer === undefined) continue;
      const model = viewOf(project, pointer);
      const left = model.versions.filter(({ version }) => before === null || version < before);
      const versions = left.slice(0, limits.pageVersions);
      const olderThan = left.length > versions.length ? (versions.at(-1)?.version ?? null) : null;
      const view = { now: clock.now(), model: { ...model, versions }, trouble, before, olderThan };
      return pages.send(request, reply, modelPage(view));
    }
    for (const { project, list, trouble } of readings) {
      const why = list.broken.get(name) ?? trouble?.message;
      if (why === undefined) continue;
      const page = errorPage(503, `The registry of ${project.name} could not be read: ${why}`);
      return pages.send(request, reply, page, 503);
    }
    return pages.send(request, reply, errorPage(404, `No registry knows a model of this name.`), 404);
  });
}

function versionIn(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

async function viewOfAll({ projects, clock }: ServerPorts, reader: ModelsReader): Promise<ModelsView> {
  const readings = await Promise.all([...projects.values()].map((project) => reader.read(project)));
  return {
    now: clock.now(),
    models: readings.flatMap(({ project, list }) => list.pointers.map((pointer) => viewOf(project, pointer))),
    troubles: readings.flatMap(({ project, list, trouble }) => [
      ...(trouble === null ? [] : [trouble]),
      ...[...list.broken.values()].map((message) => ({ repository: project.name, message, asOf: null })),
    ]),
  };
}

interface Reading {
  readonly project: Project;
  readonly list: ModelList;
  readonly trouble: RegistryTrouble | null;
}

/**
 * The models of each repository, for whoever looks: one reading for all who ask at once, remembered for a moment. Where the
 * remote does not answer, or not soon, what was read before, or else what the mirror has.
 */
class ModelsReader {
  readonly #clock: ServerPorts['clock'];
  readonly #known = new Map<string, { readonly at: number; readonly reading: Reading }>();
  readonly #underWay = new Map<string, { readonly reading: Promise<Reading>; readonly patience: Promise<null> }>();
  readonly #lastGood = new Map<string, { readonly list: ModelList; readonly asOf: number }>();

  constructor({ clock }: ServerPorts) {
    this.#clock = clock;
  }

  async read(project: Project): Promise<Reading> {
    const known = this.#known.get(project.name);
    if (known !== undefined && performance.now() - known.at < limits.rememberedMs) return known.reading;
    const underWay = this.#underWay.get(project.name) ?? this.#begin(project);
    const reading = await Promise.race([underWay.reading, underWay.patience]);
    return reading ?? this.#meanwhile(project, 'the remote has not answered yet');
  }

  #begin(project: Project): { readonly reading: Promise<Reading>; readonly patience: Promise<null> } {
    const reading = this.#readNow(project).finally(() => this.#underWay.delete(project.name));
    const underWay = { reading, patience: pause(limits.pageWaitMs, null, { ref: false }) };
    this.#underWay.set(project.name, underWay);
    return underWay;
  }

  async #readNow(project: Project): Promise<Reading> {
    const { name } = project;
    const asOf = this.#clock.now();
    const found = await project.registry.models();
    if (found.ok) this.#lastGood.set(name, { list: found.value, asOf });
    const reading = found.ok
      ? { project, list: found.value, trouble: null }
      : await this.#meanwhile(project, found.error.message);
    this.#known.set(name, { at: performance.now(), reading });
    return reading;
  }

  async #meanwhile(project: Project, message: string): Promise<Reading> {
    const good = this.#lastGood.get(project.name);
    const trouble = { repository: project.name, message, asOf: good?.asOf ?? null };
    if (good !== undefined) return { project, list: good.list, trouble };
    const here = await project.registry.modelsHere();
    return { project, list: here.ok ? here.value : { pointers: [], broken: new Map() }, trouble };
  }
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
