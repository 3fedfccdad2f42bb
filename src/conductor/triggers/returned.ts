/**
 * A branch or pull request that comes back to a commit (a force push, a revert of one) whose run a newer commit has had
 * cancelled asks for that run again: else the commit would stay cancelled for good. Each replacement gives one more run, under
 * a key that names what replaced the last one, so the same news twice still open one.
 */
import { firstTriggerOf, type Trigger } from '../../engine/event.ts';
import { replacementId } from '../requests.ts';
import { journalLimits, type Journal, type RunFilter, type RunRow } from '../../journal/journal.ts';

type Place = Pick<RunFilter, 'repository' | 'pipeline' | 'branch' | 'pullRequest'>;
/** What of a trigger says whose head it is. */
type Head = Pick<Extract<Trigger, { kind: 'push' }>, 'kind' | 'branch'> | PullRequestHead;
type PullRequestHead = Pick<Extract<Trigger, { kind: 'pull-request' }>, 'kind' | 'number'>;

export interface Replaced {
  /** The run that was opened in its stead. */
  readonly by: string;
  /** It has not ended yet. */
  readonly isEnding: boolean;
}

/** The newest run of the pipeline for that head, where one for another commit of it has replaced it; else null. */
export async function replacedRun(
  journal: Journal,
  about: { readonly repository: string; readonly pipeline: string; readonly sha: string },
  head: Head,
): Promise<Replaced | null> {
  const { repository, pipeline, sha } = about;
  const place = { repository, pipeline, ...placeOf(head) };
  const isOfHead = ({ opened }: RunRow): boolean => firstTriggerOf(opened.trigger).kind === head.kind;
  const last = (await runsOf(journal, { ...place, sha })).find(isOfHead);
  if (last === undefined || (last.state !== 'cancelled' && last.state !== 'cancelling')) return null;
  for (const { id, opened } of (await runsOf(journal, place)).filter(isOfHead)) {
    if (id <= last.id) return null;
    if (opened.sha !== sha && (await journal.request(replacementId(id, last.id))) !== null)
      return { by: id, isEnding: last.state === 'cancelling' };
  }
  return null;
}

/** Whether the head of a pull request has such a run, of any pipeline. */
export async function hasReplacedRun(
  journal: Journal,
  repository: string,
  { number, headSha: sha }: { readonly number: number; readonly headSha: string },
): Promise<boolean> {
  const runs = await runsOf(journal, { repository, pullRequest: number, sha });
  for (const pipeline of new Set(runs.map(({ opened }) => opened.pipeline))) {
    const about = { repository, pipeline, sha };
    if ((await replacedRun(journal, about, { kind: 'pull-request', number })) !== null) return true;
  }
  return false;
}

function placeOf(head: Head): Pick<Place, 'branch' | 'pullRequest'> {
  return head.kind === 'push' ? { branch: head.branch } : { pullRequest: head.number };
}

function runsOf(journal: Journal, place: Omit<RunFilter, 'limit'>): Promise<readonly RunRow[]> {
  return journal.runs({ ...place, limit: journalLimits.pageMax });
}
