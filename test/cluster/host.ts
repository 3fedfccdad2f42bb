/**
 * What the cluster changes on the machine itself: an address, kernel settings, a bridge, rules of the firewall, network
 * namespaces, mounts, control groups. How it was before is written down first, so that `down` can undo it after any crash.
 */
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, linesOf, run, Trouble } from './command.ts';
import { removalOf } from './firewall.ts';
import { bridge, nodeAddress, type Layout } from './layout.ts';

/** Set by kubelet (kernel and memory), kube-proxy (route_localnet, connections) and the bridge (ip_forward). */
const settings = [
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxbytes',
  'kernel/keys/root_maxkeys',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'net/netfilter/nf_conntrack_tcp_timeout_close_wait',
  'net/netfilter/nf_conntrack_tcp_timeout_established',
];

interface Before {
  readonly settings: Readonly<Record<string, string>>;
  readonly networkNamespaces: readonly string[];
}

export function assertRoot(): void {
  if (process.getuid?.() !== 0)
    throw new Trouble('containers, mounts and network interfaces need root: run the same with sudo, or as root');
}

export function isChanged(layout: Layout): boolean {
  return existsSync(noteOf(layout));
}

export async function prepareHost(layout: Layout): Promise<void> {
  if (!isChanged(layout)) {
    refuseNeighbour();
    const before: Before = { settings: readSettings(), networkNamespaces: networkNamespaces() };
    writeFileSync(noteOf(layout), JSON.stringify(before, null, 2));
  }
  const addresses = await linesOf('ip', ['-oneline', 'address', 'show', 'dev', 'lo']);
  if (!addresses.some((line) => line.includes(` ${nodeAddress}/`)))
    await run('ip', ['address', 'add', `${nodeAddress}/32`, 'dev', 'lo']);
  await run('ip', ['link', 'set', 'lo', 'up']);
}

/** Two of them would take each other's rules, bridge and control groups for their own. */
function refuseNeighbour(): void {
  const traces = [...controlGroups(), join('/sys/class/net', bridge)].filter((path) => existsSync(path));
  if (traces.length > 0)
    throw new Trouble(
      `another Kubernetes runs on this machine, or has left something (${traces.join(', ')}): take it down first`,
    );
}

export async function restoreHost(layout: Layout): Promise<void> {
  await unmountBelow(layout.home);
  if (!isChanged(layout)) return;
  const before = JSON.parse(readFileSync(noteOf(layout), 'utf8')) as Before;
  for (const name of networkNamespaces())
    if (!before.networkNamespaces.includes(name)) await attempt('ip', ['netns', 'delete', name]);
  await attempt('ip', ['link', 'delete', bridge]);
  await attempt('ip', ['address', 'delete', `${nodeAddress}/32`, 'dev', 'lo']);
  for (const family of ['iptables', 'ip6tables']) await removeRules(family);
  for (const group of controlGroups()) removeControlGroup(group);
  for (const [name, value] of Object.entries(before.settings)) writeSetting(name, value);
  // The leases of pods' addresses and the state of containers: those that had them are gone.
  for (const folder of [join(layout.data, 'cni'), join(layout.run, 'containerd'), join(layout.run, 'runc')])
    rmSync(folder, { recursive: true, force: true });
  await removeDeadSockets();
  rmSync(noteOf(layout));
}

/** What stands in the control groups of pods. */
export function podProcesses(): readonly number[] {
  const files = controlGroups().flatMap((group) => globSync(join(group, '**', 'cgroup.procs')));
  return [...new Set(files.flatMap((file) => readLines(file).map(Number)))];
}

/** Of both versions: one for each controller, or one in all. */
function controlGroups(): readonly string[] {
  return globSync(['/sys/fs/cgroup/kubepods', '/sys/fs/cgroup/*/kubepods']);
}

function removeControlGroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeControlGroup(join(folder, entry.name));
  // Its files are the kernel's: a group is removed as a folder.
  rmdirSync(folder);
}

/** The deepest first, and lazily: a dead container's file system may still be looked at by the kernel. */
async function unmountBelow(folder: string): Promise<void> {
  const points = readLines('/proc/mounts').map((line) => line.split(' ')[1] ?? '');
  const below = points.filter((point) => point.startsWith(`${folder}/`));
  for (const point of below.toReversed()) await attempt('umount', ['-l', point]);
}

async function removeRules(family: string): Promise<void> {
  const { status, output } = await attempt(`${family}-save`, []);
  const removal = status === 0 ? removalOf(output) : '';
  if (removal !== '') await run(`${family}-restore`, ['--noflush'], { input: removal });
}

/** A shim that was killed leaves its socket, in a folder that every containerd of the machine uses. */
async function removeDeadSockets(): Promise<void> {
  const files = globSync('/run/containerd/s/*');
  const listening = (await linesOf('ss', ['-Hxl'])).join('\n');
  for (const file of files) if (!listening.includes(file)) rmSync(file);
}

function networkNamespaces(): readonly string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith('cni-')) : [];
}

function readSettings(): Readonly<Record<string, string>> {
  const there = settings.filter((name) => existsSync(join('/proc/sys', name)));
  return Object.fromEntries(there.map((name) => [name, readFileSync(join('/proc/sys', name), 'utf8').trim()]));
}

function writeSetting(name: string, value: string): void {
  const file = join('/proc/sys', name);
  if (readFileSync(file, 'utf8').trim() !== value) writeFileSync(file, value);
}

function readLines(file: string): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function noteOf({ run }: Layout): string {
  mkdirSync(run, { recursive: true });
  return join(run, 'host-before.json');
}
