/** Pages for what is not there and what went wrong, in the same dress. */
import { html } from './html.ts';
import type { Page } from './page.ts';

export function errorPage(status: number, message: string): Page {
  const title = status === 404 ? 'Not found' : status >= 500 ? 'Something went wrong' : 'That did not work';
  return {
    title,
    area: null,
    island: null,
    body: html`<div class="empty">
      <p class="status">${status}</p>
      <h1>${title}</h1>
      <p>${message}</p>
      <p><a href="/runs">All runs</a></p>
    </div>`,
  };
}
