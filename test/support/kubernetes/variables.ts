/** The environment of a container and the words of its command, with `$(NAME)` and fields of the pod filled in. */
import type { Container, Pod } from './wire.ts';

export const hostAddress = '127.0.0.1';

/** What stands for a name in what was said before it; `$$(NAME)` is `$(NAME)`, and what is not known stays as it is. */
function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (values.get(name) ?? whole),
  );
}

export function environmentOf(container: Container, pod: Pod): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { name, value, valueFrom } of container.env ?? []) {
    const path = valueFrom?.fieldRef?.fieldPath;
    values.set(name, path === undefined ? expand(value ?? '', values) : fieldOf(pod, path));
  }
  return values;
}

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
