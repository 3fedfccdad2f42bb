/**
 * What scheduler, kubelet and controllers told of a pod, for the log of an attempt that came to no end of its own. The
 * cluster forgets it after an hour; whoever looks the next morning finds it there.
 */
import type { CoreV1Event } from '@kubernetes/client-node';
import type { Api } from './api.ts';

const limits = { eventsMax: 20, messageLengthMax: 500, answerMs: 5000 } as const;

/** One line each, the oldest first; none where nothing is told of it, or nothing can be seen in a few seconds. */
export async function podEvents(api: Api, namespace: string, pod: string): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const query = { fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${pod}`, limit: 500 };
  const patience = Promise.withResolvers<never>();
  const timer = setTimeout(() => patience.reject(new Error('not in time')), limits.answerMs);
  try {
    const asked = api.request<{ readonly items: readonly CoreV1Event[] }>('GET', path, { query });
    const { items } = await Promise.race([asked, patience.promise]);
    return eventLines(items);
  } catch {
    // It says more of what went wrong, and is no part of it: an account may lack the right to see it.
    return [];
  } finally {
    clearTimeout(timer);
  }
}

/** `Warning FailedScheduling: 0/3 nodes are available (4 times)`. */
export function eventLines(events: readonly CoreV1Event[]): readonly string[] {
  return events
    .map((event) => ({ at: timeOf(event), text: lineOf(event) }))
    .toSorted((left, right) => left.at - right.at)
    .slice(-limits.eventsMax)
    .map(({ text }) => text);
}

function lineOf({ type, reason, message, count, series }: CoreV1Event): string {
  const text = (message ?? '').replaceAll(/\s+/g, ' ').trim();
  const said = text.length > limits.messageLengthMax ? `${text.slice(0, limits.messageLengthMax)}…` : text;
  const times = series?.count ?? count ?? 1;
  return `${type ?? 'Normal'} ${reason ?? 'Unknown'}: ${said}${times > 1 ? ` (${times} times)` : ''}`;
}

/**
 * In seconds, since that is all that most say; those of one second are listed in their order. The scheduler tells it in one
 * field, the others in two. As JSON they are texts, whatever the client's types say.
 */
function timeOf({ series, lastTimestamp, eventTime, metadata }: CoreV1Event): number {
  const told = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  const time = told === undefined ? Number.NaN : new Date(told).getTime();
  return Number.isNaN(time) ? 0 : Math.floor(time / 1000);
}
