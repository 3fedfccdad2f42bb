/**
 * What a Markdown text is built of, read line by line as GitHub's dialect has it: enough to prove that a payload changes
 * nothing but words. Also says what must not stand in it.
 */
export type Shape =
  | 'marker'
  | 'heading'
  | 'paragraph'
  | 'code'
  | `list of ${number}`
  | `table of ${number} by ${number}`
  | 'open code'
  | 'broken table';

export function shapeOf(markdown: string): readonly Shape[] {
  const shape: Shape[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const following = (test: RegExp): string[] => {
      const rest = lines.slice(at);
      const end = rest.findIndex((one) => !test.test(one));
      return end === -1 ? rest : rest.slice(0, end);
    };
    const fence = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      const end = lines.findIndex(
        (one, index) =>
          index > at &&
          one.trimEnd().length >= fence.length &&
          new RegExp(`^ {0,3}[${fence.charAt(0)}]+\\s*$`).test(one),
      );
      shape.push(end === -1 ? 'open code' : 'code');
      at = end === -1 ? lines.length : end;
    } else if (line.startsWith('|')) {
      const table = following(/^\|/);
      const columns = table.map((one) => one.split('|').length - 2);
      const whole = columns.every((count) => count === columns[0]) && /^[|:\- ]+$/.test(table[1] ?? '');
      shape.push(whole ? `table of ${table.length - 2} by ${columns[0] ?? 0}` : 'broken table');
      at += table.length - 1;
    } else if (/^(?:[-+*]|\d+[.)]) /.test(line)) {
      const items = following(/^(?:[-+*]|\d+[.)]) /);
      shape.push(`list of ${items.length}`);
      at += items.length - 1;
    } else if (/^<!--.*-->$/.test(line)) shape.push('marker');
    else if (/^ {0,3}#{1,6}(?: |$)/.test(line)) shape.push('heading');
    else if (line.trim() !== '') shape.push('paragraph');
  }
  return shape;
}

/** Sentences about what GitHub, or another bot, would act on; none where the text is harmless. `allowed` are our own addresses. */
export function dangersOf(markdown: string, allowed: readonly string[]): readonly string[] {
  let text = markdown.replace(/^<!-- contender:[\w.%!*'()~-]* -->\n/, '');
  for (const address of allowed) text = text.replaceAll(`](${address})`, ']');
  const dangers: [string, RegExp][] = [
    ['raw HTML', /</],
    ['a mention', /@[\w-]/],
    ['an issue reference', /(?<!&)#\d|\bGH-\d/i],
    ['an address', /:\/\/|www\.\w/i],
    ['a link or picture', /\]\(|!\[|\]:/],
    ['a command', /^\s*\/\w/m],
    ['a control character', /[^\P{Cc}\n\t]/u],
    [
      'a bidirectional or invisible character',
      /[\u00ad\u061c\u200c-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u,
    ],
    ['half a character', /\p{Cs}/u],
  ];
  return dangers.flatMap(([name, pattern]) => {
    const found = pattern.exec(text);
    return found === null
      ? []
      : [`${name}: ${JSON.stringify(text.slice(Math.max(0, found.index - 30), found.index + 30))}`];
  });
}
