/**
 * Which artifacts somebody may still ask for: what the registries name, challenges that may be promoted or were, and the events
 * of runs that have not ended or ended lately. Of an output that is too large to stand in an event, what stands in it.
 */
import { journalLimits, type Journal } from '../journal/journal.ts';
import { artifactsNamed, type ArtifactUses } from '../outputs/outputs.ts';
import type { Json } from '../std/json.ts';
import type { Project } from './ports.ts';

export interface NeededPorts {
  readonly journal: Pick<Journal, 'neededEvaluations' | 'runsNotEndedBefore' | 'events'>;
  readonly artifacts: Pick<ArtifactUses, 'namedIn'>;
  readonly projects: ReadonlyMap<string, Pick<Project, 'registry'>>;
}

/** What they name is not known, so nothing may go. */
export class ModelsUnreadable extends Error {}

const eventsAtOnce = 1000;

/** Takes what is needed out of `candidates`, in parts. Throws `ModelsUnreadable`. `since`: runs that ended earlier need nothing. */
export async function* takeOutNeeded(
  ports: NeededPorts,
  candidates: Map<string, unknown>,
  since: number,
): AsyncGenerator<void> {
  if (candidates.size === 0) return;
  const looked = new Set<string>();
  const mark = async (json: Json): Promise<void> => {
    for (const { sha256, isOutput } of artifactsNamed(json)) {
      candidates.delete(sha256);
      if (!isOutput || looked.has(sha256)) continue;
      looked.add(sha256);
      // Nobody can read what is gone or damaged.
      for (const inner of (await ports.artifacts.namedIn(sha256)) ?? []) candidates.delete(inner);
    }
  };
  for await (const some of named(ports, since)) {
    for (const json of some) await mark(json);
    yield;
    if (candidates.size === 0) return;
  }
}

async function* named(ports: NeededPorts, since: number): AsyncGenerator<readonly Json[]> {
  for (const [name, { registry }] of ports.projects) yield await modelsOf(name, registry);
  const { journal } = ports;
  for await (const rows of pages(journal.neededEvaluations, ({ id }) => id))
    yield rows.map(({ artifact, predictions, verdict }) => plain([artifact, predictions, verdict]));
  const ended = (after: string, limit: number): Promise<readonly string[]> =>
    journal.runsNotEndedBefore(since, after, limit);
  for await (const runIds of pages(ended, (id) => id)) {
    for (const runId of runIds) {
      for (let from = 0; ; from += eventsAtOnce) {
        const events = await journal.events(runId, { from, limit: eventsAtOnce });
        if (events.length > 0) yield events.map(plain);
        if (events.length < eventsAtOnce) break;
      }
    }
  }
}

async function modelsOf(project: string, registry: Project['registry']): Promise<readonly Json[]> {
  const models = await registry.models();
  if (!models.ok) throw new ModelsUnreadable(`the models of ${project} cannot be read: ${models.error.message}`);
  const [broken] = models.value.broken;
  if (broken !== undefined)
    throw new ModelsUnreadable(`the model ${broken[0]} of ${project} cannot be read: ${broken[1]}`);
  return models.value.pointers.map(plain);
}

async function* pages<Row>(
  read: (after: string, limit: number) => Promise<readonly Row[]>,
  idOf: (row: Row) => string,
): AsyncGenerator<readonly Row[]> {
  for (let after = ''; ;) {
    const rows = await read(after, journalLimits.pageMax);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < journalLimits.pageMax) return;
    after = idOf(last);
  }
}

/** Rows and events are plain data; their interfaces only lack the index signature that `Json` has. */
function plain(value: unknown): Json {
  return value as Json;
}
