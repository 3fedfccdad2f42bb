/** The repository: its newest commits, its pull requests, its README; a commit; a check run. */
import { commits, tryGit, type GitCommit } from '../bare.ts';
import type { Core } from '../core.ts';
import { fullName, type CheckRun, type Pull } from '../world.ts';
import { checksBox, markOf, markOfCheck, overall } from './checks.ts';
import { diffOf } from './diff.ts';
import { html, safeAddress, trusted, type Markup } from './html.ts';
import { renderPage, timeOf } from './layout.ts';
import { renderMarkdown } from './markdown.ts';

const commitsMax = 15;

export async function repositoryPage(core: Core): Promise<string> {
  const { directory } = core.world.repository;
  const tip = await tryGit(directory, ['rev-parse', '--verify', '--quiet', 'refs/heads/main']);
  const newest = tip.code === 0 ? await commits(directory, ['refs/heads/main'], commitsMax) : [];
  const readme = await tryGit(directory, ['show', 'refs/heads/main:README.md']);
  const content = html`<h1 class="unseen">${core.world.repository.name}</h1>
    <div class="columns">
    <div>
      <div class="box">
        <div class="head"><b>README</b></div>
        <div class="body markdown">
          ${readme.code === 0 ? trusted(renderMarkdown(readme.stdout, 'file')) : 'Nothing was pushed yet.'}
        </div>
      </div>
    </div>
    <div>
      <div class="box">
        <div class="head"><b>Pull requests</b></div>
        ${pullRows(core, core.world.pulls.toReversed())}
      </div>
      <div class="box">
        <div class="head"><b>Commits on main</b></div>
        ${newest.map((commit) => commitRow(core, commit))}
      </div>
    </div>
  </div>`;
  return renderPage(core, { title: core.world.repository.name, tab: 'code', content, reloadSeconds: null });
}

export function pullsPage(core: Core): string {
  const content = html`<h1 class="unseen">Pull requests</h1>
    <div class="box">
    <div class="head"><b>Pull requests</b></div>
    ${pullRows(core, core.world.pulls.toReversed())}
  </div>`;
  return renderPage(core, { title: 'Pull requests', tab: 'pulls', content, reloadSeconds: null });
}

function pullRows(core: Core, pulls: readonly Pull[]): Markup | readonly Markup[] {
  if (pulls.length === 0) return html`<div class="row muted">None yet.</div>`;
  return pulls.map((pull) => {
    const address = `/${fullName(core.world.repository)}/pull/${pull.number}`;
    const state = pull.merged ? 'merged' : pull.state;
    return html`<div class="row">
      ${markOf(overall(core, pull.headSha) ?? 'neutral')}
      <div class="grow">
        <a href="${address}"><b>${pull.title}</b></a
        ><small>#${pull.number} by ${pull.author.login}, ${state}</small>
      </div>
    </div>`;
  });
}

function commitRow(core: Core, commit: GitCommit): Markup {
  const address = `/${fullName(core.world.repository)}/commit/${commit.sha}`;
  return html`<div class="row">
    ${markOf(overall(core, commit.sha) ?? 'neutral')}
    <div class="grow">
      <a href="${address}">${commit.message.split('\n')[0] ?? ''}</a
      ><small>${commit.sha.slice(0, 7)} by ${commit.author.name}</small>
    </div>
  </div>`;
}

/** Null where there is no such commit. */
export async function commitPage(core: Core, sha: string): Promise<string | null> {
  const { directory } = core.world.repository;
  if (!/^[0-9a-f]{4,40}$/.test(sha) || (await tryGit(directory, ['cat-file', '-e', `${sha}^{commit}`])).code !== 0)
    return null;
  const [commit] = await commits(directory, [sha], 1);
  if (commit === undefined) return null;
  const [title = '', ...rest] = commit.message.split('\n');
  const content = html`<h1>${title}</h1>
    <div class="meta">
      <span><b>${commit.author.name}</b> committed ${timeOf(Date.parse(commit.committer.date))}</span
      ><span class="branch">${commit.sha}</span
      >${commit.parents.map((parent) => html`<span>parent <a href="/${fullName(core.world.repository)}/commit/${parent}">${parent.slice(0, 7)}</a></span>`)}
    </div>
    ${rest.join('\n').trim() === '' ? null : html`<pre class="diff" tabindex="0">${rest.join('\n').trim()}</pre>`}
    ${checksBox(core, commit.sha)} ${await diffOf(directory, commit.parents[0] ?? null, commit.sha)}`;
  return renderPage(core, {
    title,
    tab: 'code',
    content,
    reloadSeconds: overall(core, commit.sha) === 'pending' ? 3 : null,
  });
}

export function checkRunPage(core: Core, check: CheckRun): string {
  const mark = markOfCheck(check.status, check.conclusion);
  const address = check.detailsUrl === null ? null : safeAddress(check.detailsUrl);
  const content = html`<h1>${markOf(mark)} ${check.name}</h1>
    <div class="meta">
      <span>${check.conclusion ?? check.status}</span
      ><span>on <a href="/${fullName(core.world.repository)}/commit/${check.sha}">${check.sha.slice(0, 7)}</a></span
      >${address === null ? null : html`<a href="${address}">View more details</a>`}
    </div>
    <h2>${check.title ?? check.status}</h2>
    <h3 class="unseen">Summary</h3>
    <div class="markdown">
      ${trusted(renderMarkdown(check.summary ?? ''))}${trusted(renderMarkdown(check.text ?? ''))}
    </div>
    ${
      check.annotations.length === 0
        ? null
        : html`<div class="box">
            <div class="head"><b>Annotations</b></div>
            ${check.annotations.map(
              (each) =>
                html`<div class="row">
                  ${markOf(each.annotation_level === 'failure' ? 'failure' : 'neutral')}
                  <div class="grow">
                    <b>${each.path}:${each.start_line}</b> ${each.title ?? ''}<small>${each.message}</small>
                  </div>
                </div>`,
            )}
          </div>`
    }`;
  return renderPage(core, { title: check.name, tab: 'code', content, reloadSeconds: mark === 'pending' ? 3 : null });
}
