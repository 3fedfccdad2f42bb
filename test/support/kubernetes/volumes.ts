/** The volumes of a pod: a folder each on this host, with the files of the secret or config map that it is of. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Configuration } from './configuration.ts';
import type { Container, Pod, PodSpec } from './wire.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];

/** What is missing, in the words of the kubelet; null: all of them stand. */
export function makeVolumes(pod: Pod, folder: string, configuration: Configuration): string | null {
  for (const volume of pod.spec.volumes ?? []) {
    const missing = makeVolume(pod, volume, join(folder, 'volumes', volume.name), configuration);
    if (missing !== null) return `MountVolume.SetUp failed for volume "${volume.name}" : ${missing}`;
  }
  return null;
}

function makeVolume(pod: Pod, volume: Volume, path: string, configuration: Configuration): string | null {
  mkdirSync(path, { recursive: true });
  const { secret, configMap } = volume;
  if (secret === undefined && configMap === undefined) return null;
  const name = secret?.secretName ?? configMap?.name ?? '';
  const { items, optional = false } = secret ?? configMap ?? {};
  const entries = configuration.read(secret === undefined ? 'ConfigMap' : 'Secret', pod.metadata.namespace, name);
  if (entries === null) return optional ? null : `${secret === undefined ? 'configmap' : 'secret'} "${name}" not found`;
  const files = items ?? [...entries.keys()].map((key) => ({ key, path: key }));
  for (const file of files) {
    const bytes = entries.get(file.key);
    if (bytes === undefined)
      return `references non-existent ${secret === undefined ? 'config' : 'secret'} key: ${file.key}`;
    const target = join(path, file.path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  return null;
}

/** Where what is mounted in a container is on the host, and where its last words are. */
export function pathsOf(container: Container, folder: string): ReadonlyMap<string, string> {
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, subPath = '' }): [string, string] => {
    const path = join(folder, 'volumes', name, subPath);
    if (subPath !== '') mkdirSync(dirname(path), { recursive: true });
    return [mountPath, path];
  });
  const lastWords = join(folder, `${container.name}-termination-log`);
  return new Map([...mounts, [container.terminationMessagePath ?? '/dev/termination-log', lastWords]]);
}
