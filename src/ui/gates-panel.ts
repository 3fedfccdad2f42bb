/** What the data gates measured, with the limits beside it. */
import { checkName, type RunReport } from '../forge/forge.ts';
import { html, type Markup } from './html.ts';
import { countText, numberText } from './number-text.ts';
import { shapeOf, stepMarks } from './state-mark.ts';

type Gate = RunReport['gates'][number];

export function gatesPanel(gates: readonly Gate[]): Markup {
  return gates.map((gate) => gatePanel(gate));
}

function gatePanel(gate: Gate): Markup {
  const failed = gate.checks.filter((check) => !check.passed).length;
  const mark = gate.passed ? stepMarks.success : stepMarks.failed;
  const word = gate.passed
    ? `Data gate passed ${countText(gate.checks.length, 'check')}`
    : `Data gate failed ${failed} of ${countText(gate.checks.length, 'check')}`;
  const head = html`<h2 class=${`tone-${mark.tone}`}>${shapeOf(mark)}<span>${word}</span></h2>
    <p class="muted"><code>${gate.step}</code> on <code>${gate.path}</code></p>`;
  // What held is there for who asks; what did not is what the reader came for.
  return html`<section class="card" aria-label=${`Data gate ${gate.step}`} key=${gate.step}>
    ${
      gate.passed
        ? html`<details class="fold">
            <summary class="card-head">${head}</summary>
            ${checksTable(gate)}
          </details>`
        : html`<header class="card-head">${head}</header>
            ${checksTable(gate)}`
    }
  </section>`;
}

function checksTable(gate: Gate): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Checks of ${gate.step}`}>
    <table class="numbers cards">
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col" class="right">Value</th>
          <th scope="col">Limit</th>
          <th scope="col">Result</th>
        </tr>
      </thead>
      <tbody>
        ${gate.checks.map(checkRow)}
      </tbody>
    </table>
  </div>`;
}

function checkRow(check: Gate['checks'][number]): Markup {
  const mark = check.passed ? stepMarks.success : stepMarks.failed;
  return html`<tr>
    <th scope="row">${checkName(check.check)}${check.column === null ? null : html`${' of '}<code>${check.column}</code>`}</th>
    <td class="right" data-label="Value">${numberText(check.value)}</td>
    <td data-label="Limit">${check.limit}</td>
    <td class="wide" data-label="Result">
      <span class=${`state tone-${mark.tone}`}>${shapeOf(mark)}<span class="word">${check.passed ? 'passed' : check.message || 'failed'}</span></span>
    </td>
  </tr>`;
}
