/**
 * Channels that lose some of what they are sent, or their own answers, and whose readers compare each piece of news with
 * what happened: it must have been kept before anybody is told.
 */
import { firstTriggerOf } from '../../src/engine/event.ts';
import type { Notification, Notifier, Sent } from '../../src/notify/notify.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import type { History, KeptRun, Violated } from './history.ts';
import type { Wire } from './wire.ts';

/** The only channel that the configuration of the world has. */
export const channel = 'team';

export interface NotifierOptions {
  readonly history: History;
  readonly wire: Wire;
  readonly violated: Violated;
}

/** `told`: the ids of what arrived. */
export function simulatedNotifier(told: Set<string>, { history, wire, violated }: NotifierOptions): Notifier {
  const lost = (): Sent => ({ sent: false, reason: 'no answer', retryAt: null });
  const take = (notification: Notification): Sent => {
    if (!isTrue(notification, history)) violated('told', `${notification.id} was told, and did not happen`);
    told.add(notification.id);
    return { sent: true };
  };
  return {
    defaults: [channel],
    send: (_name, notification) =>
      wire.call<Sent>(() => take(notification), { before: 'forge', after: 'forge', answer: lost }),
  };
}

/** Whether the run did what it is said to have done. */
function isTrue({ event, id, pipeline, run }: Notification, { runs, evaluations, ticks }: History): boolean {
  if (run === null) return ticks.get(pipeline)?.get(Number(id.split('/').at(-2)))?.decision === 'missed';
  const kept = runs.get(run.id);
  if (kept === undefined || !isTold(kept)) return false;
  switch (event) {
    case 'deadline-missed':
      return kept.events.some(({ type }) => type === 'deadline-missed');
    case 'run-failed':
      return kept.state === 'failed';
    case 'promotion-failed':
      return id.endsWith('/denied/promotion-failed')
        ? evaluations.get(id.replace(/\/denied\/promotion-failed$/, ''))?.reason !== null
        : evaluations.get(id.replace(/\/promotion-failed$/, ''))?.state === 'refused';
    case 'approval-needed':
      return kept.events.some(({ type }) => type === 'approval-requested');
    case 'tick-missed':
      return false;
    case 'run-recovered':
      return kept.state === 'success' && [...runs.values()].some((other) => failedBefore(other, kept));
    default:
      return unreachable(event);
  }
}

function failedBefore({ opened, state }: KeptRun, { opened: { pipeline, runId } }: KeptRun): boolean {
  return state === 'failed' && opened.pipeline === pipeline && opened.runId < runId;
}

/** Of the others, the forge or the list of the backfill tells. */
function isTold({ opened }: KeptRun): boolean {
  return !['pull-request', 'backfill'].includes(firstTriggerOf(opened.trigger).kind);
}

/** What has happened that the channel does not know, or null. Of an approval nobody is told once it is decided. */
export function untold(told: ReadonlySet<string>, { runs }: History): string | null {
  for (const run of runs.values()) {
    if (!isTold(run)) continue;
    const { runId } = run.opened;
    const isLate = run.events.some(({ type }) => type === 'deadline-missed');
    if (isLate && !told.has(`${runId}/deadline-missed`)) return `nobody was told that ${runId} missed its deadline`;
    if (run.state === 'failed' && !told.has(`${runId}/run-failed`)) return `nobody was told that ${runId} failed`;
  }
  return null;
}
