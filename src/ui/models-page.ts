/** Models: which version is champion, who or what decided it, on what evidence. */
import type { VerdictKind } from '../verdict/verdict.ts';
import { html, webAddress, type Markup } from './html.ts';
import { bytesText } from './number-text.ts';
import type { Page } from './page.ts';
import { shapeOf, verdictMarks } from './state-mark.ts';
import { timeOf, type Watch } from './time.ts';

export interface ModelView {
  readonly name: string;
  readonly repository: string;
  readonly champion: number | null;
  readonly hold: { readonly reason: string; readonly by: string; readonly at: number } | null;
  /** Newest first. */
  readonly versions: readonly VersionView[];
}

export interface VersionView {
  readonly version: number;
  readonly promotedAt: number;
  readonly decidedBy: string;
  readonly comparedWith: number | null;
  readonly verdict: { readonly kind: VerdictKind | null; readonly reason: string | null };
  readonly runId: string;
  readonly pipeline: string;
  readonly sha: string;
  readonly shaUrl: string | null;
  readonly artifact: { readonly sha256: string; readonly name: string; readonly bytes: number };
}

export interface ModelsView {
  readonly now: number;
  readonly models: readonly ModelView[];
  readonly troubles: readonly RegistryTrouble[];
}

/** A registry that cannot be read now, or one of its models. */
export interface RegistryTrouble {
  readonly repository: string;
  readonly message: string;
  /** When what is shown of it all the same was read. Null: nothing is shown, or nobody knows. */
  readonly asOf: number | null;
}

export interface ModelPageView {
  readonly now: number;
  /** With the versions of one part of the list. */
  readonly model: ModelView;
  readonly trouble: RegistryTrouble | null;
  /** The part has those before it; null: the newest. */
  readonly before: number | null;
  /** The last version of the part, where there are older ones. */
  readonly olderThan: number | null;
}

export function modelsPage(view: ModelsView): Page {
  const watch: Watch = { now: view.now, zone: 'utc' };
  return {
    title: 'Models',
    area: 'models',
    island: null,
    refreshes: true,
    body: html`<header class="page-head"><h1>Models</h1></header>
      <div id="fresh" class="stack">
        ${view.troubles.map((trouble) => troubleOf(trouble, watch))}${
          view.models.length > 0 ? modelsTable(view.models, watch) : view.troubles.length > 0 ? null : noModels
        }
      </div>`,
  };
}

const noModels = html`<div class="empty">
  <h2>No models yet</h2>
  <p class="muted">A challenge that is won puts the first version here.</p>
</div>`;

function troubleOf({ repository, message, asOf }: RegistryTrouble, watch: Watch): Markup {
  return html`<p class="notice tone-warn">
    ${`The registry of ${repository} could not be read: ${message}`}${asOf === null ? null : html`. What is shown was read ${timeOf(asOf, watch)}.`}
  </p>`;
}

