/**
 * A window over a log of any length: lines of one height, fetched by range, drawn where the reader looks. Browsers draw
 * no element above some 17 to 33 million pixels, so beyond `heightMax` the scroll bar stands for the log in proportion,
 * and the wheel still moves by lines.
 */
import { signal, type Signal } from '@preact/signals';
import { Fragment, h, render, type VNode } from 'preact';
import type { LogLine } from '../../outputs/outputs.ts';
import { html } from '../html.ts';
import { lineOf } from '../log-lines.ts';
import type { LogIslandData } from '../log-page.ts';
import { onLineHash, rangeClicks, type LineRange } from './line-hash.ts';
import { fetchLines } from './log-range.ts';

const lineHeight = 20;
const heightMax = 15_000_000;
const partLines = 500;
const partsKeptMax = 60;
const overscan = 20;
const askAgainMs = 2000;

export interface LogWindow {
  grow(total: number): void;
  /** Has that line as the first in sight, as far as there are lines below it. */
  goTo(line: number): void;
}

/** Lines by parts of 500, each asked for by one request at a time, the oldest forgotten. */
class Parts {
  readonly #data: LogIslandData;
  readonly #parts = new Map<number, readonly LogLine[]>();
  readonly #asked = new Set<number>();
  /** Changes when lines have come, or can be asked for again. */
  readonly version: Signal<number> = signal(0);

  constructor(data: LogIslandData) {
    this.#data = data;
  }

  /** Of a log that grows, the part that is there may end before it. */
  line(number: number): LogLine | null {
    const part = Math.floor((number - 1) / partLines);
    const line = this.#parts.get(part)?.[(number - 1) % partLines] ?? null;
    if (line === null && !this.#asked.has(part)) void this.#ask(part);
    return line;
  }

  async #ask(part: number): Promise<void> {
    this.#asked.add(part);
    const more = await this.#fetch(part).catch(() => false);
    const again = (): void => {
      this.#asked.delete(part);
      this.version.value += 1;
    };
    if (more) again();
    else setTimeout(again, askAgainMs);
  }

  /** Whether there are more lines of it than there were. */
  async #fetch(part: number): Promise<boolean> {
    const { lines } = await fetchLines(this.#data, part * partLines + 1, (part + 1) * partLines);
    const more = lines.length > (this.#parts.get(part)?.length ?? 0);
    this.#parts.delete(part);
    this.#parts.set(part, lines);
    const [oldest] = this.#parts.keys();
    if (this.#parts.size > partsKeptMax && oldest !== undefined) this.#parts.delete(oldest);
    return more;
  }
}

export function openWindow(place: HTMLElement, data: LogIslandData): LogWindow {
  const box = document.createElement('div');
  const [spacer, sheet] = [document.createElement('div'), document.createElement('div')];
  box.className = 'log window';
  box.tabIndex = 0;
  box.setAttribute('role', 'region');
  box.setAttribute('aria-label', 'Log');
  spacer.className = 'spacer';
  sheet.className = 'sheet';
  box.append(spacer, sheet);
  place.replaceChildren(box);

  const parts = new Parts(data);
  const total = signal(data.total);
  /** First line in sight, from 0; not a whole number while scrolling. */
  const top = signal(0);
  const marked = signal<LineRange | null>(null);
  const rows = (): number => Math.ceil(box.clientHeight / lineHeight);
  const topMax = (): number => Math.max(0, total.value - box.clientHeight / lineHeight + 1);
  const height = (): number => Math.min(heightMax, (total.value + 1) * lineHeight);
  const scrollMax = (): number => Math.max(1, height() - box.clientHeight);
  const resize = (): void => {
    spacer.style.height = `${height()}px`;
  };
  const goTo = (line: number): void => {
    top.value = Math.min(topMax(), Math.max(0, line));
    box.scrollTop = (top.value / Math.max(1, topMax())) * scrollMax();
  };

  const Sheet = (): VNode => {
    void parts.version.value;
    const first = Math.max(1, Math.floor(top.value) + 1 - overscan);
    const last = Math.min(total.value, Math.floor(top.value) + rows() + overscan);
    const lines = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
    sheet.style.transform = `translateY(${box.scrollTop - (top.value - (first - 1)) * lineHeight}px)`;
    return h(
      Fragment,
      null,
      html`<div class="lines">${lines.map((number) => rowOf(number, parts.line(number), data, marked.value))}</div>`,
    );
  };

  box.addEventListener('scroll', () => {
    top.value = (box.scrollTop / scrollMax()) * topMax();
  });
  box.addEventListener(
    'wheel',
    (event) => {
      // In proportion, one notch would pass thousands of lines.
      if ((total.value + 1) * lineHeight <= heightMax || event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      goTo(top.value + event.deltaY / lineHeight);
    },
    { passive: false },
  );
  addEventListener('resize', () => goTo(top.value));
  rangeClicks(box);
  resize();
  render(h(Sheet, null), sheet);
  onLineHash((range) => {
    marked.value = range;
    if (range !== null && !isInSight(range.from, top.value, rows())) goTo(range.from - 1 - rows() / 3);
  });

  return {
    goTo: (line) => goTo(line - 1),
    grow(now) {
      const follow = top.value >= topMax() - 3;
      total.value = now;
      resize();
      if (follow) goTo(topMax());
    },
  };
}

function isInSight(line: number, top: number, rows: number): boolean {
  return line > top && line < top + rows;
}

function rowOf(number: number, line: LogLine | null, data: LogIslandData, marked: LineRange | null): unknown {
  const isMarked = marked !== null && number >= marked.from && number <= marked.to;
  const place = { address: '', startedAt: data.startedAt, lineCharactersMax: 4000 };
  const shown = line ?? { number, at: data.startedAt, stream: 'out' as const, text: '' };
  return html`<div class="row" key=${number}>${lineOf(shown, place, isMarked)}</div>`;
}
