/**
 * What a log says of places in files: tracebacks of Python, stacks of Node, what compilers and test runners print before
 * a colon, and the command `::error file=train.py,line=12::message`. A line is looked at from its beginning alone, and
 * once. What it calls a warning or less is no failure.
 */
import { stripVTControlCharacters } from 'node:util';
import type { LogLine } from '../../outputs/outputs.ts';
import { readLogCommand } from '../../std/log-command.ts';
import { unreachable } from '../../std/unreachable.ts';

export interface NamedPlace {
  /** As the program wrote it. */
  readonly path: string;
  readonly line: number;
  /** 1 where it is not said. */
  readonly column: number;
  /** The line that says what went wrong there. */
  readonly message: string;
}

/** Characters that are looked at. */
const lineMax = 1000;
/** Lines between a place and what is said of it. */
const nearMax = 50;

/** In the order of the lines, those of each stream by themselves, since two that come at once are mixed. */
export function namedPlaces(lines: readonly LogLine[]): readonly NamedPlace[] {
  return (['out', 'err'] as const).flatMap((stream) => {
    const texts = lines.flatMap((line) => (line.stream === stream ? [plain(line.text)] : []));
    return texts.flatMap((text, at) => {
      const found = placeIn(text);
      const message = found?.message ?? (found === null ? null : said(found.by, texts, at));
      return found === null || message === null ? [] : [placeOf(found, message)];
    });
  });
}

interface Found {
  readonly path: string;
  readonly line: string;
  readonly column: string;
  readonly by: 'traceback' | 'stack' | 'line';
  /** Null: other lines say it. */
  readonly message: string | null;
}

function placeOf({ path, line, column }: Found, message: string): NamedPlace {
  return { path, line: Number(line), column: Math.max(1, Number(column)), message: message.trim() };
}

/** Without colours, and what torchrun writes before the lines of each process. */
function plain(text: string): string {
  return stripVTControlCharacters(text.slice(0, lineMax)).replace(/^\[rank\d+\]: ?/, '');
}

function placeIn(text: string): Found | null {
  return commandIn(text) ?? tracebackIn(text) ?? stackIn(text) ?? beginningIn(text);
}

function commandIn(text: string): Found | null {
  const command = readLogCommand(text);
  if (command?.level !== 'error') return null;
  const { properties, message } = command;
  const [path, line] = [properties.get('file'), properties.get('line')];
  if (path === undefined || line === undefined) return null;
  return { path, line, column: properties.get('col') ?? '', by: 'line', message };
}

function tracebackIn(text: string): Found | null {
  const [, path, line] = /^\s*File "([^"]+)", line (\d+)/.exec(text) ?? [];
  if (path === undefined || line === undefined) return null;
  return { path, line, column: '', by: 'traceback', message: null };
}

function stackIn(text: string): Found | null {
  if (!isFrame(text)) return null;
  const end = /:(\d+):(\d+)\)?$/.exec(text);
  if (end === null) return null;
  const before = text.slice(0, end.index);
  const path = before.slice(before.lastIndexOf('(') + 1).replace(/^\s+at (?:async )?/, '');
  return { path, line: end[1] ?? '', column: end[2] ?? '', by: 'stack', message: null };
}

/** `src/x.ts:12:5 - error`, `src/x.ts(12,5): error`, `x.py:12: ValueError`; and a line with nothing else, as Node begins. */
function beginningIn(text: string): Found | null {
  const match =
    /^(?:\s*-->)?\s*(?:error:? )?((?:file:\/\/)?[\w./@+~%-]*\.\w+)(?::(\d+)(?::(\d+))?|\((\d+)(?:,(\d+))?\))(?!\w)[\s:-]*(.*)$/i.exec(
      text,
    );
  if (match === null) return null;
  const [, path = '', line = match[4] ?? '', column = match[5] ?? '', , , message = ''] = match;
  const found = { path, line, column, by: 'line' as const };
  if (message === '') return { ...found, message: null };
  const isFailure = /^\W*(?:\w*warning|warn|info|note|notice|debug)\b/i.test(message)
    ? false
    : column !== '' || soundsWrong.test(message);
  return isFailure ? { ...found, message } : null;
}

const soundsWrong = /\b(?:\w*(?:Error|Exception)|error|fatal|panic|fail(?:ed|ure)?)\b/;
const beginsError = /^\W*(?:Uncaught )?[\w.]*(?:Error|Exception)\b/;

/** What others of the lines say of it. */
function said(by: Found['by'], texts: readonly string[], at: number): string | null {
  switch (by) {
    case 'traceback':
      return texts.slice(at + 1, at + nearMax).find((text) => /^\S/.test(text)) ?? null;
    case 'stack':
      return headOfStack(texts.slice(Math.max(0, at - nearMax), at).toReversed());
    case 'line':
      return texts.slice(at + 1, at + 10).find((text) => beginsError.test(text)) ?? null;
    default:
      return unreachable(by);
  }
}

/** Of a message of several lines the first, where it says what kind of error it is. */
function headOfStack(above: readonly string[]): string | null {
  const from = above.findIndex((text) => !isFrame(text));
  if (from < 0) return null;
  const rest = above.slice(from);
  const to = rest.findIndex(isFrame);
  const head = to < 0 ? rest : rest.slice(0, to);
  return head.find((text) => beginsError.test(text)) ?? head.find((text) => text.trim() !== '') ?? null;
}

function isFrame(text: string): boolean {
  return /^\s+at \S/.test(text);
}
