/** What an attempt on this machine is made of: what all of them share, what is prepared for one, and how it ended. */
import type { AttemptOutcome, Usage } from '../../engine/event.ts';
import type { Mask } from '../../outputs/mask.ts';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import type { AttemptSpec, ExecutorPorts } from '../executor.ts';
import type { AttemptControl } from './attempt-control.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { Inputs } from './inputs.ts';
import type { PipeStock } from './pipes.ts';
import type { Pulse } from './pulse.ts';
import type { RunnerPool } from './runner-pool.ts';
import type { StoredValues } from './stored-values.ts';
import type { Sweeper } from './sweeper.ts';
import type { UsageSampler } from './usage.ts';

/** What all attempts of an executor share. */
export interface AttemptServices {
  readonly ports: ExecutorPorts;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  readonly directory: string;
  readonly nodeModules: string | null;
  /** Of every process: what of the server's environment is passed on, and the executor's mark. */
  readonly baseEnvironment: { readonly [name: string]: string };
  readonly pool: RunnerPool;
  readonly pipes: PipeStock;
  readonly stored: StoredValues;
  readonly sampler: UsageSampler;
  readonly pulse: Pulse;
  readonly sweeper: Sweeper;
}

/** What is prepared for the process of an attempt. */
export interface PreparedAttempt {
  readonly spec: AttemptSpec;
  readonly services: AttemptServices;
  readonly control: AttemptControl;
  readonly log: AttemptLog;
  readonly mask: Mask;
  readonly inputs: Inputs;
  readonly sourceTree: string;
  readonly scratch: string;
  readonly outputsFile: string;
  /** Without the base: what this attempt is told, and its secrets. */
  readonly environment: { readonly [name: string]: string };
  readonly secretNames: readonly string[];
  /** A process runs it. */
  readonly running: (pid: number) => void;
}

export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  readonly usage: Omit<Usage, 'wallMs'> | null;
  /** The runner has taken the scratch directory away. */
  readonly scratchGone?: boolean;
}
