/**
 * The one encoder for text that came from users, logs or files on its way into Markdown. What GitHub does to text
 * decides the means: mentions, issue references and links are found in the *rendered* text, where an entity is already
 * decoded, so they are broken with a zero-width space; whatever builds structure (tables, emphasis, HTML, code) is found
 * in the source, so it becomes a numeric entity, which no Markdown reader takes for structure.
 */
import { lastDrawn } from '../std/text.ts';

export const textLimits = {
  /** Visible characters of one table cell or list entry. */
  cellCharactersMax: 200,
  sentenceCharactersMax: 1000,
  codeLinesMax: 40,
  codeCharactersMax: 6000,
  /** What is looked at of a text at all, in UTF-16 units. */
  inputUnitsMax: 256 * 1024,
} as const;

/** Between the characters of what must not be recognised. */
const zeroWidth = '\u200b';
const escapeByte = String.fromCharCode(27);
const bell = String.fromCharCode(7);
/** CSI sequences, OSC sequences (titles, hyperlinks) up to their end, and any other escape of two characters. */
const ansi = new RegExp(
  `(?:${escapeByte}\\[|\u009b)[0-?]*[ -/]*[@-~]?|${escapeByte}\\][^${bell}${escapeByte}\\n]*(?:${bell}|${escapeByte}\\\\)?|${escapeByte}.?`,
  'gu',
);

/** Control, bidirectional, invisible and tag characters, and halves of surrogate pairs. Line feed and tab stay. */
function isInvisible(code: number): boolean {
  if (code < 0x20) return code !== 0x0a && code !== 0x09;
  if (code < 0x7f) return false;
  if (code <= 0x9f) return true;
  return (
    code === 0xad ||
    code === 0x034f ||
    code === 0x061c ||
    code === 0x115f ||
    code === 0x1160 ||
    code === 0x17b4 ||
    code === 0x17b5 ||
    code === 0x180e ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0x3164 ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff ||
    code === 0xffa0 ||
    (code >= 0xfff0 && code <= 0xfffb) ||
    (code >= 0xe0000 && code <= 0xe0fff)
  );
}

/** `text` without ANSI, control, bidirectional and invisible characters; of a redrawn line, what was drawn last. */
export function plainLines(text: string): string {
  const whole = text.slice(0, textLimits.inputUnitsMax).replace(ansi, '').replaceAll('\r\n', '\n');
  let plain = '';
  for (const character of whole.split('\n').map(lastDrawn).join('\n')) {
    if (!isInvisible(character.codePointAt(0) ?? 0)) plain += character;
  }
  return plain;
}

/** `plainLines` on one line, at most `charactersMax` characters (an ellipsis says that there was more). */
export function plainLine(text: string, charactersMax: number = textLimits.cellCharactersMax): string {
  return cutCharacters(plainLines(text).replace(/\s+/gu, ' ').trim(), charactersMax);
}

/** At most `charactersMax` characters (code points), the last of them an ellipsis where something was cut. */
export function cutCharacters(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const characters = Array.from(text);
  if (characters.length <= charactersMax) return text;
  return `${characters
    .slice(0, charactersMax - 1)
    .join('')
    .trimEnd()}…`;
}

/** Breaks mentions, issue references and addresses, and changes nothing that a reader sees. For plain and code text. */
export function neutral(text: string): string {
  return text
    .replaceAll('@', `@${zeroWidth}`)
    .replace(/#(?=[\p{L}\p{N}_])/gu, `#${zeroWidth}`)
    .replace(/\b(GH-)(?=\d)/gi, `$1${zeroWidth}`)
    .replaceAll('://', `:${zeroWidth}//`)
    .replace(/\b(www)\./gi, `$1${zeroWidth}.`);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '|': '&#124;',
  '`': '&#96;',
  '*': '&#42;',
  '[': '&#91;',
  ']': '&#93;',
  '\\': '&#92;',
  '~': '&#126;',
  $: '&#36;',
};

/** `text` as one line of Markdown prose, a list entry or a table cell: it shows as it is and means nothing. */
export function inline(text: string, charactersMax: number = textLimits.cellCharactersMax): string {
  // Broken before it is encoded: an entity has a number sign of its own.
  const encoded = neutral(plainLine(text, charactersMax))
    .replace(/[&<>"|`*[\]\\~$]/g, (character) => entities[character] ?? '')
    // Inside a word an underscore is no emphasis, and names with entities are hard to read.
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '&#95;');
  // At the start: a heading, a list, a quotation, a rule, a command to another bot.
  const start = encoded
    .replace(/^#(?!\u200b)/, `#${zeroWidth}`)
    .replace(/^(\d+)([.)])/, (_whole, digits: string, mark: string) => `${digits}&#${mark.charCodeAt(0)};`)
    .replace(/^[-+=:]/, (mark) => `&#${mark.charCodeAt(0)};`);
  return start.replace(/^\//, `${zeroWidth}/`);
}

/**
 * `text` as a fenced block, line by line: the fence is longer than any run of backticks inside, and no line starts with
 * a slash, which other bots would take for a command. The last lines are kept: in a log, they say what went wrong.
 */
export function codeBlock(text: string): readonly string[] {
  const all = plainLines(text).trimEnd().split('\n');
  let lines = all.slice(-textLimits.codeLinesMax);
  while (lines.length > 1 && lines.join('\n').length > textLimits.codeCharactersMax) lines = lines.slice(1);
  const shown = lines.map((line) =>
    neutral(cutCharacters(line, textLimits.codeCharactersMax)).replace(/^(\s*)\//, `$1${zeroWidth}/`),
  );
  return fenced(shown.length < all.length ? [`… ${all.length - shown.length} lines before`, ...shown] : shown);
}

/** Lines between fences that nothing inside can close. */
export function fenced(lines: readonly string[], language = 'text'): readonly string[] {
  const longest = Math.max(
    0,
    ...lines.map((line) => Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length))),
  );
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return [`${fence}${language}`, ...lines, fence];
}

/** An address of ours for a link's target, or null where it is none over HTTP. */
export function linkTarget(url: string | null): string | null {
  if (url === null || url.length > 2000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '') return null;
  const path = `${parsed.pathname}${parsed.search}${parsed.hash}`;
  return `${parsed.origin}${path.replace(/[()<>|`\\*_~[\]@]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

/** Bytes of `text` in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** As much of `text` as fits into `bytesMax`, never half a character. */
export function cutBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end);
}