function modelsTable(models: readonly ModelView[], watch: Watch): Markup {
  return html`<section class="card list" aria-label="List of models">
    <div class="scroll" tabindex="0" role="region" aria-label="Models">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Champion</th>
            <th scope="col">Since</th>
            <th scope="col">Decided by</th>
            <th scope="col">Repository</th>
          </tr>
        </thead>
        <tbody>
          ${models.map((model) => modelRow(model, watch))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function modelRow(model: ModelView, watch: Watch): Markup {
  const champion = model.versions.find((version) => version.version === model.champion);
  return html`<tr data-row>
    <th scope="row">
      <a href=${`/models/${encodeURIComponent(model.name)}`}>${model.name}</a>${model.hold === null ? null : html`<div class="why tone-warn">${`held by ${model.hold.by}`}</div>`}
    </th>
    <td class="wide" data-label="Champion">${model.champion === null ? html`<span class="muted">none</span>` : `v${model.champion}`}</td>
    <td class="inline wide" data-label="Since">${champion === undefined ? '–' : timeOf(champion.promotedAt, watch)}</td>
    <td class="wide" data-label="Decided by">${champion?.decidedBy ?? '–'}</td>
    <td class="muted wide" data-label="Repository">${model.repository}</td>
  </tr>`;
}

export function modelPage(view: ModelPageView): Page {
  const watch: Watch = { now: view.now, zone: 'utc' };
  const { name, champion, hold, repository, versions } = view.model;
  return {
    title: name,
    area: 'models',
    island: null,
    refreshes: view.before === null,
    body: html`<header class="page-head">
        <p class="crumbs"><a href="/models">Models</a></p>
        <div class="title-row">
          <h1>${name}</h1>
          <span class="muted">${champion === null ? 'no champion' : `champion v${champion}`}, in ${repository}</span>
        </div>
      </header>
      <div id="fresh" class="stack">
        ${view.trouble === null ? null : troubleOf(view.trouble, watch)}${hold === null ? null : html`<p class="notice tone-warn">${`Automatic promotion is held by ${hold.by}: ${hold.reason} `}${timeOf(hold.at, watch)}</p>`}
        ${
          versions.length === 0
            ? html`<div class="empty"><h2>${view.before === null ? 'No versions yet' : 'No older versions'}</h2></div>`
            : html`<ol class="versions">
                ${versions.map((version) => versionOf(version, champion, watch))}
              </ol>`
        }
        ${partLinks(view)}
      </div>`,
  };
}

function partLinks({ model, before, olderThan }: ModelPageView): Markup {
  if (before === null && olderThan === null) return null;
  const address = `/models/${encodeURIComponent(model.name)}`;
  return html`<nav class="parts" aria-label="More versions">
    <span>${before === null ? null : html`<a href=${address}>Newest</a>`}</span>
    <span>${olderThan === null ? null : html`<a href=${`${address}?before=${olderThan}`} rel="next">Older</a>`}</span>
  </nav>`;
}

function versionOf(version: VersionView, champion: number | null, watch: Watch): Markup {
  const { verdict, artifact } = version;
  const shaUrl = webAddress(version.shaUrl);
  const sha = html`<code title=${version.sha}>${version.sha.slice(0, 10)}</code>`;
  return html`<li class="card" key=${version.version}>
    <header class="card-head">
      <h2>
        ${verdict.kind === null ? null : html`<span class=${`tone-${verdictMarks[verdict.kind].tone}`}>${shapeOf(verdictMarks[verdict.kind])}</span>`}${`v${version.version}`}${version.version === champion ? html`<span class="badge">champion</span>` : null}
      </h2>
      <p>${timeOf(version.promotedAt, watch)}</p>
    </header>
    ${verdict.reason === null ? null : html`<p class="reason">${verdict.reason}</p>`}
    <dl class="facts">
      <div>
        <dt>Decided by</dt>
        <dd>${version.decidedBy}</dd>
      </div>
      <div>
        <dt>Compared with</dt>
        <dd>${version.comparedWith === null ? 'no champion' : `v${version.comparedWith}`}</dd>
      </div>
      <div>
        <dt>Run</dt>
        <dd><a href=${`/runs/${encodeURIComponent(version.runId)}`}>${version.pipeline}</a></dd>
      </div>
      <div>
        <dt>Commit</dt>
        <dd>${shaUrl === null ? sha : html`<a href=${shaUrl}>${sha}</a>`}</dd>
      </div>
      <div>
        <dt>Artifact</dt>
        <dd>
          <a
            href=${`/artifacts/${artifact.sha256}?${new URLSearchParams({ name: artifact.name })}`}
            download=${artifact.name}>${artifact.name}</a>${' '}<span class="muted">${bytesText(artifact.bytes)}, <code title=${artifact.sha256}>${artifact.sha256.slice(0, 12)}</code></span>
        </dd>
      </div>
    </dl>
  </li>`;
}
