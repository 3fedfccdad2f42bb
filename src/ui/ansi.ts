/**
 * Reads terminal colours out of a line of a log. An allow-list: of all sequences only SGR (`ESC [ … m`) is understood,
 * and of it only colours and weights; every other sequence, control character and invisible direction mark is dropped,
 * hyperlinks included. Of a line that was drawn over with carriage returns, the last drawing is kept.
 */
import { lastDrawn } from '../std/text.ts';

export interface Span {
  readonly text: string;
  /** Class names of `style.css`, or ''. */
  readonly look: string;
}

interface Look {
  bold: boolean;
  faint: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  ink: number | null;
  paper: number | null;
}

const escape = '\u001b';
const bell = '\u0007';
/** SGR; other CSI; OSC, DCS, PM, APC and SOS up to their end; any other escape of two characters. */
const sequences = new RegExp(
  [
    `(?:${escape}\\[|\u009b)(?<sgr>[0-9;:]*)m`,
    `(?:${escape}\\[|\u009b)[0-?]*[ -/]*[@-~]?`,
    `(?:${escape}[\\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^${bell}${escape}\u009c]*(?:${bell}|${escape}\\\\|\u009c)?`,
    `${escape}[ -/]*[0-~]?`,
  ].join('|'),
  'gu',
);
/** C0 but the tab, C1, marks of direction, line and paragraph separators, other invisible ones. */
const invisible =
  // Control characters are what it is for.
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/** The spans of one line; colours do not reach over its end. */
export function parseAnsi(line: string): readonly Span[] {
  const drawn = lastDrawn(line);
  const look = plain();
  const spans: Span[] = [];
  let from = 0;
  for (const match of drawn.matchAll(sequences)) {
    push(spans, drawn.slice(from, match.index), look);
    const parameters = match.groups?.['sgr'];
    if (parameters !== undefined) apply(look, parameters);
    from = match.index + match[0].length;
  }
  push(spans, drawn.slice(from), look);
  return spans;
}

/** Most lines have nothing of it, and searches read millions of them. */
const special =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u;

/** The text alone. */
export function withoutAnsi(line: string): string {
  return special.test(line) ? lastDrawn(line).replace(sequences, '').replace(invisible, '') : line;
}

function push(spans: Span[], text: string, look: Look): void {
  const shown = text.replace(invisible, '');
  if (shown === '') return;
  const name = lookName(look);
  const last = spans.at(-1);
  if (last !== undefined && last.look === name) spans[spans.length - 1] = { text: last.text + shown, look: name };
  else spans.push({ text: shown, look: name });
}

function plain(): Look {
  return { bold: false, faint: false, italic: false, underline: false, inverse: false, ink: null, paper: null };
}

function lookName(look: Look): string {
  const [ink, paper] = look.inverse ? [look.paper ?? -1, look.ink ?? -1] : [look.ink, look.paper];
  return [
    look.bold ? 'a-bold' : '',
    look.faint ? 'a-faint' : '',
    look.italic ? 'a-italic' : '',
    look.underline ? 'a-underline' : '',
    // On a coloured ground the ink is the page's darkest or lightest: any pair of the sixteen could be unreadable.
    paper !== null ? `a-paper a-paper-${paper < 0 ? 'plain' : paper}` : ink !== null && ink >= 0 ? `a-ink-${ink}` : '',
  ]
    .filter((name) => name !== '')
    .join(' ');
}

function apply(look: Look, parameters: string): void {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const { colour, used } = extended(codes.slice(at + 1));
      if (code === 38) look.ink = colour;
      else look.paper = colour;
      at += used;
    } else applyCode(look, code);
  }
}

function applyCode(look: Look, code: number): void {
  if (code === 0) Object.assign(look, plain());
  else if (code === 1) look.bold = true;
  else if (code === 2) look.faint = true;
  else if (code === 3) look.italic = true;
  else if (code === 4) look.underline = true;
  else if (code === 7) look.inverse = true;
  else if (code === 22) [look.bold, look.faint] = [false, false];
  else if (code === 23) look.italic = false;
  else if (code === 24) look.underline = false;
  else if (code === 27) look.inverse = false;
  else if (code >= 30 && code <= 37) look.ink = code - 30;
  else if (code === 39) look.ink = null;
  else if (code >= 40 && code <= 47) look.paper = code - 40;
  else if (code === 49) look.paper = null;
  else if (code >= 90 && code <= 97) look.ink = code - 82;
  else if (code >= 100 && code <= 107) look.paper = code - 92;
}

/** `5;n` and `2;r;g;b` as the nearest of the sixteen colours, which are readable in both themes. */
function extended(codes: readonly number[]): { readonly colour: number | null; readonly used: number } {
  const [kind, first = 0, second = 0, third = 0] = codes;
  if (kind === 2) return { colour: nearest(first, second, third), used: 4 };
  if (kind !== 5) return { colour: null, used: codes.length };
  if (first < 16) return { colour: first, used: 2 };
  if (first >= 232) return { colour: first < 238 ? 0 : first < 244 ? 8 : first < 250 ? 7 : 15, used: 2 };
  const cube = first - 16;
  const level = (value: number): number => Math.round((value / 5) * 255);
  return { colour: nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)), used: 2 };
}

function nearest(red: number, green: number, blue: number): number {
  const strongest = Math.max(red, green, blue);
  if (strongest < 64) return 0;
  if (strongest - Math.min(red, green, blue) < 40) return strongest > 200 ? 15 : strongest > 128 ? 7 : 8;
  const on = (value: number): boolean => value > strongest * 0.6;
  const base = (on(red) ? 1 : 0) + (on(green) ? 2 : 0) + (on(blue) ? 4 : 0);
  return strongest > 200 ? base + 8 : base;
}
