/** The pipelines of each repository's default branch: how they stand, what starts them, when next. */
import type { RunState } from '../engine/event.ts';
import type { Problem } from '../std/problem.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { html, type Markup } from './html.ts';
import { ownerLink, tagLinks } from './keepers.ts';
import { countText } from './number-text.ts';
import type { Page } from './page.ts';
import { startAddress } from './start-page.ts';
import { markOf, namedShapeOf, runMarkOf } from './state-mark.ts';
import { timeOf, type Watch } from './time.ts';
import { firstLineOf } from './markdown.ts';

export interface PipelinesView {
  readonly now: number;
  readonly filter: PipelinesFilter;
  readonly repositories: readonly RepositoryView[];
}

/** Null: any. */
export interface PipelinesFilter {
  readonly owner: string | null;
  readonly tag: string | null;
}

export interface RepositoryView {
  readonly name: string;
  readonly branch: string | null;
  readonly sha: string | null;
  /** Why its pipelines are not known, where they are not. */
  readonly trouble: string | null;
  readonly pipelines: readonly PipelineItem[];
  readonly broken: readonly { readonly file: string; readonly problems: readonly Problem[] }[];
}

export interface PipelineItem {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly steps: number;
  /** `push to main`, `pull requests`. */
  readonly triggers: readonly string[];
  /** Names of the pipelines that its runs may start. */
  readonly followers: readonly string[];
  readonly schedule: { readonly cron: string; readonly timeZone: string; readonly next: readonly number[] } | null;
  /** Newest first: every tick with what became of it. */
  readonly ticks: readonly {
    readonly tick: number;
    readonly decision: 'run' | 'missed';
    readonly reason: string | null;
    readonly runId: string | null;
  }[];
  /** Newest first. */
  readonly recent: readonly {
    readonly id: string;
    readonly number: number;
    readonly state: RunState;
    readonly refused: VerdictKind | null;
    readonly openedAt: number;
  }[];
}

export function pipelinesPage(view: PipelinesView): Page {
  const watch: Watch = { now: view.now, zone: 'utc' };
  const named = filterText(view.filter);
  const shown = view.repositories.map((repository) => filtered(repository, view.filter));
  const isEmpty = shown.every(({ pipelines }) => pipelines.length === 0);
  return {
    title: named === '' ? 'Pipelines' : `Pipelines ${named}`,
    area: 'pipelines',
    island: null,
    refreshes: true,
    body: html`<header class="page-head">
        <h1>Pipelines</h1>
        ${named === '' ? null : html`<p class="muted">${`Only those ${named}. `}<a href="/pipelines">Show all pipelines</a></p>`}
      </header>
      <div id="fresh" class="stack">
        ${named !== '' && isEmpty ? emptyOf(named) : shown.map((repository) => repositoryOf(repository, watch))}
      </div>`,
  };
}

/** `of growth, tagged report`; empty without a filter. */
function filterText({ owner, tag }: PipelinesFilter): string {
  return [owner === null ? '' : `of ${owner}`, tag === null ? '' : `tagged ${tag}`]
    .filter((part) => part !== '')
    .join(', ');
}

/** Broken files say neither whose they are nor what they are about, and stay. */
function filtered(repository: RepositoryView, { owner, tag }: PipelinesFilter): RepositoryView {
  const isMeant = (pipeline: PipelineItem): boolean =>
    (owner === null || pipeline.owner === owner) && (tag === null || pipeline.tags.includes(tag));
  return { ...repository, pipelines: repository.pipelines.filter(isMeant) };
}

function emptyOf(named: string): Markup {
  return html`<div class="empty">
    <h2>No pipelines ${named}</h2>
    <p class="muted">The filter leaves nothing.</p>
    <p><a class="button" href="/pipelines">Show all pipelines</a></p>
  </div>`;
}

