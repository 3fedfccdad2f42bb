/** The page of a run, live: takes the served markup over and draws again what the stream of events says. */
import { computed, effect, signal } from '@preact/signals';
import { Fragment, h, hydrate, type VNode } from 'preact';
import { appendLines } from '../log-blocks.ts';
import { applyChange, type RunChange } from '../run-change.ts';
import { runPage, runTitle, type Liveness } from '../run-page.ts';
import type { LogTail, RunView, Selection } from '../run-view.ts';
import type { Visitor } from '../visitor.ts';
import type { ShownLog } from '../step-panel.ts';
import { serverNow, setServerTime, tick, watch } from './clock.ts';
import { followLogs } from './log-marks.ts';
import { openStream } from './stream.ts';

interface RunData {
  readonly view: RunView;
  readonly tail: LogTail | null;
  readonly selection: Selection;
  readonly settled: boolean;
  readonly visitor: Visitor;
}

/** Lines that stay on the page; the whole log has a page of its own. */
const linesMax = 2000;
/** Without any word for this long, what is seen is not live. */
const silenceMs = 12_000;

export function startRun(root: HTMLElement, data: RunData): void {
  setServerTime(data.view.now);
  const view = signal(data.view);
  const log = signal<ShownLog | null>(
    data.tail === null ? null : { tail: data.tail, blocks: appendLines([], data.tail.lines) },
  );
  const liveness = signal<Liveness>({ kind: 'still' });
  // The first drawing must be what was served.
  const chosen = watch.peek();
  watch.value = { now: data.view.now, zone: 'utc' };
  const App = (): VNode =>
    h(
      Fragment,
      null,
      runPage({
        view: view.value,
        log: log.value,
        liveness: liveness.value,
        watch: watch.value,
        visitor: data.visitor,
      }),
    );
  hydrate(h(App, null), root);
  watch.value = { now: serverNow(), zone: chosen.zone };
  const finished = computed(() => view.value.head.finishedAt !== null);
  effect(() => {
    document.title = `${runTitle(view.value)} · Contender`;
  });
  effect(() => {
    if (log.value !== null) followLogs(root);
  });
  // While it runs, bars grow; later only what was how long ago changes.
  effect(() => {
    const timer = setInterval(tick, finished.value ? 20_000 : 1000);
    return () => clearInterval(timer);
  });
  if (data.settled) liveness.value = { kind: 'ended' };
  else follow(data, view, log, liveness);
}

interface Box<T> {
  value: T;
}

interface LogMessage extends LogTail {
  readonly reset: boolean;
}

function follow(data: RunData, view: Box<RunView>, log: Box<ShownLog | null>, liveness: Box<Liveness>): void {
  let seenAt = serverNow();
  const show = (next: RunView): void => {
    view.value = next;
    setServerTime(next.now);
    tick();
  };
  const lost = (): void => {
    if (liveness.value.kind !== 'stale') liveness.value = { kind: 'stale', since: seenAt };
  };
  const take: Readonly<Record<string, (message: unknown) => void>> = {
    view: (message) => show({ ...(message as RunView), graph: view.value.graph }),
    change: (message) => show(applyChange(view.value, message as RunChange)),
    log: (message) => {
      log.value = withLines(log.value, message as LogMessage);
    },
    end() {
      stream.close();
      clearInterval(timer);
      liveness.value = { kind: 'ended' };
    },
  };
  const stream = openStream(
    () => streamAddress(data, view.value, log.value),
    (source) => {
      for (const [name, receive] of Object.entries(take)) {
        source.addEventListener(name, (event) => {
          seenAt = serverNow();
          if (liveness.value.kind !== 'live') liveness.value = { kind: 'live' };
          if (event instanceof MessageEvent && typeof event.data === 'string') receive(JSON.parse(event.data));
        });
      }
      source.addEventListener('error', lost);
    },
  );
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible' && serverNow() - seenAt > silenceMs) lost();
  }, 2000);
}

function streamAddress({ selection }: RunData, view: RunView, log: ShownLog | null): string {
  const query = new URLSearchParams();
  if (selection.step !== null) query.set('step', selection.step);
  if (selection.index !== null) query.set('index', String(selection.index));
  if (selection.attempt !== null) query.set('attempt', String(selection.attempt));
  if (log !== null) query.set('seen', `${view.position}/${log.tail.key}/${log.tail.lines.at(-1)?.number ?? 0}`);
  return `/runs/${encodeURIComponent(view.head.id)}/events?${query}`;
}

function withLines(shown: ShownLog | null, message: LogMessage): ShownLog {
  const { reset, ...tail } = message;
  const { lines } = tail;
  if (reset || shown === null || shown.tail.key !== tail.key) return { tail, blocks: appendLines([], lines) };
  const last = shown.tail.lines.at(-1)?.number ?? 0;
  const added = lines.filter((line) => line.number > last);
  const all = [...shown.tail.lines, ...added];
  if (all.length <= linesMax) return { tail: { ...tail, lines: all }, blocks: appendLines(shown.blocks, added) };
  const kept = all.slice(-linesMax / 2);
  return { tail: { ...tail, lines: kept }, blocks: appendLines([], kept) };
}
