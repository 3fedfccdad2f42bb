/** What an attempt on this machine, or a look, is made of: what all of them share, what is prepared for one, and how it ended. */
import type { AttemptOutcome, LookOutcome, Usage } from '../../engine/event.ts';
import type { Mask } from '../../outputs/mask.ts';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import type { AttemptSpec, AttemptWork, ExecutorPorts, LookWork } from '../executor.ts';
import type { AttemptControl } from './attempt-control.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Machine } from './machine.ts';
import type { StartedProcess } from './processes.ts';
import type { StoredValues } from './stored-values.ts';

/** What all attempts of an executor share. */
export interface AttemptServices extends Machine {
  readonly ports: ExecutorPorts;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  readonly nodeModules: string | null;
  readonly checkpoints: Checkpoints;
  readonly stored: StoredValues;
  /** Of these secrets of an attempt, and of all that no log may show. */
  readonly maskOf: (secrets: ReadonlyMap<string, string>) => Mask;
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
