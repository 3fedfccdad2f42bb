/**
 * News of datasets: first each is decided on, since only runs of the default branch tell any; then whoever listens to what
 * is new gets a run, of all that is new to it. The run and what it has taken share one commit, so two servers or a restart
 * never open two for the same news; where a run may not begin yet, its news wait and come together.
 */
import { createHash } from 'node:crypto';
import type { DataEvent, Trigger } from '../../engine/event.ts';
import type { DataEventRow, DataListener, Journal, Write } from '../../journal/journal.ts';
import type { DataTrigger, PipelineDefinition } from '../../pipeline/definition.ts';
import { backlog } from './backlog.ts';
import type { Desk } from '../desk.ts';
import { conductorLimits, type ConductorPorts, type Project } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { askedOnce, branchOfRun } from './branch-of-run.ts';
import { openRunWhenFree, parseParameters } from './triggers.ts';
import { versionsOf } from '../versions.ts';

/** Decides on what was told from outside; gives the repositories whose runs have told the rest. */
export async function decideNewsFromOutside({ journal }: ConductorPorts): Promise<ReadonlySet<string>> {
  const repositories = new Set<string>();
  for await (const events of openNews(journal))
    for (const event of events) {
      const run = event.runId === null ? null : await journal.run(event.runId);
      if (run === null) await decide(journal, event, null);
      else repositories.add(run.opened.repository);
    }
  return repositories;
}

/**
 * Decides on what runs of a repository have told; gives why some have to wait, or null. `project`: null where it is no longer
 * in the configuration.
 */
export async function decideNews(
  { ports: { journal, jobQueue } }: Desk,
  repository: string,
  project: Project | null,
): Promise<string | null> {
  let waits: string | null = null;
  for await (const events of openNews(journal, repository)) {
    const asked = project === null ? null : { ...project, git: askedOnce(project.git) };
    for (const event of events) {
      const refused = await whyRefused(journal, asked, event);
      if (refused !== null && typeof refused !== 'string') {
        waits ??= refused.again;
        continue;
      }
      await decide(journal, event, refused);
      // Whoever listens may be of any repository.
      jobQueue.wake('events');
    }
  }
  return waits;
}

/** Of one repository, or of all. */
function openNews(journal: Journal, repository?: string): AsyncIterable<readonly DataEventRow[]> {
  const all = repository === undefined ? {} : { repository };
  return backlog((part) => journal.openDataEvents(conductorLimits.eventsPerLookMax, { ...part, ...all }));
}

async function decide(journal: Journal, { id, dataset, digest }: DataEventRow, refused: string | null): Promise<void> {
  // Where somebody was faster, theirs stands.
  await journal.commit([[{ write: 'data-event-decided', id, dataset, digest, evenIfSame: false, refused }]]);
}

/** Null where it counts. */
async function whyRefused(
  journal: Journal,
  project: Project | null,
  { runId }: DataEventRow,
): Promise<string | { readonly again: string } | null> {
  const run = runId === null ? null : await journal.run(runId);
  if (run === null || project === null) return 'its repository is no longer in the configuration';
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

/** Opens the runs of a repository that listen; gives why they have to wait, or null. */
export async function openForNews(desk: Desk, project: Project): Promise<string | null> {
  const all = await desk.ports.journal.listenersWithNews();
  const rows = all.filter(({ repository }) => repository === project.name);
  if (rows.length === 0) return null;
  const listeners = await listenersOf(desk.ports, project, rows);
  if ('again' in listeners) return listeners.again;
  for (const listener of listeners) await openFor(desk, listener);
  return null;
}

async function listenersOf(
  ports: ConductorPorts,
  project: Project,
  rows: readonly DataListener[],
): Promise<readonly Listener[] | { readonly again: string }> {
  const { name: repository } = project;
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
