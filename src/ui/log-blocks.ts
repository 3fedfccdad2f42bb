/**
 * Lines of a log as blocks: runs of plain lines, and groups (`::group::title` to `::endgroup::`). Blocks are values that
 * do not change once a later one has begun, so that a page that follows a log draws only what is new. Annotations are
 * the problem-matcher commands that people know: `::error file=app.ts,line=3,title=Types::message`.
 */
import type { LogLine } from '../outputs/outputs.ts';
import { readLogCommand, type LogCommand } from '../std/log-command.ts';
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
  readonly level: LogCommand['level'];
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
  const command = readLogCommand(text);
  if (command === null) return null;
  const { level, properties, message } = command;
  const place = ['file', 'line', 'col'].flatMap((name) => properties.get(name) ?? []).join(':');
  return {
    level,
    title: properties.get('title') ?? null,
    place: properties.has('file') ? withoutAnsi(place) : null,
    message,
  };
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
