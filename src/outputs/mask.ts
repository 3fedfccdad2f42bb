/**
 * The one place where secrets are taken out of what a step prints or says. A value is found as it is, line by line, and
 * in the forms in which programs print it by accident: JSON, URL, base64 (at each of its three alignments, so that it
 * is found inside a longer text too), hexadecimal, shell and HTML quoting. A stream is masked line by line, so that a
 * value which arrives in two chunks is found; what a line holds back is bounded.
 */

const secretLengthMin = 6;
const lineLengthMin = 8;
const heldBytesMax = 64 * 1024;
const maskText = '***';

export interface Mask {
  /** `text` without the secrets. */
  text(text: string): string;
  /** Whether there is nothing to take out. */
  readonly isEmpty: boolean;
  /** A new stream: gives what can be passed on of each chunk, and the rest at the end. */
  stream(): MaskStream;
  /** Names of secrets that are too short to be masked: they would blacken half of a log. */
  readonly refused: readonly string[];
}

export interface MaskStream {
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** The mask of these secrets by name, and of others, of which nobody is told that they are too short. */
export function createMask(
  secrets: ReadonlyMap<string, string>,
  others: ReadonlyMap<string, string> = new Map(),
): Mask {
  const forms = new Set<string>();
  const refused: string[] = [];
  for (const [name, value] of [...secrets, ...others]) {
    if (value.trim().length >= secretLengthMin) for (const form of formsOf(value)) forms.add(form);
    else if (secrets.has(name)) refused.push(name);
  }
  // Bytes as Latin-1 text: one character is one byte, so nothing is lost of what is no UTF-8.
  const patterns = [...forms]
    .map((form) => Buffer.from(form).toString('latin1'))
    .sort((one, other) => other.length - one.length);
  if (patterns.length === 0) return { text: (text) => text, isEmpty: true, stream: passThrough, refused };
  const spans = spansIn(patterns.map(escapeExpression).join('|'));
  const longest = patterns[0]?.length ?? 0;
  return {
    text: (text) => masked(Buffer.from(text).toString('latin1'), spans).toString(),
    isEmpty: false,
    stream: () => createMaskStream(spans, longest),
    refused,
  };
}

/** What a secret may look like in a log. Forms shorter than a whole secret may be are left out. */
function formsOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const parts = [value, value.trim(), ...lines.filter((line) => line.length >= lineLengthMin)];
  const forms = [...new Set(parts)].flatMap(encodingsOf);
  // A form of several lines would be found or not by how the chunks fall: its lines are masked one by one.
  return forms.filter((form) => form.length >= secretLengthMin && !form.includes('\n'));
}

function encodingsOf(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const strictUrl = url.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const hex = Buffer.from(value).toString('hex');
  return [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    asciiJson(json),
    url,
    new URLSearchParams([['', value]]).toString().slice(1),
    strictUrl,
    strictUrl.replaceAll('%20', '+'),
    strictUrl.replaceAll('%2F', '/'),
    strictUrl.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    hex,
    hex.toUpperCase(),
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll("'", String.raw`'"'"'`),
    value.replace(/[^A-Za-z0-9_@%+=:,./-]/g, (character) => `\\${character}`),
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
    ...base64Forms(value),
  ];
}

/** As Python writes JSON: everything beyond ASCII is escaped. */
function asciiJson(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The characters of base64 that do not depend on what stands before or behind the value, at each alignment. */
function base64Forms(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const inner = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** From a place in a text up to another one. */
type Span = readonly [start: number, end: number];
type Spans = (text: string) => readonly Span[];

/** Where the forms stand. What two secrets share is one span with the rest of both: neither may be left over. */
function spansIn(forms: string): Spans {
  const some = new RegExp(forms);
  const each = new RegExp(`(?=(${forms}))`, 'g');
  return (text) => {
    const found: Span[] = [];
    if (!some.test(text)) return found;
    for (const { index, 1: form = '' } of text.matchAll(each)) {
      const [start, end] = found.at(-1) ?? [0, 0];
      if (index < end) found[found.length - 1] = [start, Math.max(end, index + form.length)];
      else found.push([index, index + form.length]);
    }
    return found;
  };
}

function masked(text: string, spans: Spans): Buffer {
  let kept = 0;
  const parts = spans(text).map(([start, end]) => {
    const part = text.slice(kept, start);
    kept = end;
    return part;
  });
  return Buffer.from([...parts, text.slice(kept)].join(maskText), 'latin1');
}

function createMaskStream(spans: Spans, longest: number): MaskStream {
  let held = '';
  return {
    push(chunk) {
      held += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
      let end = held.lastIndexOf('\n') + 1;
      // A line without end: all but what may be the beginning of a secret goes on.
      if (held.length - end > heldBytesMax + longest) end = beforeMatch(held, spans, held.length - longest);
      if (end === 0) return new Uint8Array(0);
      const ready = held.slice(0, end);
      held = held.slice(end);
      return masked(ready, spans);
    },
    end() {
      const rest = masked(held, spans);
      held = '';
      return rest;
    },
  };
}

/** `end`, or the end of the span that lies across it. */
function beforeMatch(text: string, spans: Spans, end: number): number {
  return spans(text).find(([start, spanEnd]) => start < end && spanEnd > end)?.[1] ?? end;
}

function passThrough(): MaskStream {
  return { push: (chunk) => chunk, end: () => new Uint8Array(0) };
}

function escapeExpression(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}/-]/g, String.raw`\$&`);
}