function repositoryOf(repository: RepositoryView, watch: Watch): Markup {
  const { name, branch, sha, trouble, pipelines, broken } = repository;
  return html`<section class="card" aria-label=${name} key=${name}>
    <header class="card-head">
      <h2>${name}</h2>
      <p class="muted">
        ${branch === null ? '' : html`<bdi>${branch}</bdi>`}${sha === null ? '' : html`${' at '}<code>${sha.slice(0, 10)}</code>`}
      </p>
    </header>
    ${trouble === null ? null : html`<p class="muted">${trouble}</p>`}
    ${broken.map(({ file, problems }) => brokenOf(file, problems))}
    ${
      pipelines.length === 0
        ? null
        : html`<div class="scroll" tabindex="0" role="region" aria-label=${`Pipelines of ${name}`}>
            <table class="pipelines cards">
              <thead>
                <tr>
                  <th scope="col">Pipeline</th>
                  <th scope="col">Last run</th>
                  <th scope="col">Recent</th>
                  <th scope="col">Starts on</th>
                  <th scope="col">Next</th>
                </tr>
              </thead>
              <tbody>
                ${pipelines.map((pipeline) => pipelineRow(name, pipeline, watch))}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

function brokenOf(file: string, problems: readonly Problem[]): Markup {
  return html`<div class="problem">
    <p><span class="tone-bad">${'✗ '}</span><code>${file}</code> cannot be used</p>
    <ul>
      ${problems.map((problem) => html`<li>${problem.where === null ? '' : html`<code>${`${problem.where.line}:${problem.where.column}`}</code>${' '}`}${problem.message}${problem.help === '' ? '' : html`${' '}<span class="muted">${problem.help}</span>`}</li>`)}
    </ul>
  </div>`;
}

function pipelineRow(repository: string, pipeline: PipelineItem, watch: Watch): Markup {
  const [last] = pipeline.recent;
  return html`<tr data-row key=${pipeline.name}>
    <th scope="row">
      <a href=${`/runs?${new URLSearchParams({ pipeline: pipeline.name })}`}>${pipeline.name}</a>${pipeline.description === null ? null : html`<div class="why">${firstLineOf(pipeline.description)}</div>`}${pipeline.owner === null ? null : html`<div class="why">${'owner '}${ownerLink(pipeline.owner)}</div>`}${pipeline.tags.length === 0 ? null : html`<div class="why">${'tags '}${tagLinks(pipeline.tags)}</div>`}${pipeline.followers.length === 0 ? null : html`<div class="why">${`followed by ${pipeline.followers.join(', ')}`}</div>`}
      <div class="why">
        <a href=${startAddress({ repository, pipeline: pipeline.name })} aria-label=${`Start a run of ${pipeline.name}`}>Start a run</a>
      </div>
    </th>
    <td class="wide" data-label="Last run">
      ${
        last === undefined
          ? html`<span class="muted">never ran</span>`
          : html`${markOf(runMarkOf(last.state, last.refused))}
              <div class="why">${timeOf(last.openedAt, watch)}</div>`
      }
    </td>
    <td class="wide" data-label="Recent">
      <ul class="recent">
        ${pipeline.recent.toReversed().map((run) => {
          const mark = runMarkOf(run.state, run.refused);
          return html`<li key=${run.id}><a href=${`/runs/${run.id}`} aria-label=${`#${run.number}, ${mark.word}`}>${namedShapeOf(mark)}</a></li>`;
        })}
      </ul>
    </td>
    <td class="wide" data-label="Starts on">
      ${pipeline.triggers.map((trigger) => html`<div>${trigger}</div>`)}${pipeline.schedule === null ? null : html`<div><code>${pipeline.schedule.cron}</code>${' '}<span class="muted">${pipeline.schedule.timeZone}</span></div>`}
    </td>
    <td class=${pipeline.schedule === null ? 'nothing' : 'inline wide'} data-label="Next">
      ${pipeline.schedule === null ? html`<span class="muted">–</span>` : html`${pipeline.schedule.next.map((at) => html`<div>${timeOf(at, watch)}</div>`)}${ticksOf(pipeline, watch)}`}
    </td>
  </tr>`;
}

function ticksOf({ ticks }: PipelineItem, watch: Watch): Markup {
  if (ticks.length === 0) return null;
  return html`<details class="ticks"><summary>${countText(ticks.length, 'last tick')}</summary><ul>${ticks.map(
    ({ tick, decision, reason, runId }) =>
      html`<li>${timeOf(tick, watch)}${' '}${runId === null ? html`<span class="muted">${decision === 'run' ? 'ran' : 'missed'}</span>` : html`<a href=${`/runs/${encodeURIComponent(runId)}`}>ran</a>`}${reason === null ? null : html`<span class="muted">${`, ${reason}`}</span>`}</li>`,
  )}</ul></details>`;
}
