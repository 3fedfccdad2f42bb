/** Builds etcd and Kubernetes from their Go modules, once for each state of `components/`. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Trouble } from './command.ts';
import { find } from './host-packages.ts';
import type { Layout } from './layout.ts';
import { lastLines } from './log.ts';

const source = join(import.meta.dirname, 'components');
const names = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

export async function buildComponents(layout: Layout, say: (text: string) => void): Promise<string> {
  const program = join(layout.bin, 'kubernetes');
  const digestFile = join(layout.bin, 'kubernetes.sha256');
  const digest = sourceDigest();
  if (existsSync(program) && existsSync(digestFile) && readFileSync(digestFile, 'utf8') === digest)
    return `Kubernetes ${version()} is built`;
  const go = find('go');
  if (go === null)
    throw new Trouble('Kubernetes is built from its Go modules, once: install Go 1.24 or later (https://go.dev/dl)');
  say(`building Kubernetes ${version()}, once: about five minutes on two cores, 6 GB for Go's caches`);
  mkdirSync(layout.bin, { recursive: true });
  await build(go, `${program}.new`, join(layout.log, 'build.log'));
  renameSync(`${program}.new`, program);
  for (const name of names) {
    rmSync(join(layout.bin, name), { force: true });
    symlinkSync('kubernetes', join(layout.bin, name));
  }
  writeFileSync(digestFile, digest);
  return `Kubernetes ${version()} built`;
}

async function build(go: string, program: string, log: string): Promise<void> {
  const output = openSync(log, 'w');
  // Built once and run for minutes: what a debugger wants, and what makes programs fast, takes more time than it gives back.
  const flags = ['-trimpath', '-gcflags=all=-dwarf=false -N -l', '-ldflags', linkerFlags()];
  const words = ['build', '-p', '2', ...flags, '-o', program, '.'];
  const child = spawn(go, words, {
    cwd: source,
    stdio: ['ignore', output, output],
    // Modules stay writable, so that a temporary home can be removed as it is. Compilers that seldom look for garbage are done
    // sooner.
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false -modcacherw', GOGC: '400' },
  });
  closeSync(output);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Trouble(`go build ended with status ${status}; ${log} ends with\n${lastLines(log)}`);
}

/** Without these, the components take themselves for v0.0.0 and refuse each other. */
function linkerFlags(): string {
  const [major, minor] = version().slice(1).split('.');
  const stamps = { gitVersion: version(), gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const settings = packages.flatMap((name) =>
    Object.entries(stamps).map(([key, value]) => `-X ${name}.${key}=${value}`),
  );
  return ['-s', '-w', ...settings].join(' ');
}

function version(): string {
  const found = /^require k8s\.io\/kubernetes (v\S+)$/m.exec(readFileSync(join(source, 'go.mod'), 'utf8'));
  if (found?.[1] === undefined) throw new Error('components/go.mod requires no k8s.io/kubernetes');
  return found[1];
}

function sourceDigest(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, file)));
  return hash.digest('hex');
}
