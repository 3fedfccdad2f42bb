/** What a pipeline may not say of a pod, since Contender says it: whoever looks for the pod, or waits for it, relies on it. */
import { itemsOf, plainText, textAt, viewOf } from '../pipeline/binding-view.ts';
import type { Binding } from '../pipeline/definition.ts';
import { deniedEnvironmentName, imageMistake, kubernetesLabelPattern } from '../pipeline/names.ts';
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
  if (type === 'V1Volume' && field === 'name') return reservedName(value, 'volume') ?? wrongLabel(value);
  if (field === 'namespace' && (type === 'PodOptions' || type === 'PodMetadata')) return wrongLabel(value);
  if (field === 'image' && imageTypes.has(type)) return wrongImage(value);
  if (type === 'MainVariable' && field === 'name') return deniedVariable(value);
  if (type === 'V1VolumeMount' && field === 'mountPath') return reservedPath(value);
  return null;
}

/** Why there may be no such key, or not with this value, in the map `field`; null where there may. */
export function refusedEntry(field: string | number | undefined, key: string, value: Binding): Refusal | null {
  if (field === 'requests' || field === 'limits') return refusedResource(key, value);
  if (field !== 'labels' && field !== 'annotations') return null;
  if (/(?:^|\.)contender\.dev\//.test(key))
    return { what: `what begins with "contender.dev/" is for Contender to say`, help: 'Use a prefix of your own.' };
  if (!/^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(key))
    return { what: 'Kubernetes takes no such name', help: 'It has up to 63 letters, digits, "-", "_" and ".": team.' };
  const text = field === 'labels' ? plainText(value) : null;
  if (text === null || /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/.test(text)) return null;
  return {
    what: `Kubernetes takes no such label: ${JSON.stringify(text.slice(0, 80))}`,
    help: 'It has up to 63 letters, digits, "-", "_" and "."; longer texts are for `annotations`.',
  };
}

const plainResource = /^(?:cpu|memory|storage|ephemeral-storage|hugepages-.+)$/;

/** Of all others the name has a prefix, and they are counted. */
function refusedResource(name: string, value: Binding): Refusal | null {
  if (plainResource.test(name)) return null;
  if (!name.includes('/')) {
    const help = name === 'gpu' ? 'Say nvidia.com/gpu, or what the nodes of the cluster call it.' : 'Give its prefix.';
    return {
      what: `Kubernetes has no resource "${name}"`,
      help: `${help} Without one are cpu, memory, ephemeral-storage.`,
    };
  }
  const view = viewOf(value);
  return view.kind === 'scalar' && /\.|m$/.test(String(view.value))
    ? { what: `it is ${String(view.value)}, and ${name} is given in whole ones`, help: 'Write a whole number.' }
    : null;
}

type RefusalWithin = Refusal & { readonly keys: readonly (string | number)[] };

/** Of a pod and of each container: lists, and the field by which an element is known in them. */
const keyed = { volumes: 'name', volumeMounts: 'mountPath', volumeDevices: 'devicePath' } as const;

/** Elements of which Kubernetes takes one alone, as far as they are written out. */
export function repeatedElements(fields: ReadonlyMap<string, Binding>): readonly RefusalWithin[] {
  return Object.entries(keyed).flatMap(([list, key]) => {
    const known = new Set<string>();
    return itemsOf(fields.get(list) ?? null).flatMap((item, index): RefusalWithin[] => {
      const text = textAt(item, key);
      if (text === null || !known.has(text)) {
        if (text !== null) known.add(text);
        return [];
      }
      const what = list === 'volumes' ? `another volume is called "${text}"` : `something else is mounted at "${text}"`;
      return [{ keys: [list, index, key], what, help: `Give each of \`${list}\` a ${key} of its own.` }];
    });
  });
}

/** Why Kubernetes takes no such mount; null where it may. */
export function refusedMount(mount: ReadonlyMap<string, Binding>): RefusalWithin | null {
  const path = mount.get('subPath');
  const text = path === undefined ? null : plainText(path);
  if (path !== undefined && mount.has('subPathExpr'))
    return { keys: ['subPathExpr'], what: 'there is a `subPath` too', help: 'Leave one of them out.' };
  if (text === null || !(text.startsWith('/') || text.split('/').includes('..'))) return null;
  const help = 'Write the path inside of the volume, without "/" before it and without "..".';
  return { keys: ['subPath'], what: `${JSON.stringify(text.slice(0, 80))} leads out of the volume`, help };
}

/** Kubernetes has those before and those beside a step in one list, by their names. */
export function repeatedContainer(pod: ReadonlyMap<string, Binding>): RefusalWithin | null {
  const names = new Set<string>();
  for (const list of ['initContainers', 'sidecars']) {
    for (const [index, container] of itemsOf(pod.get(list) ?? null).entries()) {
      const name = textAt(container, 'name');
      if (name !== null && names.has(name)) {
        const help = 'Give each of `initContainers` and `sidecars` a name of its own.';
        return { keys: [list, index, 'name'], what: `another container is called "${name}"`, help };
      }
      if (name !== null) names.add(name);
    }
  }
  return null;
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

const imageTypes: ReadonlySet<string> = new Set(['PodOptions', 'V1Container']);

function wrongImage(value: Binding): Refusal | null {
  const image = plainText(value);
  const mistake = image === null ? null : imageMistake(image);
  return mistake === null
    ? null
    : { what: `the image ${JSON.stringify(image)} ${mistake}`, help: 'Write it as registry.example/team/trainer:1.' };
}

function wrongLabel(value: Binding): Refusal | null {
  const name = plainText(value);
  if (name === null || kubernetesLabelPattern.test(name)) return null;
  return {
    what: `Kubernetes takes no such name: ${JSON.stringify(name.slice(0, 80))}`,
    help: 'It has up to 63 lower-case letters, digits and "-".',
  };
}
