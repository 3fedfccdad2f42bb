/** What an attempt on this machine, or a look, is made of: what all of them share, what is prepared for one, and how it ended. */
import type { AttemptOutcome, LookOutcome, Usage } from '../../engine/event.ts';
import type { Mask } from '../../outputs/mask.ts';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import type { AttemptSpec, AttemptWork, ExecutorPorts, LookWork } from '../executor.ts';
import type { AttemptControl } from './attempt-control.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { FolderStock } from './folders.ts';
import type { PipeStock } from './pipes.ts';
import type { Pulse } from './pulse.ts';
import type { StartedProcess } from './processes.ts';
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
  readonly checkpoints: Checkpoints;
  readonly stored: StoredValues;
  readonly sampler: UsageSampler;
  readonly pulse: Pulse;
  readonly sweeper: Sweeper;
}

/** What is to be carried out. A look has an id of its own, by which its processes are found. */
export interface GivenWork {
  readonly spec: Omit<AttemptSpec, 'work' | 'pod'>;
  readonly work: AttemptWork | LookWork;
  readonly openLog: (mask: Mask) => AttemptLog;
}

/** What is prepared before it is known where an attempt works. */
export interface PreparedAttempt {
  readonly spec: GivenWork['spec'];
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

export interface AttemptEnd {
  /** "Not yet" is what a look may say. */
  readonly outcome: AttemptOutcome | Extract<LookOutcome, { kind: 'not-yet' }>;
  readonly usage: Omit<Usage, 'wallMs'> | null;
}
