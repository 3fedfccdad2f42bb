/**
 * The log on its own page. Short ones stay as they were served and grow at their end; long ones are a window, also those
 * that grow long. The stream of the run says that there are more lines; the lines themselves are fetched by range, so
 * that none is missed.
 */
import { signal } from '@preact/signals';
import { h, render, type VNode } from 'preact';
import { html } from '../html.ts';
import { appendLines, type LogBlock } from '../log-blocks.ts';
import { logBlocks } from '../log-lines.ts';
import type { LogIslandData } from '../log-page.ts';
import { countText } from '../number-text.ts';
import { viewLimits } from '../run-view.ts';
import { fetchLines } from './log-range.ts';
import { markLines } from './line-hash.ts';
import { openWindow, type LogWindow } from './log-window.ts';
import { openStream } from './stream.ts';

const linesAtOnce = 2000;
const fetchAgainMs = 2000;

export function startLog(data: LogIslandData): void {
  const log = document.querySelector<HTMLElement>('#log');
  if (log === null) return;
  if (data.windowed) {
    const parts = document.querySelector<HTMLElement>('#log-parts');
    if (parts === null) return;
    const window = openWindow(parts, data);
    if (!data.closed) followGrowth(data, (total) => window.grow(total));
    return;
  }
  markLines(log);
  if (!data.closed) growAtEnd(log, data);
}

function growAtEnd(log: HTMLElement, data: LogIslandData): void {
  const blocks = signal<readonly LogBlock[]>([]);
  const place = { address: '', startedAt: data.startedAt, lineCharactersMax: null };
  const added = document.createElement('div');
  log.append(added);
  const App = (): VNode => h('div', null, html`${logBlocks(blocks.value, place)}`);
  render(h(App, null), added);
  let have = data.total;
  let wanted = data.total;
  let fetching = false;
  let window: LogWindow | null = null;
  const fetchAll = async (): Promise<void> => {
    while (have < wanted) {
      const page = await fetchLines(data, have + 1, Math.min(wanted, have + linesAtOnce));
      const last = page.lines.at(-1)?.number;
      if (window !== null) return;
      if (last === undefined) throw new Error('the lines are not there yet');
      if (have === 0) log.querySelector('.log-more')?.remove();
      const follow = isAtBottom();
      blocks.value = appendLines(blocks.value, page.lines);
      have = last;
      if (follow) requestAnimationFrame(() => scrollTo({ top: document.documentElement.scrollHeight }));
    }
  };
  const fetchMore = async (): Promise<void> => {
    if (fetching) return;
    fetching = true;
    const done = await fetchAll().then(
      () => true,
      () => false,
    );
    fetching = false;
    if (!done) setTimeout(() => void fetchMore(), fetchAgainMs);
  };
  followGrowth(data, (total) => {
    wanted = Math.max(wanted, total);
    if (window !== null) window.grow(wanted);
    else if (wanted > viewLimits.logPlainLines) window = becomeWindow(log, { ...data, total: wanted });
    else void fetchMore();
  });
}

/** The first line in sight stays it, or the end does. */
function becomeWindow(log: HTMLElement, data: LogIslandData): LogWindow {
  const atEnd = isAtBottom();
  const first = [...log.querySelectorAll('.line')].find((line) => line.getBoundingClientRect().bottom > 0);
  const parts = document.createElement('div');
  log.replaceWith(parts);
  const window = openWindow(parts, data);
  parts.scrollIntoView();
  window.goTo(atEnd || first === undefined ? data.total : Number(first.id.slice(1)));
  return window;
}

function isAtBottom(): boolean {
  const { scrollHeight } = document.documentElement;
  return scrollHeight > innerHeight && scrollY + innerHeight >= scrollHeight - 60;
}

/** Calls with how many lines there are, whenever that changes, until the log is closed. */
function followGrowth({ runId, step, index, attempt, total }: LogIslandData, grown: (total: number) => void): void {
  let known = total;
  const address = (): string => {
    const seen = `0/${step}/${index}/${attempt}/${known}`;
    return `/runs/${encodeURIComponent(runId)}/events?${new URLSearchParams({ step, index: String(index), attempt: String(attempt), seen })}`;
  };
  const end = (): void => {
    stream.close();
    tell('ended');
  };
  const stream = openStream(address, (source) => {
    source.addEventListener('open', () => tell('live'));
    source.addEventListener('error', () => tell('stale'));
    source.addEventListener('end', end);
    source.addEventListener('log', (event) => {
      const message = JSON.parse(event.data) as { readonly total: number; readonly closed: boolean };
      known = message.total;
      tellCount(message.total, message.closed);
      grown(message.total);
      if (message.closed) end();
    });
  });
}

function tell(state: 'live' | 'stale' | 'ended'): void {
  const element = document.querySelector('#liveness');
  if (element === null) return;
  element.className = `liveness ${state}`;
  element.textContent = { live: '● live', stale: 'not live, trying again', ended: '' }[state];
}

function tellCount(total: number, closed: boolean): void {
  const element = document.querySelector('#log-count');
  if (element !== null) element.textContent = `${countText(total, 'line')}${closed ? '' : ', still being written'}`;
}
