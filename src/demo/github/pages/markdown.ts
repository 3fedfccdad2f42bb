/**
 * As much of GitHub's Markdown as reports and people's comments use: headings, paragraphs, lists, tables, quotations,
 * fenced code, details, emphasis, code, links. Everything else is shown as the text that it is. No markup of the source
 * survives but a short list of tags without attributes. What may scroll sideways can be reached with the keyboard.
 */
import { escapeHtml } from './html.ts';
import { renderInline } from './markdown-inline.ts';

/** `file`: a line break in the source is none in the text, as in a README; in a comment it is one. */
export function renderMarkdown(source: string, kind: 'comment' | 'file' = 'comment'): string {
  const lines = source
    .replaceAll('\r\n', '\n')
    .replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '')
    .split('\n');
  const html = blocks(lines, 0);
  return kind === 'file' ? html.replaceAll('<br>\n', '\n') : html;
}

const depthMax = 8;

interface Taken {
  readonly html: string;
  /** How many lines were used. */
  readonly lines: number;
}

type BlockReader = (lines: readonly string[], at: number, depth: number) => Taken | null;

const readers: readonly BlockReader[] = [blank, fence, heading, rule, details, quotation, table, list, paragraph];

function blocks(lines: readonly string[], depth: number): string {
  let result = '';
  let at = 0;
  while (at < lines.length) {
    const start = at;
    for (const read of readers) {
      const taken = read(lines, at, depth);
      if (taken === null) continue;
      result += taken.html;
      at += Math.max(1, taken.lines);
      break;
    }
    if (at === start) at += 1;
  }
  return result;
}

function blank(lines: readonly string[], at: number): Taken | null {
  return lines[at]?.trim() === '' ? { html: '', lines: 1 } : null;
}

function fence(lines: readonly string[], at: number): Taken | null {
  const [, mark = '', language = ''] = /^ {0,3}(`{3,}|~{3,})\s*([\w-]*)[^`]*$/.exec(lines[at] ?? '') ?? [];
  if (mark === '') return null;
  const end = lines.findIndex(
    (line, index) => index > at && line.trim().startsWith(mark) && line.trim().replaceAll(mark[0] ?? '', '') === '',
  );
  const inside = lines.slice(at + 1, end < 0 ? lines.length : end).join('\n');
  const name = language === '' ? '' : ` class="language-${escapeHtml(language)}"`;
  return {
    html: `<pre tabindex="0"><code${name}>${escapeHtml(inside)}\n</code></pre>\n`,
    lines: (end < 0 ? lines.length : end + 1) - at,
  };
}

function heading(lines: readonly string[], at: number): Taken | null {
  const [, marks = '', text = ''] = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/.exec(lines[at] ?? '') ?? [];
  if (marks === '') return null;
  return { html: `<h${marks.length}>${renderInline(text)}</h${marks.length}>\n`, lines: 1 };
}

function rule(lines: readonly string[], at: number): Taken | null {
  return /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/.test(lines[at] ?? '')
    ? { html: '<hr>\n', lines: 1 }
    : null;
}

/** `<details>` and `<summary>` on lines of their own; what stands between is Markdown again. */
function details(lines: readonly string[], at: number, depth: number): Taken | null {
  if (depth >= depthMax || !/^<details( open)?>/i.test(lines[at] ?? '')) return null;
  let open = 0;
  let end = at;
  for (; end < lines.length; end += 1) {
    open += (lines[end]?.match(/<details( open)?>/gi) ?? []).length - (lines[end]?.match(/<\/details>/gi) ?? []).length;
    if (open <= 0) break;
  }
  const whole = lines.slice(at, end + 1).join('\n');
  const inside = whole.replace(/^<details(?: open)?>/i, '').replace(/<\/details>\s*$/i, '');
  const [, summary = 'Details'] = /<summary>([\s\S]*?)<\/summary>/i.exec(inside) ?? [];
  const rest = inside.replace(/<summary>[\s\S]*?<\/summary>/i, '');
  const attribute = /^<details open>/i.test(whole) ? ' open' : '';
  return {
    html: `<details${attribute}><summary>${renderInline(summary.trim())}</summary>\n${blocks(rest.split('\n'), depth + 1)}</details>\n`,
    lines: end - at + 1,
  };
}

