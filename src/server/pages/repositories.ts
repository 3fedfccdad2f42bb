/** What each repository's default branch defines, as the journal has it. Remembered for a moment: every page of runs asks. */
import { firingsBetween, parseSchedule } from '../../calendar/calendar.ts';
import { knownDefaultBranch, refusalsOf } from '../../conductor/read.ts';
import type { Project } from '../../conductor/ports.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { followingsOf, type Following } from '../../pipeline/following.ts';
import type { PipelineItem, RepositoryView } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';

const limits = {
  rememberedMs: 5000,
  recentRuns: 12,
  ticks: 10,
  firings: 3,
  firingsWithinMs: 400 * 86_400_000,
} as const;

const notLookedAt =
  'It has not been looked at yet: its first fetch is under way, or the log of the server says what is in the way of it.';

interface Known {
  readonly branch: string | null;
  readonly sha: string | null;
  readonly trouble: string | null;
  readonly definitions: readonly PipelineDefinition[];
  readonly broken: RepositoryView['broken'];
}

export class RepositoryReader {
  readonly #ports: ServerPorts;
  readonly #known = new Map<string, { readonly at: number; readonly known: Promise<Known> }>();

  constructor(ports: ServerPorts) {
    this.#ports = ports;
  }

  async pipelineNames(): Promise<readonly string[]> {
    const all = await Promise.all([...this.#ports.projects.values()].map((project) => this.#read(project)));
    return [...new Set(all.flatMap((known) => known.definitions.map((definition) => definition.name)))].sort();
  }

  /** Names of repositories of which nothing is known yet. */
  async unseen(): Promise<readonly string[]> {
    const all = [...this.#ports.projects.values()];
    const known = await Promise.all(all.map((project) => this.#read(project)));
    return all.flatMap(({ name }, index) => (known[index]?.trouble === notLookedAt ? [name] : []));
  }

  /** At the head of the default branch. `why`: there is none of that name, as a sentence. */
  async pipeline(
    repository: string,
    pipeline: string,
  ): Promise<
    | { readonly branch: string; readonly sha: string; readonly definition: PipelineDefinition }
    | { readonly why: string }
  > {
    const project = this.#ports.projects.get(repository);
    if (project === undefined) return { why: `No repository ${repository} is watched.` };
    const { branch, sha, trouble, definitions } = await this.#read(project);
    const definition = definitions.find(({ name }) => name === pipeline);
    if (branch !== null && sha !== null && definition !== undefined) return { branch, sha, definition };
    const why = `There is no pipeline ${pipeline} at the head of ${repository}'s default branch.`;
    return { why: trouble === null ? why : `${why} ${trouble}` };
  }

  repositories(): Promise<readonly RepositoryView[]> {
    return Promise.all([...this.#ports.projects.values()].map((project) => this.#view(project)));
  }

  async #view(project: Project): Promise<RepositoryView> {
    const { branch, sha, trouble, definitions, broken } = await this.#read(project);
    const followings = followingsOf(definitions);
    const pipelines = await Promise.all(definitions.map((definition) => this.#item(project, definition, followings)));
    return { name: project.name, branch, sha, trouble, broken, pipelines };
  }

  async #item(
    project: Project,
    definition: PipelineDefinition,
    followings: readonly Following[],
  ): Promise<PipelineItem> {
    const rows = await this.#ports.journal.runs({
      repository: project.name,
      pipeline: definition.name,
      limit: limits.recentRuns,
    });
    const refusals = await refusalsOf(this.#ports.journal, rows);
    const ticks =
      definition.on.schedule === null
        ? []
        : await this.#ports.journal.ticks(project.name, definition.name, limits.ticks);
    return {
      name: definition.name,
      description: definition.description,
      owner: definition.owner,
      tags: definition.tags,
      steps: definition.steps.length,
      triggers: triggersOf(definition),
      followers: [...new Set(followings.filter(({ from }) => from === definition.name).map(({ to }) => to))],
      schedule: scheduleOf(definition, this.#ports.clock.now()),
      ticks: ticks.map(({ tick, decision, reason, runId }) => ({ tick, decision, reason, runId })),
      recent: rows.map(({ id, number, state, opened }) => ({
        id,
        number,
        state,
        refused: refusals.get(id) ?? null,
        openedAt: opened.at,
      })),
    };
  }

  #read(project: Project): Promise<Known> {
    const now = performance.now();
    const remembered = this.#known.get(project.name);
    if (remembered !== undefined && now - remembered.at < limits.rememberedMs) return remembered.known;
    const known = readDefinitions(this.#ports, project);
    this.#known.set(project.name, { at: now, known });
    // What is in the way may be gone at the next look.
    known.then(
      ({ trouble }) => (trouble === null ? undefined : this.#known.delete(project.name)),
      () => this.#known.delete(project.name),
    );
    return known;
  }
}

async function readDefinitions({ journal }: ServerPorts, project: Project): Promise<Known> {
  const nothing = { branch: null, sha: null, definitions: [], broken: [] };
  const branch = await knownDefaultBranch(journal, project.name);
  if (branch === null) return { ...nothing, trouble: notLookedAt };
  if (branch === '') return { ...nothing, trouble: 'It has no default branch yet: push one.' };
  const sha = await journal.head(project.name, branch);
  if (sha === null) return { ...nothing, branch, trouble: notLookedAt };
  const versions = await journal.versions(project.name, sha);
  if (versions === null) return { ...nothing, branch, sha, trouble: 'The newest commit has not been compiled yet.' };
  const found = await Promise.all(
    versions.flatMap(({ digest }) => (digest === null ? [] : [journal.definition(digest)])),
  );
  const definitions = found
    .filter((definition) => definition !== null)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const broken = versions
    .filter(({ problems }) => problems.length > 0)
    .map(({ file, problems }) => ({ file, problems }));
  return {
    branch,
    sha,
    definitions,
    broken,
    trouble: versions.length === 0 ? 'It has no pipelines: `contender init` writes a first one.' : null,
  };
}

function triggersOf({ on }: PipelineDefinition): readonly string[] {
  const triggers: string[] = [];
  const { push, pullRequest } = on;
  if (push !== null)
    triggers.push(
      push.branches.length + push.tags.length === 0
        ? 'push to the default branch'
        : `push to ${[...push.branches, ...push.tags].join(', ')}`,
    );
  if (pullRequest !== null) triggers.push('pull requests');
  for (const { name, states } of on.pipelines ?? []) triggers.push(`after ${name}: ${states.join(' or ')}`);
  if (on.data !== undefined) {
    const { datasets, when } = on.data;
    triggers.push(`news of ${datasets.join(when === 'any' ? ' or ' : ' and ')}`);
  }
  if (triggers.length === 0 && on.schedule === null) triggers.push('a person only');
  return triggers;
}

function scheduleOf({ on }: PipelineDefinition, now: number): PipelineItem['schedule'] {
  if (on.schedule === null) return null;
  const { cron, timeZone } = on.schedule;
  const schedule = parseSchedule(cron, timeZone);
  const next = schedule.ok ? firingsBetween(schedule.value, now, now + limits.firingsWithinMs, limits.firings) : [];
  return { cron, timeZone, next };
}
