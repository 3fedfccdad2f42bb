/** Markdown that was read, as markup: the same on the server and in the browser. */
import { h } from 'preact';
import { html, type Markup } from './html.ts';
import type { MarkdownNode } from './markdown.ts';

export function descriptionOf(nodes: readonly MarkdownNode[]): Markup {
  return html`<div class="description">${nodes.map(markupOf)}</div>`;
}

function markupOf(node: MarkdownNode): Markup {
  if (typeof node === 'string') return node;
  return h(node.tag, node.href === null ? {} : { href: node.href }, node.inside.map(markupOf));
}
