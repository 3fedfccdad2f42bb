/**
 * Who is to be told of what, as rows of the outbox in the commit of what happened: so nothing is lost, and nothing is told
 * that was not kept. A pull request has its status, in a merge queue too, and a backfill its list, and whoever began it
 * looks there; of all other runs nobody may be looking.
 */
import { firstTriggerOf, type RunEvent, type RunOpened, type Trigger } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { Write } from '../../journal/journal.ts';
import type { Notification } from '../../notify/notify.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { formatDuration } from '../../std/duration.ts';
import type { ConductorPorts } from '../ports.ts';
import { mergeGroupOf } from '../triggers/merge-group.ts';

/** One row: one channel and one piece of news. */
export type Notice = News & { readonly channel: string } & About;

type About =
  | { readonly runId: string }
  | { readonly runId: null; readonly repository: string; readonly pipeline: string };

type OutboxWrite = Extract<Write, { write: 'outbox' }>;

interface News {
  readonly id: string;
  readonly event: Notification['event'];
  readonly at: number;
  readonly reason: string | null;
}

/** What follows from the events of a turn; `defaults`: channels of a pipeline that names none. */
export function noticeWrites(run: Run, events: readonly RunEvent[], defaults: readonly string[]): readonly Write[] {
  return events.flatMap((event) => {
    const news = newsOf(run, event);
    return news === null ? [] : noticesOf(run.opened, run.definition, defaults, { ...news, at: event.at });
  });
}

/** A promotion was decided and could not be carried out. `id`: of the evaluation, or of what became of it. */
export async function promotionNotices(
  { journal, notifier, clock }: Pick<ConductorPorts, 'journal' | 'notifier' | 'clock'>,
  opened: RunOpened,
  id: string,
  reason: string,
): Promise<readonly Write[]> {
  const definition = await journal.definition(opened.digest);
  const news = { id: `${id}/promotion-failed`, event: 'promotion-failed', at: clock.now(), reason } as const;
  return noticesOf(opened, definition ?? {}, notifier.defaults, news);
}

/** Ticks of a pipeline that were missed together, which is one piece of news. */
export function missedTickNotices(
  repository: string,
  definition: Pick<PipelineDefinition, 'name' | 'notify'>,
  defaults: readonly string[],
  { lastTick, at, reason }: { readonly lastTick: number; readonly at: number; readonly reason: string },
): readonly Write[] {
  const news = {
    id: `${repository}/${definition.name}/${lastTick}/tick-missed`,
    event: 'tick-missed',
    at,
    reason,
  } as const;
  const about = { runId: null, repository, pipeline: definition.name } as const;
  return noticeRows(channelsFor(definition, news.event, defaults), news, about);
}

function newsOf({ opened, definition, state }: Run, event: RunEvent): Omit<News, 'at'> | null {
  if (event.type === 'deadline-missed') {
    const reason = `It has not ended ${formatDuration(definition.deadlineMs ?? 0)} after its start, and goes on.`;
    return { id: `${opened.runId}/deadline-missed`, event: 'deadline-missed', reason };
  }
  if (event.type === 'approval-requested') {
    const { runId } = opened;
    const what = event.message === null ? '' : `${event.message}\n`;
    const reason = `${what}Decide on its page, or with: contender approve ${runId} ${event.step}`;
    // Whether it still waits is looked up when it is told.
    return { id: approvalNewsId(runId, event.step), event: 'approval-needed', reason };
  }
  if (event.type !== 'run-finished') return null;
  if (state === 'failed') return { id: `${opened.runId}/run-failed`, event: 'run-failed', reason: event.reason };
  // Whether one before it failed is looked up when it is told.
  return state === 'success' ? { id: `${opened.runId}/run-recovered`, event: 'run-recovered', reason: null } : null;
}

export function approvalNewsId(runId: string, step: string): string {
  return `${runId}/${step}/approval-needed`;
}

function noticesOf(
  opened: RunOpened,
  definition: Pick<PipelineDefinition, 'notify'>,
  defaults: readonly string[],
  news: News,
): readonly Write[] {
  if (!isTold(opened.trigger)) return [];
  const { runId } = opened;
  return noticeRows(channelsFor(definition, news.event, defaults), news, { runId }).map((row) => ({ ...row, runId }));
}

function noticeRows(channels: readonly string[], news: News, about: About): readonly OutboxWrite[] {
  return channels.map((channel) => ({
    write: 'outbox',
    key: `notify:${news.id}/${channel}`,
    kind: 'notify',
    body: { ...news, channel, ...about },
    at: news.at,
    dueAt: news.at,
  }));
}

/** Whether its news go to channels at all. */
export function isTold(trigger: Trigger): boolean {
  const first = firstTriggerOf(trigger);
  if (first.kind === 'push') return mergeGroupOf(first.branch) === null;
  return first.kind !== 'pull-request' && first.kind !== 'backfill';
}

function channelsFor(
  { notify }: Pick<PipelineDefinition, 'notify'>,
  event: Notification['event'],
  defaults: readonly string[],
): readonly string[] {
  if (event === 'run-recovered') return notify?.recovery ?? [];
  if (event === 'approval-needed') return notify?.approval ?? defaults;
  return (event === 'deadline-missed' ? notify?.deadline : notify?.failure) ?? defaults;
}
