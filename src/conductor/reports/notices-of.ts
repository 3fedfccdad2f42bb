/** What became of the notices of a run: for pages and lists. */
import type { Journal } from '../../journal/journal.ts';
import type { Notice } from './notices.ts';
import { readNotice } from '../stored.ts';

export interface NoticeState extends Pick<Notice, 'event' | 'channel'> {
  /** Why nobody has taken it so far; null: it was taken, or is on its way. */
  readonly error: string | null;
  /** When it is tried again; null: it was taken, or given up. */
  readonly dueAt: number | null;
}

/** In the order of time. A recovery is no news before it is known to be one, so it is left out while all goes well. */
export async function noticesOf(journal: Pick<Journal, 'outboxOf'>, runId: string): Promise<readonly NoticeState[]> {
  const rows = await journal.outboxOf(runId);
  return rows.flatMap(({ body, error, dueAt }) => {
    const notice = readNotice(body);
    if (notice === null || (notice.event === 'run-recovered' && error === null)) return [];
    const { event, channel } = notice;
    return [{ event, channel, error, dueAt }];
  });
}
