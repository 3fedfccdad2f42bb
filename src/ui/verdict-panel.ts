/** Champion against challenger: the sentence, the interval with the gate drawn in, what differs, what happens next. */
import type { RunReport } from '../forge/forge.ts';
import type { MetricComparison } from '../verdict/verdict.ts';
import { html, type Markup } from './html.ts';
import { intervalChart } from './interval-chart.ts';
import { gainText, numberText, percentText } from './number-text.ts';
import { runAddress, type RunHead } from './run-view.ts';
import { shapeOf, verdictMarks } from './state-mark.ts';
import { loginAddress, type Visitor } from './visitor.ts';

type Challenge = RunReport['challenges'][number];

export function verdictPanel(head: RunHead, challenge: Challenge, visitor: Visitor): Markup {
  const { verdict, championVersion, model } = challenge;
  const mark = verdictMarks[verdict.kind];
  const { difference } = verdict;
  return html`<section class=${`card verdict`} aria-label=${`Verdict on ${model}`}>
    <header class="card-head">
      <h2 class=${`tone-${mark.tone}`}>${shapeOf(mark)}<span>${mark.word}</span></h2>
      <p class="muted">
        <a href=${`/models/${encodeURIComponent(model)}`}>${model}</a>${championVersion === null ? ', no champion before' : `, against champion v${championVersion}`}
      </p>
    </header>
    <p class="reason">${verdict.reason}</p>
    ${intervalChart(verdict, championVersion, mark.tone)}
    ${difference === null ? null : html`<p class="caption">${methodText(challenge)}</p>`} ${metricsTable(challenge)}
    ${challenge.next === '' ? null : html`<p class="next"><span class="next-word">Next</span>${challenge.next}</p>`}
    ${challenge.awaitsApproval ? approval(head, model, visitor) : null}
  </section>`;
}

/** A button for who has logged in, and the command to be copied for who has not. */
function approval(head: RunHead, model: string, visitor: Visitor): Markup {
  if (visitor.kind === 'reader')
    return html`<p class="muted">
        <a href=${loginAddress(runAddress(head.id))}>Log in to promote it</a>, or do it in a terminal, in the folder of the server:
      </p>
      <pre class="code" tabindex="0">${`contender promote ${head.pipeline}#${head.number} --model ${model}`}</pre>`;
  return html`<form class="decision" method="post" action=${`${runAddress(head.id)}/promote`}>
    <input type="hidden" name="token" value=${visitor.formToken} />
    <input type="hidden" name="model" value=${model} />
    <button class="main">${`Promote ${model} of ${head.sha.slice(0, 7)}`}</button>
  </form>`;
}

function methodText({ verdict }: Challenge): string {
  const { difference } = verdict;
  if (difference === null) return '';
  const method = difference.method === 'delong' ? 'DeLong' : 'Paired bootstrap';
  const p = difference.p === null ? '' : `, p = ${numberText(difference.p)}`;
  return `Gain in ${verdict.metric} with its ${percentText(difference.confidence)} % interval. ${method} on the same ${numberText(verdict.rows)} rows${p}.`;
}

function metricsTable({ verdict, championVersion }: Challenge): Markup {
  if (verdict.metrics.length === 0) return null;
  const compared = verdict.metrics.some((metric) => metric.champion !== null);
  const guarded = verdict.metrics.some((metric) => metric.guardrail !== null);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Metrics">
    <table class="numbers cards">
      <thead>
        <tr>
          <th scope="col">Metric</th>
          ${compared ? html`<th scope="col" class="right">${championVersion === null ? 'Champion' : `Champion v${championVersion}`}</th>` : null}
          <th scope="col" class="right">Challenger</th>
          ${compared ? html`<th scope="col" class="right">Change</th>` : null}
          ${guarded ? html`<th scope="col">Guardrail</th>` : null}
        </tr>
      </thead>
      <tbody>
        ${verdict.metrics.map((metric) => metricRow(metric, metric.metric === verdict.metric, compared, guarded))}
      </tbody>
    </table>
  </div>`;
}

function metricRow(metric: MetricComparison, main: boolean, compared: boolean, guarded: boolean): Markup {
  const change = changeOf(metric);
  return html`<tr class=${change === null || change.tone === 'idle' ? 'same' : ''}>
    <th scope="row">
      ${main ? html`<strong>${metric.metric}</strong>` : metric.metric}${metric.greaterIsBetter ? null : html`<span class="muted">${' lower is better'}</span>`}
    </th>
    ${compared ? html`<td class="right" data-label="Champion">${numberText(metric.champion)}</td>` : null}
    <td class="right" data-label="Challenger">${numberText(metric.challenger)}</td>
    ${compared ? html`<td class=${`right tone-${change?.tone ?? 'idle'}`} data-label="Change">${change?.text ?? '–'}</td>` : null}
    ${guarded ? html`<td class=${metric.guardrail === null ? 'nothing' : 'wide'} data-label="Guardrail">${guardrailOf(metric)}</td>` : null}
  </tr>`;
}

function changeOf({
  champion,
  challenger,
  greaterIsBetter,
}: MetricComparison): { readonly text: string; readonly tone: string } | null {
  if (champion === null || challenger === null) return null;
  const change = challenger - champion;
  if (change === 0) return { text: 'same', tone: 'idle' };
  const better = change > 0 === greaterIsBetter;
  return { text: `${gainText(change)} ${better ? 'better' : 'worse'}`, tone: better ? 'good' : 'bad' };
}

function guardrailOf({ guardrail }: MetricComparison): Markup {
  if (guardrail === null) return html`<span class="muted">–</span>`;
  const limit = `may lose ${numberText(guardrail.maxLoss)}`;
  return guardrail.held
    ? html`<span class="tone-good">✓ held</span>${' '}<span class="muted">${limit}</span>`
    : html`<span class="tone-bad">✗ broken</span>${' '}<span class="muted">${limit}</span>`;
}
