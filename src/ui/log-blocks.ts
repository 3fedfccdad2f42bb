/**
 * Lines of a log as blocks: runs of plain lines, and groups (`::group::title` to `::endgroup::`). Blocks are values that
 * do not change once a later one has begun, so that a page that follows a log draws only what is new. Annotations are
 * the problem-matcher commands that people know: `::error file=app.ts,line=3,title=Types::message`.
 */
import type { LogLine } from '../outputs/outputs.ts';
import { withoutAnsi } from './ansi.ts';

export type LogBlock =
  | { readonly kind: 'lines'; readonly lines: readonly LogLine[] }
  | {
      readonly kind: 'group';
      readonly head: LogLine;
      readonly title: string;
      readonly lines: readonly LogLine[];
      readonly ended: boolean;
      readonly troubled: boolean;
    };

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice' | 'debug';
  readonly title: string | null;
  /** `app.ts:3:5`. */
  readonly place: string | null;
  readonly message: string;
}

const blockLinesMax = 100;

/** `blocks` with `lines` after them; those that did not change are the same objects. */
export function appendLines(blocks: readonly LogBlock[], lines: readonly LogLine[]): readonly LogBlock[] {
  const all = [...blocks];
  let pending: LogLine[] = [];
  const flush = (): void => {
    if (pending.length === 0) return;
    const last = all.at(-1);
    const added = pending;
    pending = [];
    if (last?.kind === 'group' && !last.ended) {
      all[all.length - 1] = {
        ...last,
        lines: [...last.lines, ...added],
        troubled: last.troubled || added.some(isTrouble),
      };
    } else if (last?.kind === 'lines' && last.lines.length + added.length <= blockLinesMax) {
      all[all.length - 1] = { kind: 'lines', lines: [...last.lines, ...added] };
    } else all.push({ kind: 'lines', lines: added });
  };
  for (const line of lines) {
    const title = groupTitle(line);
    if (title !== null) {
      flush();
      endGroup(all);
      all.push({ kind: 'group', head: line, title, lines: [], ended: false, troubled: false });
    } else if (line.text.trimEnd() === '::endgroup::') {
      flush();
      endGroup(all);
    } else {
      pending.push(line);
      const last = all.at(-1);
      if (pending.length >= blockLinesMax && !(last?.kind === 'group' && !last.ended)) flush();
    }
  }
  flush();
  return all;
}

function endGroup(blocks: LogBlock[]): void {
  const last = blocks.at(-1);
  if (last?.kind === 'group' && !last.ended) blocks[blocks.length - 1] = { ...last, ended: true };
}

function isTrouble(line: LogLine): boolean {
  return line.text.startsWith('::error');
}

/** The title where the line opens a group. */
function groupTitle(line: LogLine): string | null {
  return line.text.startsWith('::group::') ? withoutAnsi(line.text.slice('::group::'.length)).trim() || 'Group' : null;
}

/** Null where the line is none. */
export function annotationOf(text: string): Annotation | null {
  const match = /^::(error|warning|notice|debug)(?: ([^\n]*?))?::(.*)$/s.exec(text);
  if (match === null) return null;
  const [, level, fields = '', message = ''] = match;
  const properties = new Map(
    fields.split(',').flatMap((field) => {
      const at = field.indexOf('=');
      return at < 0 ? [] : [[field.slice(0, at).trim(), decode(field.slice(at + 1))] as const];
    }),
  );
  const place = ['file', 'line', 'col'].flatMap((name) => properties.get(name) ?? []).join(':');
  return {
    level: level === 'error' || level === 'warning' || level === 'debug' ? level : 'notice',
    title: properties.get('title') ?? null,
    place: properties.has('file') ? withoutAnsi(place) : null,
    message: decode(message),
  };
}

/** The commands' own escapes, of the characters that would end a property. */
function decode(text: string): string {
  return text
    .replaceAll('%0D', '')
    .replaceAll('%0A', ' ')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');
}

/** The line at which a reader of a failed attempt wants to be: the first annotated error, else the last that sounds like one. */
export function firstErrorLine(lines: readonly LogLine[]): LogLine | null {
  const annotated = lines.find((line) => line.stream !== 'contender' && isTrouble(line));
  if (annotated !== undefined) return annotated;
  const sounding = lines.findLast((line) =>
    /\b(?:[A-Z]\w*)?(?:Error|Exception)\b|\berror:|^fatal\b|\bFAILED\b/.test(withoutAnsi(line.text)),
  );
  return sounding ?? lines.findLast((line) => line.stream === 'err') ?? lines.at(-1) ?? null;
}
