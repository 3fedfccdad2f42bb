/** What a person is asked to decide: with buttons for who has logged in, and with the commands to be copied for who has not. */
import type { AwaitedApproval } from '../engine/engine.ts';
import { html, type Markup } from './html.ts';
import { runAddress, type RunHead, type RunView } from './run-view.ts';
import { shapeOf, stepMarks } from './state-mark.ts';
import { timeOf, type Watch } from './time.ts';
import { loginAddress, type Visitor } from './visitor.ts';

export function approvalsPanel({ head, approvals }: RunView, watch: Watch, visitor: Visitor): Markup {
  return approvals.map((approval) => approvalPanel(head, approval, watch, visitor));
}

function approvalPanel(head: RunHead, approval: AwaitedApproval, watch: Watch, visitor: Visitor): Markup {
  const { step, message, requestedAt, dueAt } = approval;
  const mark = stepMarks.deferred;
  return html`<section class="card" aria-label=${`Approval ${step}`} key=${step}>
    <header class="card-head">
      <h2 class=${`tone-${mark.tone}`}>${shapeOf(mark)}<span>Waits for your decision</span></h2>
      <p class="muted"><code>${step}</code> since ${timeOf(requestedAt, watch)}, until ${timeOf(dueAt, watch)}</p>
    </header>
    ${message === null ? null : html`<p class="description">${message}</p>`}
    ${visitor.kind === 'reader' ? commandsOf(head, step) : formOf(head, step, visitor.formToken)}
  </section>`;
}

/** Enter in a field presses the first button of its form, and would approve. */
const enterDecidesNothing = html`<button type="submit" disabled hidden></button>`;

function formOf(head: RunHead, step: string, formToken: string): Markup {
  return html`<form class="decision" method="post" action=${`${runAddress(head.id)}/decide`}>
    <input type="hidden" name="token" value=${formToken} />
    <input type="hidden" name="step" value=${step} />
    ${enterDecidesNothing}
    <label><span>Reason</span><input name="reason" maxlength="1000" autocomplete="off" /></label>
    <button class="main" name="decision" value="approve">${`Approve ${step} at ${head.sha.slice(0, 7)}`}</button>
    <button name="decision" value="reject">${`Reject ${step}`}</button>
  </form>`;
}

function commandsOf(head: RunHead, step: string): Markup {
  const run = `${head.pipeline}#${head.number}`;
  const commands = [`contender approve ${run} ${step}`, `contender reject ${run} ${step} --reason "why not"`];
  return html`<p class="muted">
      <a href=${loginAddress(runAddress(head.id))}>Log in to decide</a>, or decide in a terminal, in the folder of the server:
    </p>
    <pre class="code" tabindex="0">${commands.join('\n')}</pre>`;
}
