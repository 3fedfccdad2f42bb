/** Outbox `notify`: makes the notification of a notice and hands it to its channel. */
import type { Journal, OutboxRow, RunRow } from '../../journal/journal.ts';
import type { Notification } from '../../notify/notify.ts';
import type { Carried } from './carried.ts';
import { approvalNewsId, isTold, type Notice } from './notices.ts';
import { approvalsAwaited } from '../../engine/engine.ts';
import { readRun } from '../read.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { readNotice } from '../stored.ts';

export async function sendNotice(
  { journal, notifier, clock, runUrl }: Pick<ConductorPorts, 'journal' | 'notifier' | 'clock' | 'runUrl'>,
  row: OutboxRow,
): Promise<Carried> {
  const notice = readNotice(row.body);
  const notification = notice === null ? null : await notificationOf(notice, journal, runUrl);
  if (notice === null || notification === null) return { done: [] };
  const sent = await notifier.send(notice.channel, notification);
  if (sent.sent) return { done: [] };
  if (clock.now() - notice.at >= conductorLimits.noticeTriedMs) return { givenUp: sent.reason };
  return { retry: sent.reason, retryAt: sent.retryAt };
}

/** Whether the last run before it that somebody would have been told of failed. One that was cancelled says nothing. */
async function failedBefore(journal: Journal, { id, opened }: RunRow): Promise<boolean> {
  const { repository, pipeline } = opened;
  const earlier = await journal.runs({ repository, pipeline, before: id, limit: conductorLimits.recoveryRunsMax });
  const last = earlier.find(
    ({ state, opened: { trigger } }) => isTold(trigger) && (state === 'success' || state === 'failed'),
  );
  return last?.state === 'failed';
}

async function stillWaits(journal: Journal, { id: runId }: RunRow, newsId: string): Promise<boolean> {
  const run = await readRun(journal, runId);
  return run !== null && approvalsAwaited(run).some(({ step }) => approvalNewsId(runId, step) === newsId);
}

/** Null: there is nothing to tell. */
async function notificationOf(
  notice: Notice,
  journal: Journal,
  runUrl: ConductorPorts['runUrl'],
): Promise<Notification | null> {
  const { id, event, at, reason } = notice;
  const news = { version: 1, id, event, at: textOf(at), reason } as const;
  if (notice.runId === null) {
    const { repository, pipeline } = notice;
    return { ...news, summary: `${pipeline} ${words[event]}`, repository, pipeline, run: null };
  }
  const row = await journal.run(notice.runId);
  if (row === null || (event === 'run-recovered' && !(await failedBefore(journal, row)))) return null;
  if (event === 'approval-needed' && !(await stillWaits(journal, row, id))) return null;
  const { repository, pipeline } = row.opened;
  const summary = `${pipeline} #${row.number} ${words[event]}`;
  return { ...news, summary, repository, pipeline, run: runOf(row, runUrl(row.id)) };
}

function runOf({ id, number, state, opened }: RunRow, url: string | null): Notification['run'] {
  const { sha, trigger, at, logicalDate } = opened;
  const [startedAt, date] = [textOf(at), textOf(logicalDate)];
  return { id, number, url, sha, trigger: trigger.kind, state, startedAt, logicalDate: date };
}

const words: Readonly<Record<Notification['event'], string>> = {
  'deadline-missed': 'missed its deadline',
  'run-failed': 'failed',
  'run-recovered': 'succeeded again',
  'promotion-failed': 'could not promote its model',
  'approval-needed': 'waits for a decision',
  'tick-missed': 'missed its schedule',
};

function textOf(at: number): string {
  return new Date(at).toISOString();
}
