/** The page on which somebody shows the API token. */
import { html } from './html.ts';
import type { Page } from './page.ts';

/** `to`: where to go then, an address on this server. */
export function loginPage(to: string, trouble: string | null): Page {
  return {
    title: 'Log in',
    area: null,
    island: null,
    body: html`<section class="card login" aria-labelledby="login-title">
      <h1 id="login-title">Log in</h1>
      <p>Who has the API token of this server may start and cancel runs on its pages, for twelve hours.</p>
      ${trouble === null ? null : html`<p class="notice tone-bad" role="alert">${trouble}</p>`}
      <form method="post" action="/login">
        <input type="hidden" name="to" value=${to} />
        <label
          ><span>API token</span
          ><input
            type="password"
            name="api-token"
            required
            maxlength="500"
            autocomplete="current-password"
            aria-describedby="token-where"
        /></label>
        <p class="muted" id="token-where">
          It is CONTENDER_API_TOKEN of the server; where that is not set, the file <code>api-token</code> in its state folder
          (<code>.contender</code>).
        </p>
        <p><button type="submit" class="main">Log in</button></p>
      </form>
    </section>`,
  };
}
