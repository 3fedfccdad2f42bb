/** The pipelines of a commit that listen get a run each, or a report that says why they get none. */
import type { Trigger } from '../../engine/event.ts';
import type { Journal, VersionRow, Write } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { coveringRun, type Covering } from './covered.ts';
import { orderToDecide } from './covered-pushes.ts';
import type { About, Desk } from '../desk.ts';
import { tagPrefix, type Change, type Match } from './match.ts';
import type { Project } from '../ports.ts';
import { settleMerged } from '../promotion.ts';
import { reportWithoutRun } from '../reports/report-writes.ts';
import { shaOf } from '../sha.ts';
import { replacedRun, type Replaced } from './returned.ts';
import { openRun, parseParameters } from './triggers.ts';
import type { CommitVersions } from '../versions.ts';

export interface Matching {
  readonly project: Project;
  readonly versions: CommitVersions;
  readonly about: About;
  readonly trigger: Extract<Trigger, { kind: 'push' | 'pull-request' }>;
  /** The commit asks for no runs. */
  readonly skip: boolean;
  readonly match: (definition: PipelineDefinition, files: Omit<Change, 'paths'>) => Match;
}

export const notAffected = 'Not affected by this change';

/** How many runs were asked for, and a note for the record. Doing it again opens nothing twice: every run has a key. */
export async function openMatching(
  desk: Desk,
  matching: Matching,
): Promise<{ readonly count: number; readonly note: string } | { readonly again: string }> {
  const { project, versions, about, trigger, skip } = matching;
  const good = goodVersions(versions);
  const files = new Set(versions.versions.map((row) => row.file));
  const notes: string[] = [];
  let count = 0;
  let again: string | null = null;
  for (const { definition, digest, row } of good) {
    const matched = matching.match(definition, { file: row.file, files });
    if (matched === null) continue;
    const reason = skip ? 'The commit message asks to skip' : matched.affected ? null : notAffected;
    if (reason !== null) {
      await reportSkipped(desk, matching, definition.name, reason, null);
      notes.push(`${definition.name}: ${reason}`);
      continue;
    }
    const sha = shaOf(about.sha);
    // Whoever tags a merge asks for a run of it.
    const mayBeMerge = trigger.kind === 'push' && !trigger.branch.startsWith(tagPrefix);
    const covered = mayBeMerge && sha !== null ? await coveringRun(desk.ports, project, definition, sha) : null;
    if (covered !== null && 'again' in covered) return covered;
    if (covered !== null) {
      await reportSkipped(desk, matching, definition.name, covered.summary, covered);
      notes.push(`${definition.name}: ${covered.summary}`);
      continue;
    }
    const replaced = await returned(desk, matching, definition.name);
    if (replaced?.isEnding === true) {
      again = `${definition.name}: its run of this commit is being cancelled`;
      continue;
    }
    notes.push(`${definition.name}: ${await open(desk, matching, { definition, digest, replaced })}`);
    count += 1;
  }
  if (again !== null) return { again };
  return { count, note: notes.join('; ') || 'no pipeline listens' };
}

/** A replaced run that is asked for again, because its commit is the head now, whatever the news are. */
async function returned(
  { ports }: Desk,
  { project, about, trigger }: Matching,
  pipeline: string,
): Promise<Replaced | null> {
  const replaced = await replacedRun(ports.journal, { ...about, pipeline }, trigger);
  if (replaced === null) return null;
  const tip = await project.git.resolve(trigger.branch);
  return tip.ok && tip.value === about.sha ? replaced : null;
}

async function open(
  desk: Desk,
  { about, trigger }: Matching,
  {
    definition,
    digest,
    replaced,
  }: { readonly definition: PipelineDefinition; readonly digest: string; readonly replaced: Replaced | null },
): Promise<string> {
  const { ports, turns } = desk;
  const at = ports.clock.now();
  const parameters = parseParameters(definition.parameters, {});
  if (!parameters.ok) {
    const summary = parameters.error;
    await ports.journal.commit([
      reportWithoutRun(
        { ...about, pipeline: definition.name, state: 'error', summary, problems: [], coveredBy: null },
        at,
      ),
    ]);
    return summary;
  }
  const key = await keyOfRun(ports.journal, definition.name, about, trigger);
  const opened = await openRun(ports, turns, {
    key: replaced === null ? key : `${key}:after:${replaced.by}`,
    repository: about.repository,
    sha: about.sha,
    trigger,
    definition,
    digest,
    logicalDate: at,
    dataIntervalEnd: at,
    parameters: parameters.value,
    alongside: null,
    reused: [],
  });
  return 'skipped' in opened ? opened.skipped : `run ${opened.runId}`;
}

async function reportSkipped(
  { ports }: Desk,
  { project, about, trigger }: Matching,
  pipeline: string,
  summary: string,
  covering: Covering | null,
): Promise<void> {
  const at = ports.clock.now();
  const coveredBy = covering?.runId ?? null;
  const key = triggerKey(pipeline, about, trigger);
  const skipped: Write = { write: 'trigger-skipped', key, at, reason: summary, coveredBy };
  const state = covering?.state ?? 'neutral';
  const report = reportWithoutRun({ ...about, pipeline, state, summary, problems: [], coveredBy }, at);
  // Who merged what is told by another event, which may have been lost.
  const settle = covering === null ? [] : await settleMerged(ports, project.name, covering.pullRequest);
  const waits = covering?.isOpen === true ? awaitEnd(about, trigger, { pipeline, key, at }, covering) : [];
  await ports.journal.commit([[skipped, ...report, ...settle, ...waits]]);
}

/** Asks for a decision at the end of the run that a push is left to. */
function awaitEnd(
  { repository, sha: head }: About,
  trigger: Matching['trigger'],
  push: { readonly pipeline: string; readonly key: string; readonly at: number },
  { runId, pullRequest }: Covering,
): readonly Write[] {
  const sha = shaOf(head);
  if (trigger.kind !== 'push' || sha === null) return [];
  const { branch, actor } = trigger;
  return [orderToDecide({ ...push, repository, sha, branch, actor, pullRequest, runId })];
}

/** A head that did not concern a pipeline may do so beside another base branch. */
async function keyOfRun(
  journal: Pick<Journal, 'trigger'>,
  pipeline: string,
  about: About,
  trigger: Matching['trigger'],
): Promise<string> {
  const key = triggerKey(pipeline, about, trigger);
  if (trigger.kind === 'push') return key;
  const known = await journal.trigger(key);
  return known?.reason === notAffected ? `${key}:onto:${trigger.baseBranch}` : key;
}

function triggerKey(pipeline: string, about: About, trigger: Matching['trigger']): string {
  const scope = trigger.kind === 'push' ? trigger.branch : String(trigger.number);
  return `${trigger.kind}:${about.repository}:${pipeline}:${scope}:${about.sha}`;
}

/** The versions of a commit without problems. */
export function goodVersions(
  versions: CommitVersions,
): readonly { readonly definition: PipelineDefinition; readonly digest: string; readonly row: VersionRow }[] {
  return versions.versions.flatMap((row) => {
    const definition = row.digest === null ? undefined : versions.definitions.get(row.digest);
    return definition === undefined || row.digest === null ? [] : [{ definition, digest: row.digest, row }];
  });
}
