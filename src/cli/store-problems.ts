/** What `contender.yaml` says about the object stores that pipelines wait for. */
import type { Compiled } from '../compile/compile.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';

/** `compiled` with a problem for each step that waits for an object in a store that there is not. */
export function withStoreProblems(compiled: Compiled, stores: ReadonlySet<string>): Compiled {
  const { version, problems, where } = compiled;
  const found = (version?.definition.steps ?? []).flatMap((step): Problem[] => {
    const mistake = storeMistake(step, stores);
    if (mistake === null) return [];
    const message = `step "${step.name}": ${mistake}; contender.yaml declares ${listOf(stores)}`;
    const help = `Declare it in contender.yaml: ${storeForm(step)}, or change \`store\` of the step (docs/operating.md).`;
    return [{ code: 'store-unknown', message, where: where(step.name), help }];
  });
  return { ...compiled, problems: [...problems, ...found] };
}

/** What to write of the store of a step that waits for an object. */
export function storeForm({ work }: StepDefinition): string {
  const name = (work.kind === 'wait' && work.for.condition === 'object' ? work.for.store : null) ?? 'lake';
  return `objectStores: { ${name}: { secrets: { accessKeyId: NAME, secretAccessKey: NAME } } }`;
}

function storeMistake({ work }: StepDefinition, stores: ReadonlySet<string>): string | null {
  if (work.kind !== 'wait' || work.for.condition !== 'object') return null;
  const { store } = work.for;
  if (store === null) return stores.size === 1 ? null : 'which object store is not said';
  return stores.has(store) ? null : `there is no object store "${store}"`;
}

function listOf(stores: ReadonlySet<string>): string {
  return stores.size === 0 ? 'no object stores' : `the object stores ${[...stores].join(', ')}`;
}
