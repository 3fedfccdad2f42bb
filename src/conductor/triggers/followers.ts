/**
 * Pipelines that listen to the end of another: each gets one run for each such end, or a record of why not, under a key
 * made of the run that ended. They are those of that run's commit, so both are of one version of the repository, and they
 * are for the same date and interval.
 */
import { depthOf, type FinalRunState } from '../../engine/event.ts';
import type { Journal, RunRow } from '../../journal/journal.ts';
import type { EndTrigger, PipelineDefinition } from '../../pipeline/definition.ts';
import { backlog } from './backlog.ts';
import type { Desk } from '../desk.ts';
import { matchEnd } from './match.ts';
import { conductorLimits, type Project } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { askedOnce, branchOfRun, type RunBranch } from './branch-of-run.ts';
import { openRun, parseParameters } from './triggers.ts';
import { versionsOf, type CommitVersions } from '../versions.ts';

interface Follower {
  readonly definition: PipelineDefinition;
  readonly digest: string;
  readonly by: EndTrigger;
}

/** The trigger's key of the run that `pipeline` gets for the end of `upstream`. */
export function followerKey(upstream: string, pipeline: string): string {
  return `pipeline:${upstream}:${pipeline}`;
}

/**
 * Looks at every end in a repository that nobody has looked at; gives why some have to wait, or null. `project`: null where
 * it is no longer in the configuration.
 */
export async function openFollowers(desk: Desk, repository: string, project: Project | null): Promise<string | null> {
  const { journal, clock } = desk.ports;
  let waits: string | null = null;
  // Runs of one commit come in crowds.
  const known = new Map<string, ReturnType<typeof versionsOf>>();
  for await (const ends of openEnds(journal, repository)) {
    const done: RunRow[] = [];
    const asked = project === null ? null : { ...project, git: askedOnce(project.git) };
    for (const row of ends) {
      const again = asked === null ? null : await followOne(desk, asked, row, known);
      if (again === null) done.push(row);
      else waits ??= again;
    }
    const at = clock.now();
    await journal.commit([done.map(({ id }) => ({ write: 'run-end-done', runId: id, at }))]);
  }
  return waits;
}

/** Of one repository, or of all. */
export function openEnds(journal: Journal, repository?: string): AsyncIterable<readonly RunRow[]> {
  const all = repository === undefined ? {} : { repository };
  return backlog((part) => journal.openRunEnds(conductorLimits.eventsPerLookMax, { ...part, ...all }));
}

/** Null where all is done; else why it has to wait. */
async function followOne(
  desk: Desk,
  project: Project,
  row: RunRow,
  known: Map<string, ReturnType<typeof versionsOf>>,
): Promise<string | null> {
  const { ports } = desk;
  const { opened, state } = row;
  const sha = shaOf(opened.sha);
  if (sha === null || state === 'running' || state === 'cancelling') return null;
  const reading = known.get(sha) ?? versionsOf(ports, project, sha);
  known.set(sha, reading);
  const versions = await reading;
  if (!versions.ok) return versions.error;
  const followers = followersOf(versions.value, opened.pipeline, state);
  if (followers.length === 0) return null;
  const runBranch = await branchOfRun(project, opened);
  if ('again' in runBranch) return runBranch.again;
  for (const follower of followers) await open(desk, { ...row, state }, follower, runBranch);
  return null;
}

/** Who listens to such an end. */
function followersOf({ definitions }: CommitVersions, pipeline: string, state: FinalRunState): readonly Follower[] {
  return [...definitions].flatMap(([digest, definition]) => {
    const by = definition.on.pipelines?.find(({ name }) => name === pipeline);
    return by?.states.includes(state) === true ? [{ definition, digest, by }] : [];
  });
}

async function open(
  { ports, turns }: Desk,
  upstream: RunRow & { readonly state: FinalRunState },
  { definition, digest, by }: Follower,
  runBranch: Exclude<RunBranch, { again: string }>,
): Promise<void> {
  const { journal, clock } = ports;
  const { opened } = upstream;
  const key = followerKey(upstream.id, definition.name);
  const depth = depthOf(opened.trigger) + 1;
  const parameters = parseParameters(definition.parameters, {});
  const reason = whyNot(upstream, by, runBranch, depth, clock.now()) ?? (parameters.ok ? null : parameters.error);
  if (reason !== null || 'why' in runBranch || !parameters.ok) {
    await journal.commit([[{ write: 'trigger-skipped', key, at: clock.now(), reason: reason ?? '', coveredBy: null }]]);
    return;
  }
  const { branch } = runBranch;
  await openRun(ports, turns, {
    key,
    repository: opened.repository,
    sha: opened.sha,
    trigger: {
      kind: 'pipeline',
      pipeline: opened.pipeline,
      upstream: upstream.id,
      state: upstream.state,
      branch,
      depth,
    },
    definition,
    digest,
    logicalDate: opened.logicalDate,
    dataIntervalEnd: opened.dataIntervalEnd,
    parameters: parameters.value,
    alongside: null,
    reused: [],
  });
}

/** Why an end that is listened to opens no run; null where it does. */
function whyNot(
  { finishedAt }: RunRow,
  by: EndTrigger,
  runBranch: Exclude<RunBranch, { again: string }>,
  depth: number,
  now: number,
): string | null {
  if ('why' in runBranch) return runBranch.why;
  if (!matchEnd(by, runBranch)) return `it was for ${runBranch.branch}, which it does not listen to`;
  if (depth > conductorLimits.followDepthMax)
    return `${conductorLimits.followDepthMax} runs have started one another already`;
  if (now - (finishedAt ?? now) > conductorLimits.followLateMaxMs)
    return 'it ended more than a day before anybody could follow it';
  return null;
}
