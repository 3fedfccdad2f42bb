/**
 * What all attempts on this machine share, whichever executor they are for: warm processes, pipes, folders, and what watches over
 * them. Most machines have one executor; on a worker there is one for each attempt.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnvironment } from './environment.ts';
import { createFolderStock, type FolderStock } from './folders.ts';
import { executorMark } from './marks.ts';
import { createPipeStock, type PipeStock } from './pipes.ts';
import { createPulse, pulseLimits, type Pulse, type PulseLimits } from './pulse.ts';
import { runnerLimits, startRunnerProcess, type RunnerProcess } from './runner-process.ts';
import { startShell, type Shell } from './shell.ts';
import { createSweeper, type Sweeper } from './sweeper.ts';
import { createUsageSampler, type UsageSampler } from './usage.ts';
import { createWarmPool, warmPoolLimits, type WarmPool } from './warm-pool.ts';
import { startWatchdog } from './watchdog.ts';

export interface Machine {
  /** Of every process: what of the server's environment is passed on, and a mark by which all of them are found. */
  readonly baseEnvironment: { readonly [name: string]: string };
  readonly runners: WarmPool<RunnerProcess>;
  /** One that takes no more than that. */
  readonly startRunner: (memoryBytes: number) => RunnerProcess;
  /** Null: commands are started without. */
  readonly shells: WarmPool<Shell> | null;
  readonly pipes: PipeStock;
  /** Scratch directories. */
  readonly folders: FolderStock;
  readonly sampler: UsageSampler;
  readonly pulse: Pulse;
  readonly sweeper: Sweeper;
}

export interface OpenMachine extends Machine {
  /** When nothing runs on it any more. */
  close(): Promise<void>;
}

export interface MachineOptions {
  /** Scratch; one machine at a time. */
  readonly directory: string;
  /** What every process gets, beside what it is told; of this process's own environment the harmless part, unless given. */
  readonly environment?: { readonly [name: string]: string };
  /** One attempt is all that comes, and whatever it started ends with this process: nothing is kept ready, or watched. */
  readonly single?: boolean;
  /** Tests have less patience with a process that is stopped. */
  readonly pulse?: PulseLimits;
}

export function openMachine({ directory, environment, single = false, pulse }: MachineOptions): OpenMachine {
  mkdirSync(directory, { recursive: true });
  const mark = executorMark(directory);
  const watchdog = single ? null : startWatchdog(`${mark.name}=${mark.value}`);
  const base = { ...(environment ?? baseEnvironment(process.env)), [mark.name]: mark.value };
  const folders = createFolderStock(join(directory, 'scratch'));
  const startRunner = (memoryBytes: number | null): RunnerProcess =>
    startRunnerProcess(base, directory, folders, memoryBytes);
  const machine: Machine = {
    baseEnvironment: base,
    runners: createWarmPool(() => startRunner(null), warmPoolLimits.idleMs, !single, runnerLimits.attemptsMax),
    startRunner,
    shells: single ? null : createWarmPool(() => startShell(base)),
    pipes: createPipeStock(join(directory, 'pipes')),
    folders,
    sampler: createUsageSampler(),
    pulse: createPulse(pulse ?? pulseLimits),
    sweeper: createSweeper(),
  };
  const { runners, shells, sweeper, pipes, sampler } = machine;
  return {
    ...machine,
    async close() {
      await Promise.all([runners.close(), shells?.close(), sweeper.flush(), pipes.close()]);
      await folders.close();
      sampler.close();
      machine.pulse.close();
      watchdog?.dismiss();
    },
  };
}
