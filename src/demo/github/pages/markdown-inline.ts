/** The inside of a line of Markdown: code, emphasis, links, and what GitHub makes of mentions, commits and addresses. */
import { escapeHtml, safeAddress } from './html.ts';

/** Tags that may stand in the source, without attributes. */
const tags = 'b|strong|i|em|s|del|ins|kbd|sub|sup|code|br|samp|var|small';

/** Kinds of spans in the order in which they win at the same place. */
const spans: readonly {
  readonly pattern: RegExp;
  readonly render: (match: RegExpExecArray, depth: number) => string;
}[] = [
  { pattern: /\\([!-/:-@[-`{-~])/, render: ([, character = '']) => escapeHtml(character) },
  {
    pattern: /(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/,
    render: ([, , code = '']) => `<code>${escapeHtml(code.replaceAll('\n', ' ').replace(/^ (.*\S.*) $/, '$1'))}</code>`,
  },
  {
    pattern: new RegExp(`<(/?)(${tags})\\s*/?>`, 'i'),
    render: ([, slash = '', tag = '']) => `<${slash}${tag.toLowerCase()}>`,
  },
  { pattern: /<(https?:\/\/[^\s<>]+)>/i, render: ([, address = '']) => link(address, escapeHtml(address)) },
  {
    pattern: /!\[([^\]]*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)/,
    render: ([, text = '', address = '']) => image(address, text),
  },
  {
    pattern: /\[((?:[^[\]]|\\.)*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)/,
    render: ([, text = '', address = ''], depth) => link(address, inline(text, depth + 1)),
  },
  {
    pattern: /\*\*(?=\S)([\s\S]*?\S)\*\*/,
    render: ([, text = ''], depth) => `<strong>${inline(text, depth + 1)}</strong>`,
  },
  {
    pattern: /(?<!\w)__(?=\S)([\s\S]*?\S)__(?!\w)/,
    render: ([, text = ''], depth) => `<strong>${inline(text, depth + 1)}</strong>`,
  },
  { pattern: /~~(?=\S)([\s\S]*?\S)~~/, render: ([, text = ''], depth) => `<del>${inline(text, depth + 1)}</del>` },
  {
    pattern: /\*(?=[^\s*])([\s\S]*?[^\s*])\*/,
    render: ([, text = ''], depth) => `<em>${inline(text, depth + 1)}</em>`,
  },
  {
    pattern: /(?<!\w)_(?=[^\s_])([\s\S]*?[^\s_])_(?!\w)/,
    render: ([, text = ''], depth) => `<em>${inline(text, depth + 1)}</em>`,
  },
  {
    pattern: /(?<![\w/])https?:\/\/[^\s<>`"']+[^\s<>`"'.,:;!?)\]*_~]/i,
    render: ([address = '']) => link(address, escapeHtml(address)),
  },
  {
    pattern: /(?<![\w/@])@([a-z\d](?:[a-z\d-]{0,38}))(?![\w-])/i,
    render: ([whole = '']) => `<strong class="mention">${escapeHtml(whole)}</strong>`,
  },
  {
    pattern: /(?<![\w/#])[0-9a-f]{40}(?!\w)/,
    render: ([sha = '']) => `<code class="commit" title="${sha}">${sha.slice(0, 7)}</code>`,
  },
];

const depthMax = 8;

export function renderInline(text: string): string {
  return inline(text, 0);
}

function inline(text: string, depth: number): string {
  if (depth >= depthMax) return plain(text);
  // Each kind's next match is kept until the place is passed: every pattern runs over the text once, not once a span.
  const next = spans.map(({ pattern }) => pattern.exec(text));
  let result = '';
  let at = 0;
  for (;;) {
    let first: { readonly match: RegExpExecArray; readonly kind: number } | null = null;
    for (const [kind, span] of spans.entries()) {
      let match = next[kind] ?? null;
      if (match !== null && match.index < at) {
        const sticky = new RegExp(span.pattern.source, `${span.pattern.flags}g`);
        sticky.lastIndex = at;
        match = sticky.exec(text);
        next[kind] = match;
      }
      if (match !== null && (first === null || match.index < first.match.index)) first = { match, kind };
    }
    if (first === null) return result + plain(text.slice(at));
    result += plain(text.slice(at, first.match.index)) + (spans[first.kind]?.render(first.match, depth) ?? '');
    at = first.match.index + first.match[0].length;
  }
}

/** Entities of the source stay what they are; a line break ends a line, as in GitHub's comments. */
function plain(text: string): string {
  return escapeHtml(text)
    .replaceAll(/&amp;(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z\d]{1,31});/gi, '&$1;')
    .replaceAll('\n', '<br>\n');
}

function link(address: string, content: string): string {
  const safe = safeAddress(address);
  return safe === null ? content : `<a href="${escapeHtml(safe)}" rel="nofollow">${content}</a>`;
}

function image(address: string, text: string): string {
  const safe = safeAddress(address);
  return safe === null ? escapeHtml(text) : `<img src="${escapeHtml(safe)}" alt="${escapeHtml(text)}">`;
}
