/** A pull request: who wants what, its commits and comments in the order of time, its checks, and what a person may do. */
import { commits } from '../bare.ts';
import type { Core } from '../core.ts';
import type { Comment, Pull } from '../world.ts';
import { fullName } from '../world.ts';
import { checksBox, markOf, overall } from './checks.ts';
import { diffOf } from './diff.ts';
import { html, trusted, type Markup } from './html.ts';
import { faceOf, plural, renderPage, timeOf } from './layout.ts';
import { renderMarkdown } from './markdown.ts';

const commitsMax = 100;

export async function pullPage(core: Core, pull: Pull): Promise<string> {
  const home = `/${fullName(core.world.repository)}`;
  const found = await commits(core.world.repository.directory, [`${pull.baseSha}..${pull.headSha}`], commitsMax);
  const comments = core.world.comments.filter((comment) => comment.pull === pull.number);
  const pushed = found.toReversed().map((commit) => ({
    at: Date.parse(commit.committer.date),
    markup: html`<div class="item event">
      ${markOf(overall(core, commit.sha) ?? 'neutral')}
      <a href="${home}/commit/${commit.sha}">${commit.message.split('\n')[0] ?? ''}</a>
      <code>${commit.sha.slice(0, 7)}</code>
    </div>`,
  }));
  const said = comments.map((comment) => ({ at: comment.createdAt, markup: commentOf(comment) }));
  const items = [...pushed, ...said].toSorted((one, other) => one.at - other.at).map(({ markup }) => markup);
  const content = html`${headOf(core, pull, found.length)}
    <h2 class="unseen">Conversation</h2>
    <div class="timeline">
      ${faceOf(pull.author)}
      <div class="item box">
        <div class="head"><b>${pull.author.login}</b> opened this ${timeOf(pull.createdAt)}</div>
        <div class="body markdown">
          ${pull.body === null || pull.body === '' ? html`<p class="muted">No description provided.</p>` : trusted(renderMarkdown(pull.body))}
        </div>
      </div>
      ${items} ${endOf(pull)}
      <div class="item">${checksBox(core, pull.headSha)}${actionsOf(core, pull)}</div>
    </div>`;
  const waiting = overall(core, pull.headSha);
  return renderPage(core, {
    title: `${pull.title} · Pull request #${pull.number}`,
    tab: 'pulls',
    content,
    reloadSeconds: pull.state === 'open' && (waiting === 'pending' || waiting === null) ? 3 : null,
  });
}

export async function pullFilesPage(core: Core, pull: Pull): Promise<string> {
  const content = html`${headOf(core, pull, null)}${await diffOf(core.world.repository.directory, pull.baseSha, pull.headSha)}`;
  return renderPage(core, { title: `Files of #${pull.number}`, tab: 'pulls', content, reloadSeconds: null });
}

function headOf(core: Core, pull: Pull, count: number | null): Markup {
  const kind = pull.merged ? 'merged' : pull.state;
  const word = { open: 'Open', merged: 'Merged', closed: 'Closed' }[kind];
  const address = `/${fullName(core.world.repository)}/pull/${pull.number}`;
  const fork = pull.headRepository.isFork ? `${pull.headRepository.owner.login}:` : '';
  const who = pull.merged ? (pull.mergedBy ?? pull.author) : pull.author;
  return html`<h1>${pull.title} <span class="number">#${pull.number}</span></h1>
    <div class="meta">
      <span class="pill ${kind}">${word}</span
      ><span
        ><b>${who.login}</b> ${pull.merged ? 'merged' : 'wants to merge'}
        ${count === null ? 'commits' : plural(count, 'commit')} into <span class="branch">${pull.baseBranch}</span> from
        <span class="branch">${fork}${pull.headBranch}</span></span
      ><span><a href="${address}">Conversation</a> · <a href="${address}/files">Files changed</a></span>
    </div>`;
}

function commentOf(comment: Comment): Markup {
  const edited = comment.updatedAt === comment.createdAt ? '' : ' · edited';
  const counts = Map.groupBy(comment.reactions, ({ content }) => content);
  const faces: Readonly<Record<string, string>> = {
    '+1': '👍',
    '-1': '👎',
    laugh: '😄',
    confused: '😕',
    heart: '❤️',
    hooray: '🎉',
    rocket: '🚀',
    eyes: '👀',
  };
  const reactions = [...counts].map(([content, all]) => html`<span>${faces[content] ?? content} ${all.length}</span>`);
  return html`${faceOf(comment.author)}
    <div class="item box" id="issuecomment-${comment.id}">
      <div class="head">
        ${comment.author.type === 'Bot' ? html`<span class="tag">bot</span>` : null}<b>${comment.author.login}</b>
        commented ${timeOf(comment.createdAt)}${edited}
      </div>
      <div class="body markdown">${trusted(renderMarkdown(comment.body))}</div>
      ${reactions.length === 0 ? null : html`<div class="reactions">${reactions}</div>`}
    </div>`;
}

function endOf(pull: Pull): Markup | null {
  if (pull.state === 'open' || pull.closedAt === null) return null;
  if (!pull.merged) return html`<div class="item event">Closed ${timeOf(pull.closedAt)}</div>`;
  return html`<div class="item event">
    <b>${pull.mergedBy?.login ?? ''}</b> merged commit <code>${(pull.mergeSha ?? '').slice(0, 7)}</code> into
    <span class="branch">${pull.baseBranch}</span> ${timeOf(pull.closedAt)}
  </div>`;
}

/** Whoever looks may act as anybody: it is a stage, and it listens to this machine alone. */
function actionsOf(core: Core, pull: Pull): Markup {
  const people = [...core.world.users.values()].filter(
    ({ type, permission }) => type === 'User' && permission !== 'none',
  );
  const writes = people.toSorted(
    (one, other) => Number(other.permission === 'write') - Number(one.permission === 'write'),
  );
  const buttons = pull.merged
    ? null
    : pull.state === 'open'
      ? html`<button name="act" value="close">Close pull request</button
          >${pull.mergeSha === null ? html`<span class="muted">Conflicts with ${pull.baseBranch}</span>` : html`<button class="go" name="act" value="merge">Merge pull request</button>`}`
      : html`<button name="act" value="reopen">Reopen pull request</button>`;
  return html`<div class="box">
    <div class="head"><b>Add a comment</b></div>
    <div class="body">
      <form method="post">
        <textarea name="body" aria-label="Comment" placeholder="Write a comment"></textarea>
        <div class="buttons">
          <label
            >as
            <select name="user">
              ${writes.map(({ login }) => html`<option>${login}</option>`)}
            </select></label
          >${buttons}<button class="go" name="act" value="comment">Comment</button>
        </div>
      </form>
    </div>
  </div>`;
}
