/** Images for containerd: layers under a name and a configuration, packed as an OCI layout and handed over as a file. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf, run } from '../command.ts';
import type { Layout } from '../layout.ts';
import type { Layer } from './layer.ts';

export interface Image {
  /** With its registry, as containerd keeps it; a pod leaves out `docker.io/library/`. */
  readonly reference: string;
  readonly layers: readonly Layer[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Of the processes: `0` is root. */
  readonly user: string;
  readonly folder: string;
  readonly environment: readonly string[];
}

export const searchPath = 'PATH=/usr/local/bin:/usr/bin:/bin';

export async function importImage(layout: Layout, image: Image): Promise<void> {
  const pack = join(layout.images, 'pack');
  rmSync(pack, { recursive: true, force: true });
  mkdirSync(join(pack, 'blobs', 'sha256'), { recursive: true });
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: writeBlob(pack, 'application/vnd.oci.image.config.v1+json', configurationOf(image)),
    layers: image.layers.map(({ digest, bytes }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: `sha256:${digest}`,
      size: bytes,
    })),
  };
  const entry = writeBlob(pack, manifest.mediaType, manifest);
  const annotations = { 'io.containerd.image.name': image.reference };
  writeFileSync(join(pack, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, annotations }] }));
  writeFileSync(join(pack, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const file = join(layout.images, 'pack.tar');
  // A layer that containerd has from the image before is only named: a hundred megabytes less to read.
  const there = await linesOf('ctr', [...addressed(layout), 'content', 'ls', '-q']);
  const missing = image.layers.filter(({ digest }) => !there.includes(`sha256:${digest}`));
  const blobs = missing.map(({ digest }) => join('blobs', 'sha256', digest));
  const added = blobs.length === 0 ? [] : ['-C', layout.images, ...blobs];
  await run('tar', ['--create', '--file', file, '-C', pack, '.', ...added]);
  await run('ctr', [...addressed(layout), 'images', 'import', file]);
  rmSync(file);
}

/** Whether containerd has it. */
export async function hasImage(layout: Layout, reference: string): Promise<boolean> {
  return (await linesOf('ctr', [...addressed(layout), 'images', 'ls', '-q'])).includes(reference);
}

/** What `ctr` has to be told to see what the kubelet sees. */
export function addressed({ containerdSocket }: Layout): readonly string[] {
  return ['--address', containerdSocket, '--namespace', 'k8s.io'];
}

function configurationOf({ layers, entrypoint, command, user, folder, environment }: Image): object {
  const architectures: Readonly<Record<string, string>> = { x64: 'amd64' };
  return {
    architecture: architectures[process.arch] ?? process.arch,
    os: 'linux',
    config: { User: user, Env: environment, Entrypoint: entrypoint, Cmd: command, WorkingDir: folder },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
  };
}

function writeBlob(pack: string, mediaType: string, value: object): object {
  const text = JSON.stringify(value);
  const digest = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(pack, 'blobs', 'sha256', digest), text);
  return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}
