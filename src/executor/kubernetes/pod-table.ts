/**
 * The pods of ours in one namespace, as far as they can be seen: one list, then one watch that carries it on. The list is
 * made again when the watch has lost its place (410), was cut, or has stood for five minutes, since a connection can die
 * without anybody noticing. While nothing can be seen, nothing is said.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { Clock } from '../../std/clock.ts';
import { ApiError, backOff, type Api } from './api.ts';
import { viewOf, type PodView } from './pod-view.ts';

export interface PodTableOptions {
  readonly api: Api;
  readonly namespace: string;
  /** A label selector. */
  readonly selector: string;
  readonly clock: Clock;
  /** A pod came, changed, or is gone (null). */
  readonly changed: (name: string, view: PodView | null) => void;
  /** All that there is has been seen: what was not told of by now, and was there when this list began, is gone. */
  readonly listed: (begunAt: number) => void;
  readonly trouble: (error: unknown) => void;
}

export interface PodTable {
  get(name: string): PodView | undefined;
  values(): IterableIterator<PodView>;
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

const limits = { pageMax: 500, watchMs: 300_000, silenceMs: 330_000 } as const;

export function openPodTable(options: PodTableOptions): PodTable {
  const { api, namespace, selector, clock } = options;
  const pods = new Map<string, PodView>();
  const closing = new AbortController();
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
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(limits.silenceMs)]);
    for await (const event of eventsOf(await api.stream(path, query, signal))) {
      if (closing.signal.aborted) return;
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'ERROR')
        throw new ApiError(event.object.message ?? 'the watch ended', event.object.code ?? null, 'Watch', null);
      const view = viewOf(event.object);
      if (view !== null) take(view.name, event.type === 'DELETED' ? null : view);
    }
  };
  const run = async (): Promise<void> => {
    let failures = 0;
    while (!closing.signal.aborted) {
      try {
        const version = await list();
        failures = 0;
        await watch(version);
      } catch (error) {
        if (closing.signal.aborted) return;
        // The place is lost, or the line was cut while nothing was wrong: the list says all there is to know.
        if (failures === 0 && error instanceof ApiError && error.status === 410) continue;
        failures += 1;
        if (failures > 1) options.trouble(error);
        await backOff(failures, error, closing.signal);
      }
    }
  };
  void run();
  return {
    get: (name) => pods.get(name),
    values: () => pods.values(),
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
