/** The page of a run. What is shown, in the order of a reader's questions: what came out, why, where is it now. */
import { approvalsPanel } from './approvals-panel.ts';
import { failurePanel } from './failure-panel.ts';
import { gatesPanel } from './gates-panel.ts';
import { graphPanel } from './graph-panel.ts';
import { html, webAddress, type Markup } from './html.ts';
import { ownerLink, tagLinks } from './keepers.ts';
import { refusedBy } from '../verdict/verdict.ts';
import type { FollowLink, NoticeView, RunHead, RunLink, RunView, UndeliveredView } from './run-view.ts';
import { markOf, runMarkOf, type Mark } from './state-mark.ts';
import { stepPanel, type ShownLog } from './step-panel.ts';
import { stepsPanel } from './steps-panel.ts';
import { durationText, momentText, timeOf, type Watch } from './time.ts';
import { runActions } from './run-actions.ts';
import { verdictPanel } from './verdict-panel.ts';
import type { Visitor } from './visitor.ts';

/** Whether what is seen moves on by itself. `still`: the page was only just served, or has no program. */
export type Liveness =
  | { readonly kind: 'live' }
  | { readonly kind: 'stale'; readonly since: number }
  | { readonly kind: 'still' }
  | { readonly kind: 'ended' };

export interface RunPageState {
  readonly view: RunView;
  readonly log: ShownLog | null;
  readonly liveness: Liveness;
  readonly watch: Watch;
  readonly visitor: Visitor;
}

export function runPage({ view, log, liveness, watch, visitor }: RunPageState): Markup {
  const { head } = view;
  return html`
    ${headline(view, liveness, watch, visitor)} ${view.failure === null || failedByGate(view) ? null : failurePanel(head.id, view.failure)}
    ${approvalsPanel(view, watch, visitor)} ${view.challenges.map((challenge) => verdictPanel(head, challenge, visitor))} ${gatesPanel(view.gates)}
    ${graphPanel(view, watch)}
    ${stepsPanel(view, watch)} ${view.panel === null ? null : stepPanel(view, view.panel, log, watch, visitor)}
  `;
}

export function runTitle(view: RunView): string {
  const { head } = view;
  const mark = markOfRun(view);
  const sign = { good: '✓', bad: '✗', busy: '◐', warn: '◌', idle: '⊘' }[mark.tone];
  return `${sign} ${head.pipeline} #${head.number} ${mark.word}`;
}

function failedSteps({ steps }: RunView): number {
  return steps.filter(({ state }) => state === 'failed').length;
}

function markOfRun({ head, challenges }: RunView): Mark {
  return runMarkOf(head.state, refusedBy(challenges.map(({ verdict }) => verdict.kind)));
}

