/** Whose a pipeline is and what it is about: each leads to all pipelines of the same. */
import { html, type Markup } from './html.ts';

export function ownerLink(owner: string): Markup {
  return html`<a href=${`/pipelines?${new URLSearchParams({ owner })}`}>${owner}</a>`;
}

export function tagLinks(tags: readonly string[]): Markup {
  return html`${tags.map((tag, at) => html`${at === 0 ? '' : ', '}<a key=${tag} href=${`/pipelines?${new URLSearchParams({ tag })}`}>${tag}</a>`)}`;
}
