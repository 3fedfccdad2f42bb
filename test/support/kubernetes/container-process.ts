/**
 * One container as processes of this host. Its first process is warned as the first process of a container is: the signal goes
 * to it alone, and reaches it only if it has a handler, since the kernel spares a first process what it does not handle. When
 * it ends all that it started ends with it, in whatever session.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { endMarked, signalOne } from '../../../src/executor/local/processes.ts';
import type { ContainerLog } from './container-log.ts';

export interface ContainerProcess {
  /** The exit code, when no process of it is left. */
  readonly ended: Promise<number>;
  warn(): void;
  kill(): void;
}

export interface Start {
  readonly id: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly log: ContainerLog;
}

const patienceMs = 60_000;

/** Or the words of the container runtime about why there is no such program. */
export async function startContainer({
  id,
  command,
  environment,
  cwd,
  log,
}: Start): Promise<ContainerProcess | string> {
  const mark = `FAKE_KUBERNETES_CONTAINER=${id}`;
  const [file = '', ...words] = command;
  const env = { PATH: process.env['PATH'], ...environment, FAKE_KUBERNETES_CONTAINER: id };
  const child = spawn(file, words, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  log.take(child.stdout);
  log.take(child.stderr);
  const started = await Promise.race([once(child, 'spawn'), once(child, 'error')]).catch(() => null);
  const { pid } = child;
  if (started === null || pid === undefined) {
    log.end();
    return startErrorOf(file);
  }
  const endAll = (): Promise<boolean> => endMarked({ environment: [mark], groups: new Set([pid]) }, patienceMs);
  return {
    ended: endOf(child, log, endAll),
    warn() {
      if (handlesTermination(pid)) signalOne(pid, 'SIGTERM');
    },
    kill: () => void signalOne(pid, 'SIGKILL'),
  };
}

async function endOf(child: ChildProcess, log: ContainerLog, endAll: () => Promise<boolean>): Promise<number> {
  const closed = once(child, 'close');
  await once(child, 'exit');
  if (!(await endAll())) throw new Error(`the processes of a container do not end: ${child.spawnargs.join(' ')}`);
  await closed;
  log.end();
  const { exitCode, signalCode } = child;
  return exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
}

function startErrorOf(file: string): string {
  const cause = file.includes('/') ? `stat ${file}: no such file or directory` : 'executable file not found in $PATH';
  const exec = `unable to start container process: exec: "${file}": ${cause}: unknown`;
  return `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: ${exec}`;
}

function handlesTermination(pid: number): boolean {
  try {
    const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return ((BigInt(`0x${mask}`) >> BigInt(constants.signals.SIGTERM - 1)) & 1n) === 1n;
  } catch {
    // It has ended, or this is no Linux: the signal then does no harm.
    return true;
  }
}
