/** What a placement stands on, and the pod that it is about. */
import type { V1Pod } from '@kubernetes/client-node';
import type { PlacementEnd } from '../desk/placing.ts';
import type { Clock } from '../../std/clock.ts';
import type { Api } from './api.ts';
import type { Lasted } from './pod-end.ts';
import type { StartPatience } from './pod-start.ts';
import type { PodView } from './pod-view.ts';
import type { PodPlace, Reaper } from './reaper.ts';
import type { Seen } from './seen.ts';

export interface PlacementPorts {
  readonly isLook: boolean;
  readonly api: Api;
  readonly reaper: Reaper;
  readonly clock: Clock;
  /** Whether this server surely conducts at this moment. */
  readonly trusted: () => boolean;
  readonly patience: StartPatience;
  /** Until an agent that says nothing is given up. */
  readonly lostMs: number;
  /** Under which its agent reaches the server. */
  readonly agentUrl: string;
  /** What is known of its pod now. */
  readonly seen: () => PodView | undefined;
  /** How long it has been so, of the time in which its namespace could be seen. */
  readonly lasted: Lasted;
  /** Whether what is known of its namespace is of this moment; else it is looked at again. */
  readonly isFresh: () => boolean;
  /** Since when its namespace may not be listed, and why not, where this server has never seen it; else null. */
  readonly refused: () => Seen['refused'];
  /** Since when its agent has said nothing. */
  readonly heardAt: () => number;
  /** When its agent last wrote to the log of its own container; null: nobody can tell. */
  readonly wroteAt: () => Promise<number | null>;
  /** Its agent hears that it is to end at once, should it come to itself. */
  readonly revoke: () => void;
  /** Waits so long for room in its namespace, or until there may be some (true). */
  readonly room: (ms: number, signal: AbortSignal) => Promise<boolean>;
  /** For the log of the attempt, as long as no agent writes it. */
  readonly say: (text: string) => void;
  /** Its pod has this identity. */
  readonly placed: (uid: string) => void;
  /** Once. What there is of the pod is needed until it resolves. */
  readonly over: (end: PlacementEnd) => Promise<void>;
  /** After that: its pod goes, or stays to be looked at. */
  readonly letGo: (place: PodPlace) => void;
  /** In its place: no pod of it was ever made. */
  readonly unmade: () => void;
  /** Null: its agent carries out the step, and says all that there is to say. */
  readonly container: ContainerSide | null;
}

/** Of a container with a helper: what only the cluster can tell. */
export interface ContainerSide {
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** It has begun to run. Harmless the second time. */
  readonly started: () => void;
  /** The most memory that it was seen to take by now, in bytes; null: nobody has seen it. */
  readonly memoryBytesMax: () => number | null;
}

/** `pod` is made when it is asked for; one that exists already under its name is taken for it. */
export interface PlacedPod {
  readonly namespace: string;
  readonly name: string;
  readonly make: () => Promise<V1Pod>;
}
