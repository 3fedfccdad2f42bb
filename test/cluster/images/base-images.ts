/**
 * The images that need nothing of the product. `busybox:local` is Debian's static busybox with a link for each of
 * its programs. `pause:local`, which holds the network of a pod, is the same with another first process: one that
 * sleeps is enough, since containerd ends it with a signal that nobody can ignore. `shell-less:local` has one program, awk, and nothing else.
 */
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf, Trouble } from '../command.ts';
import { find } from '../host-packages.ts';
import type { Layout } from '../layout.ts';
import { importImage, searchPath } from './image.ts';
import { makeLayer, type Layer } from './layer.ts';

export const pauseReference = 'localhost/pause:local';
export const busyboxReference = 'docker.io/library/busybox:local';
export const shellLessReference = 'docker.io/library/shell-less:local';

/** Who runs where root is not wanted. */
export const user = { id: 1000, name: 'contender', home: '/home/contender' };

export async function importPause(layout: Layout): Promise<void> {
  const entrypoint = ['/bin/sleep', '2147483647'];
  await importImage(layout, { ...(await plain(layout)), reference: pauseReference, entrypoint, command: [] });
}

export async function importBusybox(layout: Layout): Promise<void> {
  await importImage(layout, { ...(await plain(layout)), reference: busyboxReference, entrypoint: [], command: ['sh'] });
}

/** Busybox is the program that it is called by. */
export async function importShellLess(layout: Layout): Promise<void> {
  const { folder, environment } = await plain(layout);
  const busybox = findBusybox();
  const words = ['--dereference', `--transform=s,.*,awk,`, '--directory=/', busybox.path.slice(1)];
  const layers = [await makeLayer(layout.images, 'awk', busybox.key, words)];
  const image = { layers, folder, environment, user: String(user.id), entrypoint: ['/awk'], command: [] };
  await importImage(layout, { ...image, reference: shellLessReference });
}

async function plain(layout: Layout) {
  return { layers: [await systemLayer(layout)], user: '0', folder: '/', environment: [searchPath] };
}

/** Folders, users and programs of a small system. */
export async function systemLayer({ images }: Layout): Promise<Layer> {
  const busybox = findBusybox();
  const root = mkdtempSync(join(tmpdir(), 'contender-image-'));
  try {
    chmodSync(root, 0o755);
    await fill(root, busybox.path);
    return await makeLayer(images, 'system', busybox.key, ['-C', root, '.']);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** `key`: another one has another. */
function findBusybox(): { readonly path: string; readonly key: string } {
  const path = find('busybox');
  if (path === null) throw new Trouble('there is no busybox: install the Debian package busybox-static');
  const { size, mtimeMs } = statSync(path);
  return { path, key: `${path} ${size} ${mtimeMs}` };
}

async function fill(root: string, busybox: string): Promise<void> {
  const at = (path: string): string => join(root, path);
  for (const folder of ['bin', 'usr/bin', 'etc', 'root', 'tmp', 'var', 'proc', 'sys', 'dev', user.home])
    mkdirSync(at(folder), { recursive: true });
  chmodSync(at('tmp'), 0o1777);
  chownSync(at(user.home), user.id, user.id);
  cpSync(busybox, at('bin/busybox'), { dereference: true });
  for (const name of await linesOf(busybox, ['--list']))
    if (name !== 'busybox') symlinkSync('busybox', at(`bin/${name}`));
  symlinkSync('../../bin/env', at('usr/bin/env'));
  const own = `${user.name}:x:${user.id}:${user.id}::${user.home}:/bin/sh`;
  writeFileSync(at('etc/passwd'), `root:x:0:0::/root:/bin/sh\n${own}\nnobody:x:65534:65534::/:/bin/sh\n`);
  writeFileSync(at('etc/group'), `root:x:0:\n${user.name}:x:${user.id}:\nnogroup:x:65534:\n`);
}
