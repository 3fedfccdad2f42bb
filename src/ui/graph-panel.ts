/** The graph of a run: drawn once at fixed places; a run changes colours, shapes and words alone. */
import type { Graph, GraphNode } from './graph-layout.ts';
import { html, type Markup } from './html.ts';
import { panelAddress, type RunView, type StepView } from './run-view.ts';
import { originMarkOf, shapeParts, stepMarks } from './state-mark.ts';
import { durationText, type Watch } from './time.ts';

/** Up to here a graph is drawn a little smaller rather than cut off. */
const fitWidthMax = 1400;

export function graphPanel(view: RunView, watch: Watch): Markup {
  const { graph } = view;
  if (graph === null || graph.nodes.length === 0) return null;
  const steps = new Map(view.steps.map((step) => [step.name, step]));
  return html`<section class="card" aria-labelledby="graph-title">
    <header class="card-head"><h2 id="graph-title">Graph</h2></header>
    <div class="scroll graph-box" tabindex="0" role="region" aria-label="Graph of the steps">
      <svg class=${graph.width <= fitWidthMax ? 'graph fits' : 'graph'} width=${graph.width} height=${graph.height} viewBox=${`0 0 ${graph.width} ${graph.height}`}>
        <g class="edges" aria-hidden="true">
          ${graph.edges.map((edge) => edgeOf(edge.path, steps.get(edge.from), steps.get(edge.to)))}
        </g>
        ${graph.nodes.map((node) => nodeOf(node, steps.get(node.step), view, watch))}
      </svg>
    </div>
  </section>`;
}

function edgeOf(path: Graph['edges'][number]['path'], from: StepView | undefined, to: StepView | undefined): Markup {
  const walked = from?.state === 'success' && to !== undefined && (to.attempts > 0 || to.reusedFrom !== null);
  return html`<path d=${path} class=${walked ? 'edge walked' : 'edge'} />`;
}

function nodeOf(node: GraphNode, step: StepView | undefined, view: RunView, watch: Watch): Markup {
  if (step === undefined) return null;
  const mark = stepMarks[step.state];
  const selected = view.panel?.step === step.name;
  const origin = originMarkOf(step);
  const note = `${noteOf(step, watch)}${origin === null ? '' : `, ${origin.word}`}`;
  const room = (characterWidth: number, taken: number): number => Math.floor((node.width - taken) / characterWidth);
  return html`<a
    href=${panelAddress(view.head.id, step.name)}
    aria-current=${selected ? 'true' : undefined}>
    <g class=${`node tone-${mark.tone}${selected ? ' selected' : ''}`} transform=${`translate(${node.x} ${node.y})`}>
      ${step.mapped ? html`<rect x="4" y="-4" width=${node.width} height=${node.height} rx="9" class="behind" />` : null}
      <rect width=${node.width} height=${node.height} rx="9" class="box" />
      <svg x="12" y="15" width="16" height="16" viewBox="0 0 16 16" class="mark" role="img" aria-label=${mark.word}>${shapeParts(mark)}</svg>
      ${origin === null ? null : html`<svg x=${node.width - 22} y="8" width="13" height="13" viewBox="0 0 16 16" class="mark tone-idle" role="img" aria-label=${origin.word}>${shapeParts(origin)}</svg>`}
      <text x="38" y="20" class="name">${shortened(step.name, room(7.2, origin === null ? 46 : 64))}</text>
      <text x="38" y="36" class="note">${cut(note, room(6, 46))}</text>
    </g>
  </a>`;
}

/** The second line of a node: counts of a mapped step, else how long it took, else its state. */
export function noteOf(step: StepView, watch: Watch): string {
  if (step.mapped && step.counts.length > 0) {
    return step.counts.map(({ state, count }) => `${count} ${stepMarks[state].word}`).join(', ');
  }
  const word = stepMarks[step.state].word;
  if (step.startedAt === null || step.state === 'queued') return word;
  const took = durationText((step.finishedAt ?? watch.now) - step.startedAt);
  const tries = step.attempts > 1 ? `, try ${step.attempts}` : '';
  if (step.state === 'failed') return `${word}${tries}`;
  return step.state === 'success' ? `${took}${tries}` : `${word} ${took}${tries}`;
}

/** What is most urgent comes first. */
function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

/** The end says more than the start where a step has groups before its name. */
function shortened(text: string, charactersMax: number): string {
  return text.length <= charactersMax
    ? text
    : `${text.slice(0, Math.ceil(charactersMax / 2) - 1)}…${text.slice(-Math.floor(charactersMax / 2))}`;
}
