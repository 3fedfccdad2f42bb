/** All steps as a table: state, timeline, how long. The list behind the graph, and in its place where there is none. */
import { noteOf } from './graph-panel.ts';
import { html, type Markup } from './html.ts';
import { countText } from './number-text.ts';
import { panelAddress, type RunView, type StepView } from './run-view.ts';
import { markOf, originMarkOf, shapeOf, stepMarks } from './state-mark.ts';
import { axisOf, barsOf, spanOf, type Span } from './timeline.ts';
import { durationText, type Watch } from './time.ts';

export function stepsPanel(view: RunView, watch: Watch): Markup {
  const { head } = view;
  const span = spanOf(head.openedAt, head.finishedAt, watch.now);
  return html`<section class="card" aria-labelledby="steps-title">
    <header class="card-head">
      <h2 id="steps-title">Steps</h2>
      <p class="muted">${countText(view.steps.length, 'step')}</p>
    </header>
    <div class="scroll" tabindex="0" role="region" aria-label="Steps and when they ran">
      <table class="steps">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">State</th>
            <th scope="col" class="time-column"><span class="hidden">Timeline</span>${axisOf(span, watch)}</th>
            <th scope="col" class="right">Took</th>
          </tr>
        </thead>
        <tbody>
          ${view.steps.map((step) => stepRow(step, view, span, watch))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function stepRow(step: StepView, view: RunView, span: Span, watch: Watch): Markup {
  const mark = stepMarks[step.state];
  const selected = view.panel?.step === step.name;
  const origin = originMarkOf(step);
  return html`<tr key=${step.name} class=${selected ? 'selected' : ''} data-row>
    <th scope="row">
      <a href=${panelAddress(view.head.id, step.name)} aria-current=${selected ? 'true' : undefined}>${step.name}</a><span class="kind">${step.kind}</span>
    </th>
    <td>
      ${step.mapped && step.counts.length > 0 ? html`<span class=${`state tone-${mark.tone}`}>${shapeOf(mark)}<span class="word">${noteOf(step, watch)}</span></span>` : markOf(mark)}${triesOf(step)}${origin === null ? null : html`${' '}${markOf(origin)}`}
    </td>
    <td class="time-column">${barsOf(step.bars, span, watch.now)}</td>
    <td class="right nowrap">
      ${step.startedAt === null ? '–' : durationText((step.finishedAt ?? watch.now) - step.startedAt)}
    </td>
  </tr>`;
}

function triesOf(step: StepView): Markup {
  return !step.mapped && step.attempts > 1
    ? html`<span class="muted">${` ${countText(step.attempts, 'attempt')}`}</span>`
    : null;
}
