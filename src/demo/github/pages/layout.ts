/** What every page has around it. */
import type { Core } from '../core.ts';
import { fullName, type User } from '../world.ts';
import { html, trusted, type Content, type Markup } from './html.ts';
import { style } from './style.ts';

export interface Page {
  readonly title: string;
  readonly tab: 'code' | 'pulls';
  readonly content: Content;
  /** Seconds until it is loaded again by itself; null: never. */
  readonly reloadSeconds: number | null;
}

export function renderPage(core: Core, page: Page): string {
  const { repository, pulls } = core.world;
  const home = `/${fullName(repository)}`;
  const open = pulls.filter(({ state }) => state === 'open').length;
  const current = (tab: Page['tab']): Markup => trusted(tab === page.tab ? ' aria-current="page"' : '');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${page.reloadSeconds === null ? null : html`<meta http-equiv="refresh" content="${page.reloadSeconds}" />`}
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <title>${page.title} · ${fullName(repository)}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <header class="top">
          <div class="path">
            <a href="${home}">${repository.owner.login}</a> / <b><a href="${home}">${repository.name}</a></b
            ><span class="badge">${repository.isPrivate ? 'Private' : 'Public'}</span>
          </div>
          <nav>
            <a href="${home}" ${current('code')}>Code</a
            ><a href="${home}/pulls" ${current('pulls')}>Pull requests ${open}</a>
          </nav>
        </header>
        <main>${page.content}</main>
        <footer>
          A GitHub of the demo’s own, on this machine: Git, the API and the webhooks are real, the company is not.
        </footer>
      </body>
    </html> `.markup;
}

/** The parts of the time that help a reader of the same day. */
export function timeOf(at: number): Markup {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

export function faceOf(user: User): Markup {
  return html`<div class="face"><img src="/avatars/${user.id}" alt="" width="40" height="40" /></div>`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
