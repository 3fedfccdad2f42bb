/**
 * A pull request from a fork. A stranger's code would run as our own user, so none of it does: processes of this machine are
 * for those who can push. What it changes waits for one of them. It is judged by the pipelines of its base, since its own say
 * what the stranger likes, and without comments on each: how much is written is not for strangers to choose.
 */
import type { PullRequest } from '../../forge/forge.ts';
import type { Sha } from '../../git/git.ts';
import type { Journal, Write } from '../../journal/journal.ts';
import type { Problem } from '../../std/problem.ts';
import { conductorLimits, type ConductorPorts, type Project } from '../ports.ts';
import { reportWithoutRun, statusKey } from '../reports/report-writes.ts';
import { readRunlessReport } from '../stored.ts';
import { versionsOf } from '../versions.ts';
import { matchPullRequest } from './match.ts';
import { goodVersions, notAffected } from './open-matching.ts';

export const forkSummary = 'A pull request from a fork does not run: its code is not trusted';

/** What a look at the head of a pull request came to. */
export interface HeadLooked {
  readonly note: string;
  readonly reports: readonly Write[];
  /** Whether it is here, so that its definitions can be compared with those of its base. */
  readonly isHere: boolean;
}

/** What is said of the head, pipeline by pipeline. */
export async function judgeFork(
  ports: ConductorPorts,
  project: Project,
  { pullRequest, sha, baseSha }: { readonly pullRequest: PullRequest; readonly sha: Sha; readonly baseSha: Sha },
): Promise<HeadLooked | { readonly again: string }> {
  const base = await versionsOf(ports, project, baseSha);
  if (!base.ok) return { again: base.error };
  const changed = await changedPaths(project, sha, baseSha);
  if ('again' in changed) return changed;
  const at = ports.clock.now();
  const { versions } = base.value;
  const files = new Set(versions.map(({ file }) => file));
  const reports: Write[] = [];
  for (const { definition, row } of goodVersions(base.value)) {
    const { file } = row;
    const change = { paths: changed.paths ?? [file], file, files };
    const matched = matchPullRequest(definition, pullRequest.baseBranch, change);
    if (matched === null) continue;
    const about = { repository: project.name, sha, pipeline: definition.name };
    // A status is the commit's: another pull request of the same one may concern the pipeline, onto another base.
    if (!matched.affected && (await waitsAlready(ports.journal, about))) continue;
    const said = matched.affected
      ? ({ state: 'waiting', summary: forkSummary, problems: [howToRun(pullRequest)] } as const)
      : ({ state: 'neutral', summary: notAffected, problems: [] } as const);
    reports.push(...reportWithoutRun({ ...about, ...said, pullRequest: null, baseSha, coveredBy: null }, at));
  }
  const note = changed.paths === null ? `${forkSummary}. ${changed.why}` : forkSummary;
  return { note, reports, isHere: changed.paths !== null };
}

async function waitsAlready(
  journal: Pick<Journal, 'outboxRow'>,
  { repository, sha, pipeline }: { readonly repository: string; readonly sha: Sha; readonly pipeline: string },
): Promise<boolean> {
  const row = await journal.outboxRow(statusKey(repository, sha, pipeline));
  return row !== null && readRunlessReport(row.body)?.state === 'waiting';
}

/** Null: more than a stranger may send, which may change anything. */
async function changedPaths(
  { git }: Project,
  sha: Sha,
  baseSha: Sha,
): Promise<
  { readonly paths: readonly string[] } | { readonly paths: null; readonly why: string } | { readonly again: string }
> {
  const here = await git.ensure(sha, conductorLimits.forkBytesMax);
  if (!here.ok) {
    const { kind, message } = here.error;
    return kind === 'refused' ? { paths: null, why: message } : { again: message };
  }
  const left = await git.mergeBase(baseSha, sha);
  const paths = await git.changedPaths(left.ok ? left.value : null, sha);
  return paths.ok ? { paths: paths.value } : { again: paths.error.message };
}

function howToRun({ number, headSha }: PullRequest): Problem {
  return {
    code: 'fork-untrusted',
    message: forkSummary,
    where: null,
    help:
      `Read what it changes; then who may push here has its commit run as one of their own: git fetch origin pull/${number}/head, ` +
      `git push origin ${headSha}:refs/heads/fork-${number}, and a pull request from that branch. What comes of it counts for this one too.`,
  };
}
