/** What is said of a commit, statuses and check runs together, as a box above the button that merges. */
import type { Core } from '../core.ts';
import { latestStatuses } from '../endpoints-commits.ts';
import { fullName } from '../world.ts';
import { html, safeAddress, type Markup } from './html.ts';
import { plural } from './layout.ts';

export type Mark = 'success' | 'failure' | 'error' | 'pending' | 'neutral';

interface Said {
  readonly name: string;
  readonly mark: Mark;
  readonly text: string;
  readonly address: string | null;
  readonly kind: 'status' | 'check';
}

const marks: Readonly<Record<Mark, string>> = { success: '✓', failure: '✗', error: '✗', pending: '●', neutral: '■' };

export function markOf(mark: Mark): Markup {
  return html`<span class="mark ${mark}" title="${mark}">${marks[mark]}</span>`;
}

function saidOf({ world }: Core, sha: string): readonly Said[] {
  const statuses = latestStatuses(world.statuses, sha).map((status): Said => ({
    name: status.context,
    mark: status.state,
    text: status.description ?? '',
    address: status.targetUrl,
    kind: 'status',
  }));
  const checks = world.checkRuns
    .filter((check) => check.sha === sha)
    .map((check): Said => {
      const address = `/${fullName(world.repository)}/runs/${check.id}`;
      return {
        name: check.name,
        mark: markOfCheck(check.status, check.conclusion),
        text: check.title ?? check.status,
        address,
        kind: 'check',
      };
    });
  return [...checks, ...statuses];
}

const harmless: readonly (string | null)[] = ['neutral', 'skipped', 'cancelled', 'stale'];

export function markOfCheck(status: string, conclusion: string | null): Mark {
  if (status !== 'completed') return 'pending';
  if (conclusion === 'success') return 'success';
  return harmless.includes(conclusion) ? 'neutral' : 'failure';
}

/** The worst that is said, or null where nothing is. */
export function overall(core: Core, sha: string): Mark | null {
  const said = saidOf(core, sha).map(({ mark }) => mark);
  if (said.length === 0) return null;
  return (['failure', 'error', 'pending', 'success', 'neutral'] as const).find((mark) => said.includes(mark)) ?? null;
}

export function checksBox(core: Core, sha: string): Markup {
  const said = saidOf(core, sha);
  const mark = overall(core, sha);
  if (mark === null) return html`<div class="box"><div class="summary">No checks on this commit</div></div>`;
  const passed = said.filter((each) => each.mark === 'success').length;
  const title = {
    success: 'All checks have passed',
    neutral: 'No check failed',
    failure: 'Some checks were not successful',
    error: 'Some checks were not successful',
    pending: 'Some checks haven’t completed yet',
  }[mark];
  return html`<div class="box ${mark === 'error' ? 'failure' : mark}">
    <div class="summary">
      ${markOf(mark)}
      <div>${title}<small>${passed} of ${plural(said.length, 'check')} successful</small></div>
    </div>
    <div>${said.map(rowOf)}</div>
  </div>`;
}

function rowOf({ name, mark, text, address, kind }: Said): Markup {
  const safe = address === null ? null : safeAddress(address);
  return html`<div class="row">
    ${markOf(mark)}
    <div class="grow">
      <b>${name}</b> <span class="muted">${kind === 'check' ? '(check run)' : ''}</span><small>${text}</small>
    </div>
    ${safe === null ? null : html`<a class="end" href="${safe}">Details</a>`}
  </div>`;
}
