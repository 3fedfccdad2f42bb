/** Where a run went wrong first: the message, and the lines of the log around it. */
import type { FailureCause } from '../engine/event.ts';
import { html, type Markup } from './html.ts';
import { lineOf } from './log-lines.ts';
import { lineAddress, logAddress, panelAddress, type FailureView } from './run-view.ts';
import { shapeOf, stepMarks } from './state-mark.ts';

/** What stopped an attempt, after "failed". */
export const causeWords: Readonly<Record<FailureCause, string>> = {
  code: 'in its own code',
  timeout: 'at its time limit',
  'out-of-memory': 'out of memory',
  output: 'its output cannot be used',
  lost: 'lost with its machine',
  evicted: 'evicted',
  start: 'could not be started',
  shutdown: 'ended with its server',
  registry: 'the registry could not be used',
  invalid: 'it cannot run as it is written',
  'non-retryable': 'in its own code, which asks for no other try',
  cancelled: 'stopped by a cancel',
};

export function failurePanel(runId: string, failure: FailureView): Markup {
  const { step, index, attempt, mapped, cause, message, line, lines } = failure;
  const address = logAddress(runId, step, index, attempt);
  return html`<section class="card failure" aria-label="What went wrong">
    <header class="card-head">
      <h2 class="tone-bad">
        ${shapeOf(stepMarks.failed)}<span><a href=${panelAddress(runId, step, mapped ? index : null)}><code>${step}${mapped ? `[${index}]` : ''}</code></a>${' '}failed</span>
      </h2>
      <p class="muted">${cause === null ? '' : causeWords[cause]}${attempt > 1 ? `, after ${attempt} attempts` : ''}</p>
    </header>
    <p class="reason">${message}</p>
    ${
      lines.length === 0
        ? null
        : html`<div class="log excerpt" tabindex="0" role="region" aria-label="Lines around the error">
            <div class="lines">
              ${lines.map((each) => lineOf(each, { address, startedAt: lines[0]?.at ?? 0, lineCharactersMax: 2000 }, each.number === line))}
            </div>
          </div>`
    }
    ${line === null ? null : html`<p><a href=${lineAddress(address, line)}>${`Open the log at line ${line}`}</a></p>`}
  </section>`;
}