function headline(view: RunView, liveness: Liveness, watch: Watch, visitor: Visitor): Markup {
  const { head } = view;
  const { trigger } = head;
  const pullRequestUrl = webAddress(trigger.pullRequest?.url ?? null);
  const shaUrl = webAddress(head.shaUrl);
  const sha = html`<code title=${head.sha}>${head.sha.slice(0, 10)}</code>`;
  return html`<header class="page-head">
    <p class="crumbs"><a href=${`/runs?${new URLSearchParams({ pipeline: head.pipeline })}`} data-key="u">${head.pipeline}</a></p>
    <div class="title-row">
      <h1>${head.pipeline}${' '}<span class="run-number">${`#${head.number}`}</span></h1>
      ${markOf(markOfRun(view))} ${livenessOf(liveness, view, watch)} ${runActions(head, failedSteps(view), visitor)}
    </div>
    ${saidBelow(view) ? null : html`<p class="summary">${head.summary}</p>`}
    <dl class="facts">
      <div>
        <dt>Trigger</dt>
        <dd>
          ${trigger.pullRequest === null ? null : html`${pullRequestUrl === null ? `Pull request #${trigger.pullRequest.number}` : html`<a href=${pullRequestUrl}>${`Pull request #${trigger.pullRequest.number}`}</a>`}${trigger.pullRequest.fork ? ' from a fork' : ''}, `}${trigger.text}
        </dd>
      </div>
      ${
        trigger.branch === null
          ? null
          : html`<div>
              <dt>Branch</dt>
              <dd>
                <a href=${`/runs?${new URLSearchParams({ branch: trigger.branch })}`}><bdi>${trigger.branch}</bdi></a>
              </dd>
            </div>`
      }
      ${chainOf(head)} ${followingOf(head)} ${newsOf(head, watch)}
      <div>
        <dt>Commit</dt>
        <dd>${shaUrl === null ? sha : html`<a href=${shaUrl}>${sha}</a>`}</dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>${timeOf(head.openedAt, watch)}</dd>
      </div>
      <div>
        <dt>${head.finishedAt === null ? 'Running for' : 'Took'}</dt>
        <dd>${durationText((head.finishedAt ?? watch.now) - head.openedAt)}</dd>
      </div>
      ${
        head.owner === null
          ? null
          : html`<div>
              <dt>Owner</dt>
              <dd>${ownerLink(head.owner)}</dd>
            </div>`
      }
      ${
        head.tags.length === 0
          ? null
          : html`<div>
              <dt>Tags</dt>
              <dd>${tagLinks(head.tags)}</dd>
            </div>`
      }
      ${deadlineOf(head, watch)} ${noticesOf(view, watch)} ${undeliveredOf(view, watch)}
      ${
        head.logicalDate === null
          ? null
          : html`<div>
              <dt>Logical date</dt>
              <dd>${momentText(head.logicalDate, 'utc')}</dd>
            </div>`
      }
      ${head.parameters.map(
        ({ name, value }) =>
          html`<div>
            <dt>${name}</dt>
            <dd><code>${value}</code></dd>
          </div>`,
      )}
    </dl>
  </header>`;
}

function deadlineOf({ deadline }: RunHead, watch: Watch): Markup | null {
  if (deadline === null) return null;
  return html`<div>
    <dt>Deadline</dt>
    <dd>${deadline.missed ? html`<strong class="tone-warn">missed</strong>, ` : null}${timeOf(deadline.at, watch)}</dd>
  </div>`;
}

function noticesOf({ notices }: RunView, watch: Watch): Markup | null {
  if (notices.length === 0) return null;
  return html`<div>
    <dt>Told</dt>
    <dd>${notices.map((notice, at) => html`${at === 0 ? '' : '; '}${noticeText(notice, watch)}`)}</dd>
  </div>`;
}

function noticeText({ channel, event, error, dueAt }: NoticeView, watch: Watch): Markup {
  const what = html`${channel} of the ${newsWords[event]}`;
  if (error === null) return dueAt === null ? what : html`${what}, on its way`;
  return notDelivered(what, { error, dueAt }, watch);
}

function notDelivered(what: Markup, { error, dueAt }: Pick<UndeliveredView, 'error' | 'dueAt'>, watch: Watch): Markup {
  const next = dueAt === null ? 'given up' : html`tried again at ${timeOf(dueAt, watch)}`;
  return html`<strong class="tone-warn">${what}: not delivered</strong>, ${next}: ${error}`;
}

function undeliveredOf({ undelivered }: RunView, watch: Watch): Markup | null {
  if (undelivered.length === 0) return null;
  return html`<div>
    <dt>Reports</dt>
    <dd>${undelivered.map((each, at) => html`${at === 0 ? '' : '; '}${notDelivered(reportsText(each), each, watch)}`)}</dd>
  </div>`;
}

function reportsText({ reports }: UndeliveredView): string {
  return reports.map((report) => reportWords[report]).join(', ');
}

const reportWords = { status: 'commit status', check: 'check run', comment: 'comment' } as const;

const newsWords: Readonly<Record<NoticeView['event'], string>> = {
  'deadline-missed': 'missed deadline',
  'run-failed': 'failure',
  'run-recovered': 'recovery',
  'promotion-failed': 'promotion that failed',
  'approval-needed': 'approval to decide',
  'tick-missed': 'missed tick',
};

function chainOf({ chain: { earlier, later } }: RunHead): Markup {
  const linkOf = ({ id, number, steps }: RunLink): Markup =>
    html`<a href=${`/runs/${encodeURIComponent(id)}`}>${`#${number}`}</a>${`, ${steps}`}`;
  return html`
    ${
      earlier === null
        ? null
        : html`<div>
            <dt>Re-run of</dt>
            <dd>${linkOf(earlier)}</dd>
          </div>`
    }
    ${
      later.length === 0
        ? null
        : html`<div>
            <dt>Run again as</dt>
            <dd>${later.map((link, at) => html`${at === 0 ? '' : '; '}${linkOf(link)}`)}</dd>
          </div>`
    }
  `;
}

/** The run that started this one, and what this one started or why not. */
function followingOf({ chain: { upstream, followers } }: RunHead): Markup {
  const linkOf = ({ pipeline, run, reason }: FollowLink): Markup =>
    run === null
      ? html`${pipeline}<span class="muted">${reason === null ? ', not looked at yet' : `, not started: ${reason}`}</span>`
      : html`<a href=${`/runs/${encodeURIComponent(run.id)}`}>${`${pipeline} #${run.number}`}</a>`;
  return html`
    ${
      upstream === null
        ? null
        : html`<div>
            <dt>After</dt>
            <dd>${linkOf(upstream)}</dd>
          </div>`
    }
    ${
      followers.length === 0
        ? null
        : html`<div>
            <dt>Followed by</dt>
            <dd>${followers.map((link, at) => html`${at === 0 ? '' : '; '}${linkOf(link)}`)}</dd>
          </div>`
    }
  `;
}

const newsShownMax = 5;

function newsOf({ news, newsMore }: RunHead, watch: Watch): Markup {
  if (news.length === 0) return null;
  const shown = news.slice(-newsShownMax).toReversed();
  const more = newsMore + news.length - shown.length;
  return html`<div>
    <dt>News of data</dt>
    <dd>
      ${shown.map(({ dataset, digest, at, runId }) => html`<div>${dataset}${digest === null ? '' : html`${' '}<code title=${digest}>${digest.slice(0, 10)}</code>`}${', '}${timeOf(at, watch)}${runId === null ? '' : html`${', '}<a href=${`/runs/${encodeURIComponent(runId)}`}>its run</a>`}</div>`)}${more === 0 ? null : html`<div class="muted">${`and ${more} more`}</div>`}
    </dd>
  </div>`;
}

/** The gate's own panel says more than its log. */
function failedByGate({ failure, gates }: RunView): boolean {
  return gates.some((gate) => !gate.passed && gate.step === failure?.step);
}

/** Whether the sentence stands right below: in the failure, or as the verdict's reason. */
function saidBelow({ head, failure, challenges }: RunView): boolean {
  return (head.state === 'failed' && failure !== null) || challenges.length === 1;
}

function livenessOf(liveness: Liveness, view: RunView, watch: Watch): Markup {
  switch (liveness.kind) {
    case 'live':
      return html`<span class="liveness live"><span class="pulse" aria-hidden="true"></span>${statusOf('live')}</span>`;
    case 'stale':
      return html`<span class="liveness stale">${statusOf('not live,')}${' '}<span>last seen ${timeOf(liveness.since, watch)}</span></span>`;
    case 'still':
      return view.head.finishedAt === null
        ? html`<span class="liveness muted"><span>as of ${timeOf(view.now, watch)}</span></span>`
        : null;
    case 'ended':
      return null;
    default:
      return liveness satisfies never;
  }
}

/** Told aloud when it changes, so it has no time in it. The key keeps it one element. */
function statusOf(text: string): Markup {
  return html`<span role="status" key="status">${text}</span>`;
}
