/**
 * The pods of ours in one namespace, as far as they can be seen: one list, then one watch that carries it on. The list is
 * made again when the watch has lost its place (410), was cut, has said nothing for long, or has stood for five minutes, since
 * a connection can die without anybody noticing. Where no watch lasts, the lists alone go on, seconds apart. While nothing can be seen, nothing is
 * said.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { Clock } from '../../std/clock.ts';
import { ApiError, backOff, type Api } from './api.ts';
import type { Sight } from './sight.ts';
import { viewOf, type PodView } from './pod-view.ts';

export interface PodTableOptions {
  readonly api: Api;
  readonly namespace: string;
  /** A label selector. */
  readonly selector: string;
  readonly clock: Clock;
  /** Hears of each word of the cluster. */
  readonly sight: Sight;
  /** A pod came, changed, or is gone (null). */
  readonly changed: (name: string, view: PodView | null) => void;
  /** All that there is has been seen: what was not told of by now, and was there when this list began, is gone. */
  readonly listed: (begunAt: number) => void;
  readonly trouble: (error: unknown) => void;
}

export interface PodTable {
  get(name: string): PodView | undefined;
  values(): IterableIterator<PodView>;
  /** What is there is listed now, in the place of a watch that may have died. Nothing, where that is under way. */
  lookAgain(): void;
  /** Nothing is told any more. */
  close(): void;
}

interface PodList {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly V1Pod[];
}

interface WatchEvent {
  readonly type: string;
  readonly object: V1Pod & { readonly code?: number; readonly message?: string };
}

/** A list with its watch, when that is over. */
interface Round {
  /** Null: the watch ended in order. */
  readonly error: unknown;
  readonly isListed: boolean;
  /** Its watch was no short one. */
  readonly hasLasted: boolean;
}

const limits = {
  pageMax: 500,
  watchMs: 300_000,
  silenceMs: 330_000,
  /** A watch that ends sooner is a short one. */
  shortWatchMs: 5000,
  /** Of failures that count where lists are answered: they come every four seconds then, and no more is said. */
  shortWatchesMax: 4,
} as const;

export function openPodTable(options: PodTableOptions): PodTable {
  const { api, namespace, selector, clock, sight } = options;
  const pods = new Map<string, PodView>();
  const closing = new AbortController();
  /** Of the watch that stands. */
  let watching: AbortController | null = null;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;

  const take = (name: string, view: PodView | null): void => {
    if (view === null) pods.delete(name);
    else pods.set(name, view);
    options.changed(name, view);
  };
  const list = async (): Promise<string> => {
    const begunAt = clock.now();
    const found = new Map<string, PodView>();
    let [place, version] = ['', ''];
    do {
      const query = { labelSelector: selector, limit: limits.pageMax, ...(place === '' ? {} : { continue: place }) };
      const page: PodList = await api.request('GET', path, { query });
      for (const pod of page.items) {
        const view = viewOf(pod);
        if (view !== null) found.set(view.name, view);
      }
      place = page.metadata.continue ?? '';
      version = page.metadata.resourceVersion ?? '';
    } while (place !== '');
    if (closing.signal.aborted) return version;
    sight.looked(clock.now());
    for (const name of pods.keys()) if (!found.has(name)) take(name, null);
    for (const [name, view] of found) take(name, view);
    options.listed(begunAt);
    return version;
  };
  /** Until it ends: in order, or by an error. */
  const watch = async (version: string): Promise<void> => {
    const query = {
      labelSelector: selector,
      resourceVersion: version,
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: limits.watchMs / 1000,
    };
    const own = (watching = new AbortController());
    const signal = AbortSignal.any([closing.signal, own.signal, AbortSignal.timeout(limits.silenceMs)]);
    try {
      for await (const event of eventsOf(await api.stream(path, query, signal))) {
        if (closing.signal.aborted) return;
        sight.watched(clock.now());
        if (event.type === 'BOOKMARK') continue;
        if (event.type === 'ERROR')
          throw new ApiError(event.object.message ?? 'the watch ended', event.object.code ?? null, 'Watch', null);
        const view = viewOf(event.object);
        if (view !== null) take(view.name, event.type === 'DELETED' ? null : view);
      }
      sight.watched(clock.now());
    } catch (error) {
      if (!own.signal.aborted) throw error;
    } finally {
      watching = null;
    }
  };
  const see = async (): Promise<Round> => {
    let watchedAt: number | null = null;
    let error: unknown = null;
    try {
      const version = await list();
      watchedAt = clock.now();
      await watch(version);
    } catch (thrown) {
      error = thrown;
    }
    const hasLasted = watchedAt !== null && clock.now() - watchedAt >= limits.shortWatchMs;
    return { error, isListed: watchedAt !== null, hasLasted };
  };
  const run = async (): Promise<void> => {
    // Since a watch has lasted.
    let failures = 0;
    while (!closing.signal.aborted) {
      const { error, isListed, hasLasted } = await see();
      if (closing.signal.aborted) return;
      failures = hasLasted ? 1 : failures + 1;
      // The place is lost, or the watch ended while nothing was wrong: the list says all there is to know.
      const isHarmless = error === null || (error instanceof ApiError && error.status === 410);
      if (failures === 1 && isHarmless) continue;
      const counted = isListed ? Math.min(failures, limits.shortWatchesMax) : failures;
      if (failures > 1 && counted === failures)
        options.trouble(error ?? new Error('the cluster ends each watch soon after it began'));
      await backOff(counted, error, closing.signal);
    }
  };
  void run();
  return {
    get: (name) => pods.get(name),
    values: () => pods.values(),
    lookAgain: () => watching?.abort(),
    close: () => closing.abort(),
  };
}

async function* eventsOf(content: ReadableStream<Uint8Array>): AsyncGenerator<WatchEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of content) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    // The cluster's own words.
    for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent;
  }
}
