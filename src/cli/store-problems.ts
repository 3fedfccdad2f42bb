/** What `contender.yaml` says about object stores: pipelines may wait for what is in them, and have none of their keys. */
import { keysOf, type Config } from '../config/config.ts';
import type { Compiled } from '../compile/compile.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { documentation } from '../version.ts';

/** `compiled` with a problem for each step that waits for an object in a store that there is not, or names the key of one. */
export function withStoreProblems(compiled: Compiled, stores: Config['objectStores']): Compiled {
  const { version, problems, where } = compiled;
  const keys = keysOf(stores);
  const found = (version?.definition.steps ?? []).flatMap((step): Problem[] => {
    const mistake = storeMistake(step, stores);
    if (mistake === null) return [];
    const message = `step "${step.name}": ${mistake}; contender.yaml declares ${listOf(stores)}`;
    const help = `Declare it in contender.yaml: ${storeForm(step)}, or change \`store\` of the step (${documentation('operating.md')}).`;
    return [{ code: 'store-unknown', message, where: where(step.name), help }];
  });
  const named = (version?.definition.steps ?? []).flatMap((step) =>
    step.secrets.flatMap((secret): Problem[] => {
      const store = keys.get(secret);
      if (store === undefined) return [];
      const message = `step "${step.name}": the secret ${secret} is a key of the object store "${store}", which steps do not get`;
      const help = `Give the step credentials of its own, under another name: CONTENDER_SECRET_… of the server.`;
      return [{ code: 'secret-reserved', message, where: where(step.name), help }];
    }),
  );
  return { ...compiled, problems: [...problems, ...found, ...named] };
}

/** What to write of the store of a step that waits for an object. */
export function storeForm({ work }: StepDefinition): string {
  const name = (work.kind === 'wait' && work.for.condition === 'object' ? work.for.store : null) ?? 'lake';
  return `objectStores: { ${name}: { secrets: { accessKeyId: NAME, secretAccessKey: NAME } } }`;
}

function storeMistake({ work }: StepDefinition, stores: Config['objectStores']): string | null {
  if (work.kind !== 'wait' || work.for.condition !== 'object') return null;
  const { store } = work.for;
  if (store === null) return stores.size === 1 ? null : 'which object store is not said';
  return stores.has(store) ? null : `there is no object store "${store}"`;
}

function listOf(stores: Config['objectStores']): string {
  return stores.size === 0 ? 'no object stores' : `the object stores ${[...stores.keys()].join(', ')}`;
}
