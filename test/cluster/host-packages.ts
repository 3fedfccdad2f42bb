/** What comes from Debian: the container runtime, and the programs that kubelet, kube-proxy and this driver call. */
import { constants, accessSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, Trouble } from './command.ts';

/** A file that the package brings, by its path or to be found on the search path → the package. */
type Needed = Readonly<Record<string, string>>;

export const ofCluster: Needed = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  busybox: 'busybox-static',
  ip: 'iproute2',
  openssl: 'openssl',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
};

export async function installMissingPackages(needed: Needed): Promise<string> {
  const missing = new Set(Object.entries(needed).flatMap(([file, name]) => (find(file) === null ? [name] : [])));
  if (missing.size === 0) return 'Debian packages are there';
  const names = [...missing];
  if (find('apt-get') === null)
    throw new Trouble(`what these packages of Debian bring is missing, and there is no apt-get: ${names.join(', ')}`);
  await run('apt-get', ['update', '-qq']);
  await run('env', [
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    ...names,
  ]);
  return `Debian packages installed: ${names.join(', ')}`;
}

/** The full path of a program. */
export function find(program: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/go/bin'];
  const places = program.startsWith('/') ? [program] : folders.map((folder) => join(folder, program));
  return places.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
