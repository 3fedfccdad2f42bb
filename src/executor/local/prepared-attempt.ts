/** What an attempt on this machine is made of: what all of them share, what is prepared for one, and how it ended. */
import type { AttemptOutcome, Usage } from '../../engine/event.ts';
import type { Mask } from '../../outputs/mask.ts';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import type { AttemptSpec, ExecutorPorts } from '../executor.ts';
import type { AttemptControl } from './attempt-control.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { FolderStock } from './folders.ts';
import type { PipeStock } from './pipes.ts';
import type { Pulse } from './pulse.ts';
import type { RunnerProcess } from './runner-process.ts';
import type { Shell } from './shell.ts';
import type { StoredValues } from './stored-values.ts';
import type { Sweeper } from './sweeper.ts';
import type { UsageSampler } from './usage.ts';
import type { WarmPool } from './warm-pool.ts';

/** What all attempts of an executor share. */
export interface AttemptServices {
  readonly ports: ExecutorPorts;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  readonly directory: string;
  readonly nodeModules: string | null;
  /** Of every process: what of the server's environment is passed on, and the executor's mark. */
  readonly baseEnvironment: { readonly [name: string]: string };
  readonly runners: WarmPool<RunnerProcess>;
  /** One that takes no more than that. */
  readonly startRunner: (memoryBytes: number) => RunnerProcess;
  readonly shells: WarmPool<Shell>;
  readonly pipes: PipeStock;
  /** Scratch directories. */
  readonly folders: FolderStock;
  readonly stored: StoredValues;
  readonly sampler: UsageSampler;
  readonly pulse: Pulse;
  readonly sweeper: Sweeper;
}

/** What is prepared before it is known where an attempt works. */
export interface PreparedAttempt {
  readonly spec: AttemptSpec;
  readonly services: AttemptServices;
  readonly control: AttemptControl;
  readonly log: AttemptLog;
  readonly mask: Mask;
  readonly sourceTree: string;
  readonly secrets: ReadonlyMap<string, string>;
  /** A process runs it. */
  readonly running: (process: StartedProcess) => void;
  /** Folders that go when it has been reported. */
  readonly left: string[];
}

export interface StartedProcess {
  readonly pid: number;
  /** The first process of its group; `startedAt` as `ProcessInfo` says it, '' where it had ended. */
  readonly leader: { readonly pid: number; readonly startedAt: string };
}

export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  readonly usage: Omit<Usage, 'wallMs'> | null;
}
