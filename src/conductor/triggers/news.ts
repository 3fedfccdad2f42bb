/**
 * News of datasets: first each is decided on, since only runs of the default branch tell any; then whoever listens to what
 * is new gets a run, of all that is new to it. The run and what it has taken share one commit, so two servers or a restart
 * never open two for the same news; where a run may not begin yet, its news wait and come together.
 */
import { createHash } from 'node:crypto';
import type { DataEvent, Trigger } from '../../engine/event.ts';
import type { DataEventRow, DataListener, Write } from '../../journal/journal.ts';
import type { DataTrigger, PipelineDefinition } from '../../pipeline/definition.ts';
import type { Desk } from '../desk.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { branchOfRun } from './branch-of-run.ts';
import { openRunWhenFree, parseParameters } from './triggers.ts';
import { versionsOf } from '../versions.ts';

/** False where some have to wait. */
export async function decideNews({ ports }: Desk): Promise<boolean> {
  const { journal, log } = ports;
  const waiting = new Set<string>();
  for (;;) {
    const open = await journal.openDataEvents(conductorLimits.eventsPerLookMax);
    const fresh = open.filter(({ id }) => !waiting.has(id));
    if (fresh.length === 0) return waiting.size === 0;
    for (const event of fresh) {
      const refused = await whyRefused(ports, event);
      if (refused !== null && typeof refused !== 'string') {
        waiting.add(event.id);
        log.warn({ event: event.id, reason: refused.again }, 'news of data have to wait');
        continue;
      }
      const { id, dataset, digest } = event;
      // Where somebody was faster, theirs stands.
      await journal.commit([[{ write: 'data-event-decided', id, dataset, digest, evenIfSame: false, refused }]]);
    }
  }
}

/** Null where it counts. */
async function whyRefused(
  { journal, projects }: ConductorPorts,
  { runId }: DataEventRow,
): Promise<string | { readonly again: string } | null> {
  if (runId === null) return null;
  const run = await journal.run(runId);
  const project = run === null ? undefined : projects.get(run.opened.repository);
  if (run === null || project === undefined) return 'its repository is no longer in the configuration';
  const runBranch = await branchOfRun(project, run.opened);
  if ('again' in runBranch) return runBranch;
  if ('why' in runBranch) return runBranch.why;
  return runBranch.isDefault ? null : `its run was for ${runBranch.branch}, which is not the default branch`;
}

/** What is new to one pipeline, and the version of it that would run. */
interface Listener {
  readonly repository: string;
  readonly sha: string;
  readonly digest: string;
  readonly definition: PipelineDefinition;
  readonly taken: readonly DataListener[];
}

/** False where some have to wait for Git. */
export async function openForNews(desk: Desk): Promise<boolean> {
  const byRepository = Map.groupBy(await desk.ports.journal.listenersWithNews(), ({ repository }) => repository);
  let all = true;
  for (const [repository, rows] of byRepository) {
    const listeners = await listenersOf(desk.ports, repository, rows);
    if ('again' in listeners) {
      desk.ports.log.warn({ repository, reason: listeners.again }, 'who listens to data could not be read');
      all = false;
    } else for (const listener of listeners) await openFor(desk, listener);
  }
  return all;
}

async function listenersOf(
  ports: ConductorPorts,
  repository: string,
  rows: readonly DataListener[],
): Promise<readonly Listener[] | { readonly again: string }> {
  const project = ports.projects.get(repository);
  if (project === undefined) return [];
  const branch = await project.git.defaultBranch();
  if (!branch.ok) return { again: branch.error.message };
  const sha = shaOf(await ports.journal.head(repository, branch.value));
  if (sha === null) return [];
  const versions = await versionsOf(ports, project, sha);
  if (!versions.ok) return { again: versions.error };
  return [...versions.value.definitions].flatMap(([digest, definition]): readonly Listener[] => {
    const { data } = definition.on;
    if (data === undefined) return [];
    const taken = rows.filter(
      ({ pipeline, dataset }) => pipeline === definition.name && data.datasets.includes(dataset),
    );
    return isEnough(data, taken) ? [{ repository, sha, digest, definition, taken }] : [];
  });
}

function isEnough({ datasets, when }: DataTrigger, taken: readonly DataListener[]): boolean {
  return when === 'any' ? taken.length > 0 : datasets.every((name) => taken.some(({ dataset }) => dataset === name));
}

async function openFor({ ports, turns }: Desk, listener: Listener): Promise<void> {
  const { journal, clock } = ports;
  const { repository, sha, digest, definition, taken } = listener;
  const { name: pipeline } = definition;
  const key = `data:${repository}:${pipeline}:${numbersOf(taken)}`;
  const take: Write = { write: 'data-taken', repository, pipeline, taken };
  const trigger = await triggerOf(ports, listener);
  const parameters = parseParameters(definition.parameters, {});
  const { followDepthMax } = conductorLimits;
  const reason = trigger.depth > followDepthMax ? `${followDepthMax} runs have started one another already` : null;
  const at = clock.now();
  if (reason !== null || !parameters.ok) {
    const why = reason ?? (parameters.ok ? '' : parameters.error);
    await journal.commit([[{ write: 'trigger-skipped', key, at, reason: why, coveredBy: null }, take]]);
    ports.log.warn({ pipeline, reason: why }, 'news of data open no run');
    return;
  }
  await openRunWhenFree(ports, turns, {
    key,
    repository,
    sha,
    trigger,
    definition,
    digest,
    logicalDate: at,
    dataIntervalEnd: at,
    parameters: parameters.value,
    alongside: () => take,
    reused: [],
  });
}

/** Short, whatever the names are: no dataset has a number twice. */
function numbersOf(taken: readonly DataListener[]): string {
  const numbers = taken.map(({ dataset, position }) => [dataset, position]);
  return createHash('sha256').update(JSON.stringify(numbers)).digest('hex').slice(0, 32);
}

async function triggerOf(
  { journal }: ConductorPorts,
  { definition, taken }: Listener,
): Promise<Extract<Trigger, { kind: 'data' }>> {
  const { newsPerRunMax } = conductorLimits;
  const news = await Promise.all(
    taken.map(({ dataset, seen, position }) => journal.newsOf(dataset, { after: seen, upTo: position }, newsPerRunMax)),
  );
  const newest = news.flat().toSorted((one, other) => other.toldAt - one.toldAt);
  const events = newest.slice(0, newsPerRunMax).toReversed().map(eventOf);
  const count = taken.reduce((sum, { seen, position }) => sum + position - seen, 0);
  const depths = news.map((each) => Math.max(0, ...each.map(({ depth }) => depth)));
  // Where all have to come together, one that came from elsewhere has broken the circle.
  const depth = definition.on.data?.when === 'any' ? Math.max(...depths) : Math.min(...depths);
  return { kind: 'data', events, count, depth: depth + 1 };
}

function eventOf({ id, dataset, digest, at, runId }: DataEventRow): DataEvent {
  return { id, dataset, digest, at, runId };
}
