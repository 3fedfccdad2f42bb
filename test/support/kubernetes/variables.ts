/** The environment of a container and the words of its command, with `$(NAME)` and fields of the pod filled in. */
import type { Configuration, ConfigurationKind } from './configuration.ts';
import type { Container, Pod } from './wire.ts';

export const hostAddress = '127.0.0.1';

/** What stands for a name in what was said before it; `$$(NAME)` is `$(NAME)`, and what is not known stays as it is. */
function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (values.get(name) ?? whole),
  );
}

/** Or what is missing, in the words of the kubelet. */
export function environmentOf(
  container: Container,
  pod: Pod,
  configuration: Configuration,
): ReadonlyMap<string, string> | string {
  const values = new Map<string, string>();
  const { namespace } = pod.metadata;
  for (const { prefix = '', secretRef, configMapRef } of container.envFrom ?? []) {
    const { name = '', optional = false } = secretRef ?? configMapRef ?? {};
    const entries = configuration.read(secretRef === undefined ? 'ConfigMap' : 'Secret', namespace, name);
    if (entries === null && !optional) return missing(secretRef === undefined ? 'ConfigMap' : 'Secret', name);
    for (const [key, bytes] of entries ?? []) values.set(`${prefix}${key}`, bytes.toString('utf8'));
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const path = valueFrom?.fieldRef?.fieldPath;
    const reference = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
    if (path !== undefined) values.set(name, fieldOf(pod, path));
    else if (reference === undefined) values.set(name, expand(value ?? '', values));
    else {
      const kind = valueFrom?.secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
      const entries = configuration.read(kind, namespace, reference.name ?? '');
      const bytes = entries?.get(reference.key);
      if (bytes !== undefined) values.set(name, bytes.toString('utf8'));
      else if (reference.optional === true) continue;
      else if (entries === null) return missing(kind, reference.name ?? '');
      else return `couldn't find key ${reference.key} in ${kind} ${namespace}/${reference.name}`;
    }
  }
  return values;
}

const missing = (kind: ConfigurationKind, name: string): string => `${kind.toLowerCase()} "${name}" not found`;

export function withWords(container: Container, values: ReadonlyMap<string, string>): Container {
  const words = (texts: readonly string[]): string[] => texts.map((text) => expand(text, values));
  return {
    ...container,
    ...(container.command === undefined ? {} : { command: words(container.command) }),
    ...(container.args === undefined ? {} : { args: words(container.args) }),
  };
}

function fieldOf(pod: Pod, path: string): string {
  const { metadata, spec, status } = pod;
  const [, group, key = ''] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (group === 'labels') return metadata.labels?.[key] ?? '';
  if (group === 'annotations') return metadata.annotations?.[key] ?? '';
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.hostIP': hostAddress,
    'status.hostIPs': hostAddress,
    'status.podIP': status.podIP,
    'status.podIPs': status.podIP,
  };
  return fields[path] ?? '';
}
