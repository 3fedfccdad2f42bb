/** Outbox `notify`: makes the notification of a notice and hands it to its channel. */
import type { Journal, OutboxRow, RunRow } from '../../journal/journal.ts';
import type { Notification } from '../../notify/notify.ts';
import type { Carried } from './carried.ts';
import { isTold, type Notice } from './notices.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { readNotice } from '../stored.ts';

export async function sendNotice(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const { journal, notifier, clock, runUrl } = ports;
  const notice = readNotice(row.body);
  const run = notice === null ? null : await journal.run(notice.runId);
  if (notice === null || run === null) return { done: [] };
  if (notice.event === 'run-recovered' && !(await failedBefore(journal, run))) return { done: [] };
  const sent = await notifier.send(notice.channel, notificationOf(notice, run, runUrl(run.id)));
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

function notificationOf({ id, event, at, reason }: Notice, run: RunRow, url: string | null): Notification {
  const { opened, number, state } = run;
  const { repository, pipeline, sha, trigger } = opened;
  return {
    version: 1,
    id,
    event,
    at: textOf(at),
    summary: `${pipeline} #${number} ${words[event]}`,
    reason,
    repository,
    pipeline,
    run: {
      id: run.id,
      number,
      url,
      sha,
      trigger: trigger.kind,
      state,
      startedAt: textOf(opened.at),
      logicalDate: textOf(opened.logicalDate),
    },
  };
}

const words: Readonly<Record<Notification['event'], string>> = {
  'deadline-missed': 'missed its deadline',
  'run-failed': 'failed',
  'run-recovered': 'succeeded again',
  'promotion-failed': 'could not promote its model',
};

function textOf(at: number): string {
  return new Date(at).toISOString();
}
