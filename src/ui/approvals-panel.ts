/** What a person is asked to decide, and how to: the pages only show, so the commands stand here to be copied. */
import type { AwaitedApproval } from '../engine/engine.ts';
import { html, type Markup } from './html.ts';
import type { RunHead, RunView } from './run-view.ts';
import { shapeOf, stepMarks } from './state-mark.ts';
import { timeOf, type Watch } from './time.ts';

export function approvalsPanel({ head, approvals }: RunView, watch: Watch): Markup {
  return approvals.map((approval) => approvalPanel(head, approval, watch));
}

function approvalPanel(head: RunHead, { step, message, requestedAt, dueAt }: AwaitedApproval, watch: Watch): Markup {
  const mark = stepMarks.deferred;
  const run = `${head.pipeline}#${head.number}`;
  const commands = [`contender approve ${run} ${step}`, `contender reject ${run} ${step} --reason "why not"`];
  return html`<section class="card" aria-label=${`Approval ${step}`} key=${step}>
    <header class="card-head">
      <h2 class=${`tone-${mark.tone}`}>${shapeOf(mark)}<span>Waits for your decision</span></h2>
      <p class="muted"><code>${step}</code> since ${timeOf(requestedAt, watch)}, until ${timeOf(dueAt, watch)}</p>
    </header>
    ${message === null ? null : html`<p class="description">${message}</p>`}
    <p class="muted">Decide in a terminal, in the folder of the server:</p>
    <pre class="code" tabindex="0">${commands.join('\n')}</pre>
  </section>`;
}
