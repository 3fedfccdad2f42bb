/** Runs, newest first, by key: what a page costs does not grow with history. The filters live in the address. */
import type { RunState } from '../engine/event.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { html, type Markup } from './html.ts';
import type { Page } from './page.ts';
import type { TriggerView } from './run-view.ts';
import { markOf, runMarkOf, runMarks } from './state-mark.ts';
import { durationText, timeOf, type Watch } from './time.ts';

export interface RunsView {
  readonly now: number;
  readonly runs: readonly RunItem[];
  readonly filter: RunsFilter;
  /** To choose from. */
  readonly pipelines: readonly string[];
  /** Repositories of which nothing is known yet. */
  readonly unseen: readonly string[];
  /** Whether runs of several repositories are listed. */
  readonly severalRepositories: boolean;
  /** Id of the last run, where there are older ones. */
  readonly olderThan: string | null;
}

export interface RunsFilter {
  readonly repository: string | null;
  readonly pipeline: string | null;
  readonly state: RunState | null;
  readonly branch: string | null;
  readonly before: string | null;
}

export interface RunItem {
  readonly id: string;
  readonly number: number;
  readonly repository: string;
  readonly pipeline: string;
  readonly state: RunState;
  /** What refuses its model, though its steps went well. */
  readonly refused: VerdictKind | null;
  readonly reason: string | null;
  readonly trigger: TriggerView;
  readonly sha: string;
  readonly openedAt: number;
  readonly finishedAt: number | null;
}

export const runStates = [
  'running',
  'cancelling',
  'success',
  'failed',
  'cancelled',
] as const satisfies readonly RunState[];

export function runsPage(view: RunsView): Page {
  const watch: Watch = { now: view.now, zone: 'utc' };
  const { filter } = view;
  return {
    title: filterText(filter) === '' ? 'Runs' : `Runs ${filterText(filter)}`,
    area: 'runs',
    island: null,
    refreshes: filter.before === null,
    body: html`<header class="page-head list-head">
        <h1>Runs</h1>
        ${filterForm(view)}
      </header>
      <div id="fresh">${view.runs.length === 0 ? emptyOf(view) : listOf(view, watch)}</div>`,
  };
}

function filterForm({ filter, pipelines }: RunsView): Markup {
  const names =
    filter.pipeline === null || pipelines.includes(filter.pipeline) ? pipelines : [filter.pipeline, ...pipelines];
  return html`<form class="filters" method="get" action="/runs" data-filters>
    <label><span>Pipeline</span><select name="pipeline">
        <option value="">All</option>
        ${names.map((name) => html`<option value=${name} selected=${name === filter.pipeline}>${name}</option>`)}
      </select></label>
    <label><span>State</span><select name="state">
        <option value="">All</option>
        ${runStates.map((state) => html`<option value=${state} selected=${state === filter.state}>${runMarks[state].word}</option>`)}
      </select></label>
    <label><span>Branch</span><input name="branch" value=${filter.branch ?? ''} maxlength="250" autocomplete="off" data-key="/"
    /></label>
    <button type="submit">Filter</button>
    ${filterText(filter) === '' ? null : html`<a class="button" href="/runs">Clear</a>`}
  </form>`;
}

/** `of weekly-churn, failed, on main`; empty without a filter. */
export function filterText({ repository, pipeline, state, branch }: RunsFilter): string {
  return [
    pipeline === null ? '' : `of ${pipeline}`,
    repository === null ? '' : `in ${repository}`,
    state === null ? '' : `that are ${runMarks[state].word}`,
    branch === null ? '' : `on the branch ${branch}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function emptyOf({ filter, unseen }: RunsView): Markup {
  const named = filterText(filter);
  if (named !== '')
    return html`<div class="empty">
      <h2>No runs ${named}</h2>
      <p class="muted">The filter leaves nothing.</p>
      <p><a class="button" href="/runs">Show all runs</a></p>
    </div>`;
  if (filter.before !== null)
    return html`<div class="empty">
      <h2>No older runs</h2>
      <p><a class="button" href="/runs">Newest runs</a></p>
    </div>`;
  return html`<div class="empty">
    <h2>No runs yet</h2>
    <p class="muted">A push to a watched repository starts the first one, or <code>contender run PIPELINE</code>.</p>
    ${unseen.length === 0 ? null : html`<p class="muted">${`Not looked at yet: ${unseen.join(', ')}.`} <a href="/pipelines">Why</a></p>`}
  </div>`;
}

function listOf(view: RunsView, watch: Watch): Markup {
  return html`<section class="card list" aria-label="List of runs">
    <div class="scroll" tabindex="0" role="region" aria-label="Runs">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Run</th>
            <th scope="col">Trigger</th>
            <th scope="col">Commit</th>
            <th scope="col">Started</th>
            <th scope="col" class="right">Took</th>
          </tr>
        </thead>
        <tbody>
          ${view.runs.map((run) => runRow(run, view, watch))}
        </tbody>
      </table>
    </div>
    ${partLinks(view)}
  </section>`;
}

function partLinks({ filter, olderThan }: RunsView): Markup {
  if (filter.before === null && olderThan === null) return null;
  return html`<nav class="parts" aria-label="More runs">
    <span>${filter.before === null ? null : html`<a href=${addressOf(filter, null)}>Newest</a>`}</span>
    <span>${olderThan === null ? null : html`<a href=${addressOf(filter, olderThan)} rel="next">Older</a>`}</span>
  </nav>`;
}

function addressOf(filter: RunsFilter, before: string | null): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, before })) {
    if (value !== null) query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? '/runs' : `/runs?${text}`;
}

function runRow(run: RunItem, view: RunsView, watch: Watch): Markup {
  const reason = run.state === 'success' || run.reason === null ? null : html`<div class="why">${run.reason}</div>`;
  return html`<tr data-row key=${run.id}>
    <td>${markOf(runMarkOf(run.state, run.refused))}</td>
    <th scope="row">
      <a href=${`/runs/${run.id}`}>${run.pipeline}${' '}<span class="run-number">${`#${run.number}`}</span></a>${view.severalRepositories ? html`<span class="kind">${run.repository}</span>` : null}${reason}
    </th>
    <td>
      ${run.trigger.pullRequest === null ? null : `PR #${run.trigger.pullRequest.number} `}${run.trigger.branch === null ? null : html`<bdi class="branch">${run.trigger.branch}</bdi>${' '}`}<span
        class="muted">${run.trigger.text}</span>
    </td>
    <td><code>${run.sha.slice(0, 7)}</code></td>
    <td class="nowrap">${timeOf(run.openedAt, watch)}</td>
    <td class="right nowrap">${durationText((run.finishedAt ?? watch.now) - run.openedAt)}</td>
  </tr>`;
}
