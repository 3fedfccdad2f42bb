/** The frame around every page: one document, the same head, navigation and foot; no inline script, no inline style. */
import { h, Fragment } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { html, type Markup } from './html.ts';
import { loginAddress, type Visitor } from './visitor.ts';

/** Names of the files that every page loads, with the hash of their bytes in them. */
export interface AssetNames {
  readonly script: string;
  readonly style: string;
  readonly icon: string;
}

export interface Page {
  readonly title: string;
  /** Which entry of the navigation it belongs to. */
  readonly area: 'runs' | 'pipelines' | 'models' | null;
  readonly body: Markup;
  /** Name of the island that takes the page over, with its data; null for pages that stay as they are served. */
  readonly island: { readonly name: 'run' | 'log'; readonly data: unknown } | null;
  /** Whether lists on it are fetched again now and then. */
  readonly refreshes?: boolean;
}

/** Who asked for a page, when by the server's clock, and under which address. */
export interface Asking {
  readonly visitor: Visitor;
  readonly now: number;
  readonly address: string;
}

export function renderPage(
  page: Page,
  assets: AssetNames,
  asking: Asking = { visitor: { kind: 'reader' }, now: 0, address: '/runs' },
): string {
  const { title, area, body, island } = page;
  const frame = html`<a class="skip" href="#main">Skip to the content</a>
    <header class="site">
      <div class="bar">
        <a class="brand" href="/">${brand}<span>Contender</span></a>
        <nav aria-label="Pages">
          ${(['runs', 'pipelines', 'models'] as const).map(
            (name) =>
              html`<a href=${name === 'runs' ? '/runs' : `/${name}`} aria-current=${area === name ? 'page' : undefined}>${areaNames[name]}</a>`,
          )}
        </nav>
        <div class="tools" id="tools"></div>
      </div>
    </header>
    <main
      id="main"
      tabindex="-1"
      data-now=${asking.now}
      data-island=${island?.name}
      data-refreshes=${page.refreshes === true ? 'true' : undefined}>
      ${body}
    </main>
    ${footOf(asking)}`;
  const head = html`<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${`${title} · Contender`}</title>
    <link rel="icon" href=${`/assets/${assets.icon}`} type="image/svg+xml" />
    <link rel="stylesheet" href=${`/assets/${assets.style}`} />
    <script type="module" src=${`/assets/${assets.script}`}></script>`;
  const data =
    island === null ? '' : `<script type="application/json" id="page-data">${scriptJson(island.data)}</script>`;
  return `<!doctype html><html lang="en"><head>${render(head)}</head><body>${render(frame)}${data}</body></html>`;
}

function footOf({ visitor, address }: Asking): Markup {
  if (visitor.kind === 'reader') {
    // The page for it is no place to come back to.
    if (address.startsWith('/login')) return null;
    return html`<footer class="foot"><a href=${loginAddress(address)}>Log in</a></footer>`;
  }
  return html`<footer class="foot">
    <span>Logged in with the API token</span>
    <form method="post" action="/logout">
      <input type="hidden" name="token" value=${visitor.formToken} />
      <input type="hidden" name="to" value=${address} />
      <button type="submit">Log out</button>
    </form>
  </footer>`;
}

const areaNames = { runs: 'Runs', pipelines: 'Pipelines', models: 'Models' } as const;

/** An interval with its point beyond the gate: what a verdict looks like. */
const brand = html`<svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
  <rect width="22" height="22" rx="6" class="brand-ground" />
  <path d="M6.5 5v12" class="brand-gate" /><path d="M9.5 11h8.5" class="brand-bar" /><circle cx="13.7" cy="11" r="3" class="brand-point" />
</svg>`;

function render(markup: Markup): string {
  return renderToString(h(Fragment, null, markup));
}

/** JSON that no parser of HTML can take for the end of its script, or of a line. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
