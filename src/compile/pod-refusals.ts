/** What a pipeline may not say of a pod, since Contender says it: whoever looks for the pod, or waits for it, relies on it. */
import { viewOf } from '../pipeline/binding-view.ts';
import type { Binding } from '../pipeline/definition.ts';
import { deniedEnvironmentName } from '../pipeline/names.ts';
import { podWords } from '../pipeline/pod.ts';

export interface Refusal {
  readonly what: string;
  readonly help: string;
}

const restarts: Refusal = {
  what: 'it is for Contender to say when a step is tried again',
  help: 'Give the step `retries`; what runs beside it stands in `sidecars`.',
};
const own: Refusal = {
  what: 'the pod is found again by it, so it is for Contender to say',
  help: 'Leave it out; `labels` and `annotations` may say what you want to find it by.',
};

const fields: Readonly<Record<string, Refusal>> = {
  'V1PodSpec.restartPolicy': restarts,
  'V1Container.restartPolicy': restarts,
  'V1Container.restartPolicyRules': restarts,
  'MainContainer.restartPolicy': restarts,
  'MainContainer.restartPolicyRules': restarts,
  'V1PodSpec.activeDeadlineSeconds': {
    what: 'how long a step may take is said by the step',
    help: 'Give it `timeout`, which warns it first.',
  },
  'V1PodSpec.terminationGracePeriodSeconds': {
    what: 'how long a warned step may take is said by the step',
    help: 'Give it `grace`.',
  },
  'V1PodSpec.ephemeralContainers': {
    what: 'a pod is not made with them',
    help: 'Use `sidecars` for what runs beside the step.',
  },
  'PodMetadata.namespace': { what: 'it has a word of its own', help: 'Say `namespace` beside the patch.' },
  'V1Pod.apiVersion': own,
  'V1Pod.kind': own,
};
const metadataOfPipelines: ReadonlySet<string> = new Set(['labels', 'annotations', 'namespace']);

/** Why this field may not be there, whatever it holds; null where it may. */
export function refusedField(type: string, field: string): Refusal | null {
  if (type === 'PodMetadata' && !metadataOfPipelines.has(field)) return own;
  return fields[`${type}.${field}`] ?? null;
}

/** What to do instead where there is no such field, but Kubernetes has it elsewhere; null where it has not. */
export function elsewhere(type: string, field: string, has: (type: string, field: string) => boolean): string | null {
  if (field.startsWith('$'))
    return 'A directive is no use here: null takes a field away, and lists are merged by their keys.';
  if (type === 'MainContainer' && has('PodOptions', field)) return `It is a word of its own: pod: { ${field}: … }.`;
  if (type === 'MainContainer' && has('V1Container', field)) return 'The step says it, or Contender does.';
  if (type !== 'PodOptions') return null;
  if (field === 'command' || field === 'args' || field === 'name') return 'It belongs to the step, not to its pod.';
  if (has('V1PodSpec', field)) return `Say it with patch: { spec: { ${field}: … } }.`;
  return has('V1Container', field) ? `Say it with container: { ${field}: … }.` : null;
}

/** Why the value of this field may not be what it is; null where it may. */
export function refusedValue(type: string, field: string, value: Binding): Refusal | null {
  if (type === 'V1Container' && field === 'name') return reservedName(value, 'container');
  if (type === 'V1Volume' && field === 'name') return reservedName(value, 'volume');
  if (type === 'MainVariable' && field === 'name') return deniedVariable(value);
  if (type === 'V1VolumeMount' && field === 'mountPath') return reservedPath(value);
  return null;
}

export function refusedKey(field: string | number | undefined, key: string): Refusal | null {
  if (field !== 'labels' && field !== 'annotations') return null;
  return /(?:^|\.)contender\.dev\//.test(key)
    ? { what: `what begins with "contender.dev/" is for Contender to say`, help: 'Use a prefix of your own.' }
    : null;
}

/** Kubernetes has those before and those beside a step in one list, by their names. */
export function repeatedContainer(pod: ReadonlyMap<string, Binding>): (Refusal & { readonly keys: readonly (string | number)[] }) | null {
  const names = new Set<string>();
  for (const list of ['initContainers', 'sidecars']) {
    for (const [index, container] of itemsOf(pod.get(list)).entries()) {
      const name = nameOf(container);
      if (name !== null && names.has(name)) {
        const help = 'Give each of `initContainers` and `sidecars` a name of its own.';
        return { keys: [list, index, 'name'], what: `another container is called "${name}"`, help };
      }
      if (name !== null) names.add(name);
    }
  }
  return null;
}

function itemsOf(list: Binding | undefined): readonly Binding[] {
  const view = list === undefined ? null : viewOf(list);
  return view?.kind === 'list' ? view.items : [];
}

function nameOf(container: Binding): string | null {
  const view = viewOf(container);
  const name = view.kind === 'record' ? view.fields.get('name') : undefined;
  return name === undefined ? null : plainText(name);
}

function reservedName(value: Binding, what: string): Refusal | null {
  const name = plainText(value);
  if (name === null)
    return { what: 'it has to be written out', help: `It is what a ${what} is known by before the run.` };
  if (name === 'main' && what === 'container')
    return {
      what: '"main" is the container of the step itself',
      help: `Say ${podWords.V1Container.slice(0, 3).join(', ')}, … by their own words, and the rest with container: { … }.`,
    };
  return /^contender(?:-|$)/.test(name)
    ? { what: `the name "${name}" is for Contender's own`, help: `Give the ${what} another name.` }
    : null;
}

function deniedVariable(value: Binding): Refusal | null {
  const name = plainText(value);
  if (name === null)
    return { what: 'it has to be written out', help: 'Only the value of a variable may depend on the run.' };
  const denied = deniedEnvironmentName(name);
  return denied === null
    ? null
    : { what: `the variable "${name}" ${denied}`, help: 'Use another name, and read it in the step.' };
}

function reservedPath(value: Binding): Refusal | null {
  const path = plainText(value);
  return path !== null && /^\/+contender(?:-secrets)?(?:\/|$)/.test(path)
    ? { what: '/contender and /contender-secrets are where a step finds what it is given', help: 'Mount it elsewhere.' }
    : null;
}

function plainText(value: Binding): string | null {
  const view = viewOf(value);
  return view.kind === 'scalar' && typeof view.value === 'string' ? view.value : null;
}
