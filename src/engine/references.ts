/** Which upstream outputs a step reads: it cannot be started before they are there, however early its rule allows. */
import type { Binding, Environment, Reference, StepDefinition, Template, Work } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';

/** Names of the steps whose outputs stand in the work or the axes of `step`. */
export function stepsRead(step: StepDefinition): ReadonlySet<string> {
  const names = new Set<string>();
  for (const binding of bindingsOf(step)) readBinding(binding, names);
  return names;
}

function bindingsOf(step: StepDefinition): Binding[] {
  const axes = (step.map?.axes ?? []).map((axis) => axis.over);
  return [...axes, ...(step.pod === undefined ? [] : [step.pod]), ...bindingsOfWork(step.work)];
}

function bindingsOfWork(work: Work): Binding[] {
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return [work.input];
    case 'command':
      return ofCommand(work);
    case 'container':
      return [{ template: work.image }, ...texts(work.args), ...texts(work.localCommand ?? []), ...ofCommand(work)];
    case 'gate':
      return [work.data];
    case 'challenge': {
      const score =
        work.score === null ? [] : work.score.kind === 'function' ? [work.score.input] : ofCommand(work.score);
      return [work.challenger, ...(work.predictions === null ? [] : [work.predictions]), ...score];
    }
    case 'wait':
      return ofCondition(work.for);
    case 'approval':
      return work.message === null ? [] : texts([work.message]);
    default:
      return unreachable(work);
  }
}

function ofCondition(condition: Extract<Work, { kind: 'wait' }>['for']): Binding[] {
  switch (condition.condition) {
    case 'file':
      return texts([condition.path]);
    case 'http':
      return texts([condition.url]);
    case 'object':
      return texts([condition.url]);
    case 'pipeline':
    case 'step':
      return texts([condition.date]);
    case 'function':
      return [condition.input];
    default:
      return unreachable(condition);
  }
}

function ofCommand(work: { readonly command: readonly Template[]; readonly environment: Environment }): Binding[] {
  return texts([...work.command, ...Object.values(work.environment)]);
}

function texts(templates: readonly Template[]): Binding[] {
  return templates.map((template) => ({ template }));
}

function readBinding(binding: Binding, names: Set<string>): void {
  if ('literal' in binding) return;
  if ('reference' in binding) readReference(binding.reference, names);
  else if ('list' in binding) for (const item of binding.list) readBinding(item, names);
  else if ('record' in binding) for (const item of Object.values(binding.record)) readBinding(item, names);
  else if (typeof binding.template !== 'string')
    for (const part of binding.template) if (typeof part !== 'string') readReference(part, names);
}

function readReference(reference: Reference, names: Set<string>): void {
  if ('output' in reference) names.add(reference.output);
}