function quotation(lines: readonly string[], at: number, depth: number): Taken | null {
  const count = countWhile(lines, at, (line) => /^ {0,3}>/.test(line));
  if (count === 0 || depth >= depthMax) return null;
  const inside = lines.slice(at, at + count).map((line) => line.replace(/^ {0,3}> ?/, ''));
  return { html: `<blockquote>\n${blocks(inside, depth + 1)}</blockquote>\n`, lines: count };
}

function table(lines: readonly string[], at: number): Taken | null {
  const header = cells(lines[at] ?? '');
  const marks = cells(lines[at + 1] ?? '');
  if (
    !(lines[at] ?? '').includes('|') ||
    header.length !== marks.length ||
    !marks.every((mark) => /^:?-+:?$/.test(mark))
  )
    return null;
  const align = marks.map((mark) => (mark.endsWith(':') ? (mark.startsWith(':') ? 'center' : 'right') : 'left'));
  const count = countWhile(lines, at + 2, (line) => line.includes('|') && line.trim() !== '');
  const row = (values: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${align.map((side, index) => `<${tag} class="${side}">${renderInline(values[index] ?? '')}</${tag}>`).join('')}</tr>\n`;
  const body = lines.slice(at + 2, at + 2 + count).map((line) => row(cells(line), 'td'));
  return {
    html: `<table tabindex="0">\n<thead>${row(header, 'th')}</thead>\n<tbody>${body.join('')}</tbody>\n</table>\n`,
    lines: count + 2,
  };
}

/** `\|` is a bar inside a cell. */
function cells(line: string): readonly string[] {
  return line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

const itemStart = /^( {0,3})([-*+]|\d{1,9}[.)])(?:\s+|$)/;

function list(lines: readonly string[], at: number, depth: number): Taken | null {
  const first = itemStart.exec(lines[at] ?? '');
  if (first === null || depth >= depthMax) return null;
  const ordered = /\d/.test(first[2] ?? '');
  const items: string[] = [];
  let next = at;
  while (next < lines.length) {
    const start = itemStart.exec(lines[next] ?? '');
    if (start === null || /\d/.test(start[2] ?? '') !== ordered) break;
    const indent = start[0].length;
    const more = countWhile(lines, next + 1, (line) => /^\s+\S/.test(line) && line.search(/\S/) >= Math.min(indent, 2));
    const inside = [
      (lines[next] ?? '').slice(indent),
      ...lines.slice(next + 1, next + 1 + more).map((line) => line.replace(new RegExp(`^ {1,${indent}}`), '')),
    ];
    items.push(`<li>${itemContent(inside, depth)}</li>\n`);
    next += 1 + more;
  }
  const tag = ordered ? 'ol' : 'ul';
  return { html: `<${tag}>\n${items.join('')}</${tag}>\n`, lines: next - at };
}

function itemContent(lines: readonly string[], depth: number): string {
  const [task, checked] = /^\[([ xX])\]\s+/.exec(lines[0] ?? '') ?? [];
  const rest = task === undefined ? lines : [(lines[0] ?? '').slice(task.length), ...lines.slice(1)];
  const box = task === undefined ? '' : `<input type="checkbox" disabled${checked === ' ' ? '' : ' checked'}> `;
  const content = blocks(rest, depth + 1);
  // An item of one paragraph has no space around it.
  const [, only] = /^<p>((?:(?!<p>)[\s\S])*)<\/p>\n([\s\S]*)$/.exec(content) ?? [];
  return box + (only === undefined ? content : content.replace(/^<p>/, '').replace('</p>', '')).trimEnd();
}

function paragraph(lines: readonly string[], at: number, depth: number): Taken | null {
  const interrupts = (index: number): boolean =>
    [blank, fence, heading, rule, details, quotation, list].some((read) => read(lines, index, depth) !== null);
  let end = at + 1;
  while (end < lines.length && !interrupts(end) && table(lines, end) === null) end += 1;
  const text = lines
    .slice(at, end)
    .map((line) => line.trim())
    .join('\n');
  return { html: `<p>${renderInline(text)}</p>\n`, lines: end - at };
}

function countWhile(lines: readonly string[], from: number, holds: (line: string) => boolean): number {
  const end = lines.findIndex((line, index) => index >= from && !holds(line));
  return (end < 0 ? lines.length : end) - from;
}
