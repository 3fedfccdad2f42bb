/**
 * Descriptions, which are Markdown that somebody else wrote, as plain data: read on the server, so that no browser needs a
 * parser. HTML, images and links that lead to no web address are shown as they were written.
 */
import { Parser, type Node } from 'commonmark';
import { unreachable } from '../std/unreachable.ts';
import { webAddress } from './html.ts';

export type MarkdownTag =
  | 'p'
  | 'ul'
  | 'ol'
  | 'li'
  | 'em'
  | 'strong'
  | 'code'
  | 'pre'
  | 'blockquote'
  | 'br'
  | 'hr'
  | 'a';

/** A string is text. `href`: of `a` alone. */
export type MarkdownNode =
  | string
  | { readonly tag: MarkdownTag; readonly href: string | null; readonly inside: readonly MarkdownNode[] };

/** A longer text is shown as it was written: what takes long to read would hold up the pages of all. */
const charactersMax = 2000;
const depthMax = 20;
const keptMax = 200;
const kept = new Map<string, readonly MarkdownNode[]>();

/** The blocks of a text; the last ones that were read are kept, since pages that are followed are made again and again. */
export function readMarkdown(text: string): readonly MarkdownNode[] {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const [oldest] = kept.keys();
  if (kept.size >= keptMax && oldest !== undefined) kept.delete(oldest);
  const read = text.length > charactersMax ? [node('p', [text])] : insideOf(new Parser().parse(text), 0);
  kept.set(text, read);
  return read;
}

/** The first line as text alone, where there is room for no more. */
export function firstLineOf(text: string): string {
  const [block = ''] = readMarkdown(text);
  return textOf(block).trim().split('\n', 1)[0] ?? '';
}

function textOf(node: MarkdownNode): string {
  return typeof node === 'string'
    ? node
    : node.inside.map(textOf).join(node.tag === 'ul' || node.tag === 'ol' ? '\n' : '');
}

function insideOf(parent: Node, depth: number): readonly MarkdownNode[] {
  const inside: MarkdownNode[] = [];
  if (depth < depthMax)
    for (let child = parent.firstChild; child !== null; child = child.next) inside.push(...nodesOf(child, depth + 1));
  return inside;
}

function nodesOf(given: Node, depth: number): readonly MarkdownNode[] {
  const text = given.literal ?? '';
  switch (given.type) {
    case 'text':
    case 'html_inline':
      return [text];
    case 'softbreak':
      return ['\n'];
    case 'linebreak':
      return [node('br', [])];
    case 'thematic_break':
      return [node('hr', [])];
    case 'code':
      return [node('code', [text])];
    case 'code_block':
      return [node('pre', [text])];
    case 'html_block':
      return [node('p', [text])];
    case 'link': {
      const href = webAddress(given.destination);
      return href === null ? insideOf(given, depth) : [{ tag: 'a', href, inside: insideOf(given, depth) }];
    }
    case 'heading':
      return [node('p', [node('strong', insideOf(given, depth))])];
    case 'list':
      return [node(given.listType === 'ordered' ? 'ol' : 'ul', insideOf(given, depth))];
    case 'paragraph':
      return given.parent?.type === 'item' && given.parent.listTight
        ? insideOf(given, depth)
        : [node('p', insideOf(given, depth))];
    case 'item':
      return [node('li', insideOf(given, depth))];
    case 'block_quote':
      return [node('blockquote', insideOf(given, depth))];
    case 'emph':
      return [node('em', insideOf(given, depth))];
    case 'strong':
      return [node('strong', insideOf(given, depth))];
    case 'document':
    case 'image':
    case 'custom_inline':
    case 'custom_block':
      return insideOf(given, depth);
    default:
      return unreachable(given.type);
  }
}

function node(tag: MarkdownTag, inside: readonly MarkdownNode[]): MarkdownNode {
  return { tag, href: null, inside };
}
