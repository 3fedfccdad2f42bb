/** A pipeline's graph as text, Mermaid or DOT. */
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';

export const graphFormats = ['text', 'mermaid', 'dot'] as const;
export type GraphFormat = (typeof graphFormats)[number];

/** `sentences`: what it follows, and what follows it; no part of the drawing. */
export function graphText(
  definition: PipelineDefinition,
  format: GraphFormat,
  sentences: readonly string[] = [],
): string {
  switch (format) {
    case 'text':
      return [asText(definition), ...sentences].join('\n');
    case 'mermaid':
      return [
        'graph LR',
        ...sentences.map((sentence) => `  %% ${sentence}`),
        ...definition.steps.map((step) => `  ${idOf(definition, step.name)}["${label(step)}"]`),
        ...edges(definition, '-->'),
      ].join('\n');
    case 'dot':
      return [
        `digraph "${definition.name}" {`,
        '  rankdir=LR; node [shape=box];',
        ...sentences.map((sentence) => `  // ${sentence}`),
        ...definition.steps.map((step) => `  ${idOf(definition, step.name)} [label="${label(step)}"];`),
        ...edges(definition, '->').map((line) => `${line};`),
        '}',
      ].join('\n');
    default:
      return unreachable(format);
  }
}

function asText(definition: PipelineDefinition): string {
  const width = Math.max(...definition.steps.map((step) => step.name.length), 0);
  const kindWidth = Math.max(...definition.steps.map((step) => kindOf(step).length), 13);
  return definition.steps
    .map((step) => {
      const after = step.upstream.length === 0 ? '' : `  after ${step.upstream.join(', ')}`;
      return `${step.name.padEnd(width)}  ${kindOf(step).padEnd(kindWidth)}${after}`.trimEnd();
    })
    .join('\n');
}

function edges(definition: PipelineDefinition, arrow: string): readonly string[] {
  return definition.steps.flatMap((step) =>
    step.upstream.map((name) => `  ${idOf(definition, name)} ${arrow} ${idOf(definition, step.name)}`),
  );
}

function idOf(definition: PipelineDefinition, name: string): string {
  return `s${definition.steps.findIndex((step) => step.name === name)}`;
}

function label(step: StepDefinition): string {
  return `${step.name} (${kindOf(step)})`;
}

/** With what else says when and how often it runs. */
function kindOf({ work, map, triggerRule, ...step }: StepDefinition): string {
  return [
    work.kind,
    ...(map === null ? [] : ['mapped']),
    ...(step.finally ? ['finally'] : []),
    ...(triggerRule === 'all_success' ? [] : [triggerRule]),
  ].join(', ');
}
