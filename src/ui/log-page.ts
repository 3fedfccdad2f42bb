/**
 * The log of one attempt on a page of its own, live and archived under one address. Up to 5000 lines it is plain markup;
 * above that the island shows a window into it, and without a program it comes in parts. Searching is the server's work,
 * over all lines.
 */
import type { StepState } from '../engine/event.ts';
import type { LogLine } from '../outputs/outputs.ts';
import { html, type Markup } from './html.ts';
import { appendLines } from './log-blocks.ts';
import { lineOf, logBlocks } from './log-lines.ts';
import { countText, grouped } from './number-text.ts';
import type { Page } from './page.ts';
import { lineAddress, logAddress, panelAddress, viewLimits } from './run-view.ts';
import { emptyLogText, logSizeText } from './log-size.ts';
import { markOf, stepMarks } from './state-mark.ts';

export interface LogPageView {
  readonly runId: string;
  readonly runNumber: number;
  readonly pipeline: string;
  readonly step: string;
  readonly index: number;
  readonly mapped: boolean;
  readonly attempt: number;
  readonly attempts: number;
  readonly state: StepState;
  /** The lines that are served: all, or a part. */
  readonly lines: readonly LogLine[];
  readonly total: number;
  readonly closed: boolean;
  /** What became of it, where nothing of it is here for its age; else null. */
  readonly removed: string | null;
  /** When its first line was written. */
  readonly startedAt: number;
  readonly errorLine: number | null;
  readonly search: LogSearch | null;
}

export interface LogSearch {
  readonly query: string;
  readonly matches: readonly LogLine[];
  /** The first line that was searched, and the last: not all where there were too many matches, or it took too long. */
  readonly searchedFrom: number;
  readonly searchedTo: number;
}

/** What the island is given: it reads the lines themselves from the page, or from the server. */
export interface LogIslandData {
  readonly runId: string;
  readonly step: string;
  readonly index: number;
  readonly attempt: number;
  readonly address: string;
  readonly total: number;
  readonly closed: boolean;
  readonly startedAt: number;
  readonly windowed: boolean;
}

export function logPage(view: LogPageView): Page {
  const { runId, step, index, attempt, total, closed, startedAt, search } = view;
  const address = logAddress(runId, step, index, attempt);
  const windowed = total > viewLimits.logPlainLines;
  const data: LogIslandData = { runId, step, index, attempt, address, total, closed, startedAt, windowed };
  return {
    title: `Log of ${stepName(view)}, ${view.pipeline} #${view.runNumber}`,
    area: 'runs',
    island: search === null ? { name: 'log', data } : null,
    body: html`${headOf(view, address)}${search === null ? linesOf(view, address, windowed) : searchOf(view, search, address)}`,
  };
}

function stepName({ step, mapped, index }: LogPageView): string {
  return mapped ? `${step}[${index}]` : step;
}

function headOf(view: LogPageView, address: string): Markup {
  const { runId, step, index, mapped, attempt, attempts, errorLine, search } = view;
  return html`<header class="page-head">
    <p class="crumbs">
      <a href=${`/runs?${new URLSearchParams({ pipeline: view.pipeline })}`}>${view.pipeline}</a>${' / '}<a
        href=${panelAddress(runId, step, mapped ? index : null, attempt)}
        data-key="u">${`#${view.runNumber}`}</a>
    </p>
    <div class="title-row">
      <h1><code>${stepName(view)}</code>${' '}<span class="run-number">log</span></h1>
      ${markOf(stepMarks[view.state])}<span class="liveness muted" id="liveness"></span>
    </div>
    <div class="log-tools">
      <p class="muted" id="log-count">${logSizeText(view)}</p>
      ${attempts > 1 ? html`<nav class="attempt-links" aria-label="Attempts">${Array.from({ length: attempts }, (_, at) => at + 1).map((number) => html`<a href=${logAddress(runId, step, index, number)} aria-current=${number === attempt ? 'true' : undefined}>${`attempt ${number}`}</a>`)}</nav>` : null}
      ${errorLine === null ? null : html`<a href=${lineAddress(address, errorLine)}>${`Where it failed, line ${grouped(String(errorLine))}`}</a>`}
      <a href=${`${address}?raw=1`} download>Download</a>
      <form method="get" action=${address} role="search">
        <label class="hidden" for="q">Search the whole log</label>
        <input
          id="q"
          name="q"
          type="search"
          placeholder="Search the whole log"
          value=${search?.query ?? ''}
          maxlength="200"
          data-key="/"
        />
        <button type="submit">Search</button>
      </form>
    </div>
  </header>`;
}

function linesOf(view: LogPageView, address: string, windowed: boolean): Markup {
  const { lines, total, startedAt } = view;
  if (total === 0)
    return html`<div class="log whole" id="log">
      <p class="log-more muted">${emptyLogText(view)}</p>
    </div>`;
  const place = { address: '', startedAt, lineCharactersMax: null };
  const log = html`<div class="log whole" id="log" tabindex="0" role="region" aria-label="Log">
    ${logBlocks(appendLines([], lines), place)}
  </div>`;
  if (!windowed) return log;
  return html`<div id="log-parts">${partLinks(view, address)}${log}${partLinks(view, address)}</div>`;
}

function partLinks({ lines, total }: LogPageView, address: string): Markup {
  const [first, last] = [lines[0]?.number ?? 1, lines.at(-1)?.number ?? 0];
  const part = viewLimits.logPartLines;
  return html`<nav class="parts" aria-label="Parts of the log">
    <span>${first > 1 ? html`<a href=${`${address}?from=${Math.max(1, first - part)}`}>Earlier</a>` : null}</span>
    <span class="muted">${`Lines ${grouped(String(first))} to ${grouped(String(last))} of ${grouped(String(total))}`}</span>
    <span>${last < total ? html`<a href=${`${address}?from=${last + 1}`}>Later</a>${' '}<a href=${`${address}?from=${Math.max(1, total - part + 1)}`}>End</a>` : null}</span>
  </nav>`;
}

function searchOf({ total, startedAt }: LogPageView, search: LogSearch, address: string): Markup {
  const { query, matches, searchedFrom, searchedTo } = search;
  const found =
    matches.length === 0 ? `No line has “${query}” in it` : `${countText(matches.length, 'line')} with “${query}”`;
  const whole = searchedFrom === 1 && searchedTo >= total;
  const part = whole ? '.' : ` between the lines ${grouped(String(searchedFrom))} and ${grouped(String(searchedTo))}.`;
  const onwards = `${address}?${new URLSearchParams({ q: query, after: String(searchedTo) })}`;
  return html`<section aria-label="What was found">
    <p class="found" role="status">${found}${part}${' '}${searchedTo < total ? html`<a href=${onwards}>Search on from there</a>${' '}` : null}<a href=${address}>Back to the log</a></p>
    ${matches.length === 0 ? null : html`<div class="log" tabindex="0" role="region" aria-label="Lines that were found"><div class="lines">${matches.map((line) => lineOf(line, { address, startedAt, lineCharactersMax: 2000 }))}</div></div>`}
  </section>`;
}
