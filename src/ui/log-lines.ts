/** Lines of a log as markup. A line's number is a link to it; what it says is text, never markup. */
import { Component } from 'preact';
import type { LogLine } from '../outputs/outputs.ts';
import { parseAnsi } from './ansi.ts';
import { html, type Markup } from './html.ts';
import { lineAddress } from './run-view.ts';
import { annotationOf, type LogBlock } from './log-blocks.ts';

/** Where links of lines point: '' where the whole log stands on this page, else the address of the log's own. */
export interface LogPlace {
  readonly address: string;
  /** Of the first line: times of lines are told from here. */
  readonly startedAt: number;
  readonly lineCharactersMax: number | null;
}

interface BlockProps {
  readonly block: LogBlock;
  readonly place: LogPlace;
}

/** Drawn again only when its block is another one. */
class Block extends Component<BlockProps> {
  override shouldComponentUpdate(next: Readonly<BlockProps>): boolean {
    return next.block !== this.props.block;
  }

  override render({ block, place }: Readonly<BlockProps>): Markup {
    if (block.kind === 'lines') return html`<div class="lines">${block.lines.map((line) => lineOf(line, place))}</div>`;
    const { head, title, lines, ended, troubled } = block;
    return html`<details class="group" open=${!ended || troubled}>
      <summary>
        <span class="n" id=${idOf(head, place)}>${head.number}</span><span class="t">${title} <span class="muted">${lines.length}</span></span>
      </summary>
      <div class="lines">${lines.map((line) => lineOf(line, place))}</div>
    </details>`;
  }
}

export function logBlocks(blocks: readonly LogBlock[], place: LogPlace): Markup {
  return blocks.map((block) => html`<${Block} key=${keyOf(block)} block=${block} place=${place} />`);
}

function keyOf(block: LogBlock): string {
  return block.kind === 'group' ? `g${block.head.number}` : `l${block.lines[0]?.number ?? 0}`;
}

export function lineOf(line: LogLine, place: LogPlace, marked = false): Markup {
  return html`<div class=${lineClass(line, marked)} id=${idOf(line, place)}>
    <a
      class="n"
      href=${place.address === '' ? `#L${line.number}` : lineAddress(place.address, line.number)}
      title=${offsetText(line.at - place.startedAt)}>${line.number}</a><span class="t">${textOf(line, place.lineCharactersMax)}</span>
  </div>`;
}

function idOf(line: LogLine, place: LogPlace): string | undefined {
  return place.address === '' ? `L${line.number}` : undefined;
}

function lineClass(line: LogLine, marked: boolean): string {
  const annotation = annotationOf(line.text);
  const names = ['line', `from-${line.stream}`];
  if (annotation !== null) names.push(`is-${annotation.level}`);
  if (marked) names.push('marked');
  return names.join(' ');
}

function textOf(line: LogLine, charactersMax: number | null): Markup {
  const cut = charactersMax !== null && line.text.length > charactersMax;
  const text = cut ? line.text.slice(0, charactersMax) : line.text;
  const annotation = annotationOf(text);
  if (annotation === null) return html`${spansOf(text)}${cut ? html`<span class="muted">${' …'}</span>` : null}`;
  const { level, title, place, message } = annotation;
  return html`<strong>${title ?? levelWords[level]}:</strong>${' '}${spansOf(message)}${place === null ? null : html`<span class="muted">${` (${place})`}</span>`}`;
}

const levelWords = { error: 'Error', warning: 'Warning', notice: 'Note', debug: 'Debug' } as const;

function spansOf(text: string): Markup {
  return parseAnsi(text).map((span) =>
    span.look === '' ? span.text : html`<span class=${span.look}>${span.text}</span>`,
  );
}

/** `+12.345 s` since the log's first line. */
function offsetText(ms: number): string {
  return `+${(Math.max(0, ms) / 1000).toFixed(3)} s`;
}
