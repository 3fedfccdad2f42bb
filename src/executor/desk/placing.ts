/**
 * What an executor of other machines is made of, wherever those are: it places attempts and looks, and hears how each ended.
 */
import type { AttemptOutcome, FailureCause, Usage } from '../../engine/event.ts';
import type { AgentResult, AgentTask } from '../agent/contract.ts';
import type { AttemptSpec } from '../executor.ts';
import type { KeptAttempt } from './attempt-files.ts';

export type StopCause = 'cancelled' | 'timeout';

export type Failed = Extract<AttemptOutcome, { kind: 'failed' }>;

export function failed(cause: FailureCause, message: string, exitCode: number | null = null): Failed {
  return { kind: 'failed', cause, message, exitCode };
}

/** How it ended: by the agent's word, or by what was seen from outside. */
export type PlacementEnd =
  | { readonly kind: 'told'; readonly result: AgentResult; readonly usage: Usage | null }
  | { readonly kind: 'seen'; readonly failed: Failed; readonly usage: Usage | null }
  | { readonly kind: 'stopped'; readonly cause: StopCause; readonly usage: Usage | null };

/** Which agent has begun it, where and when, and how many lines its log had then. */
export type Began = NonNullable<KeptAttempt['begun']>;

/** Who placed it hears of it. */
export interface PlacedListener {
  /** Kept before its agent hears that it may begin; it may not where this throws. */
  readonly keep: (began: Began) => void;
  readonly begun: (began: Began) => void;
  /** The identity of its place, by which the next server knows it. */
  readonly placed: (uid: string) => void;
  /**
   * `logged` resolves when nothing more comes for its log; false: the next server brings the rest of it. What there is of
   * its place is needed until this resolves.
   */
  readonly over: (end: PlacementEnd, logged: () => Promise<boolean>) => Promise<void>;
}

export interface Placed {
  /** Asks for a place until there is one, or it is known that there will be none. */
  ask(): Promise<void>;
  /** Warns, and kills after the grace. The first cause stays; a shorter grace counts. */
  stop(cause: StopCause, graceMs: number): void;
}

export interface Placing {
  /** As of the executor. */
  readonly runsImages: boolean;
  get(id: string): Placed | undefined;
  /** With what the configuration alone says of where it will be: that of the next server may say otherwise. */
  settled(spec: AttemptSpec): AttemptSpec;
  /** Opens it at the desk. Nothing is asked for yet. */
  place(id: string, task: AgentTask, began: Began | null, listener: PlacedListener): Placed;
  /** An earlier server placed it: what is seen says how it stands. `end`: that server knew how it ended, and its log may lack the rest. `uid`: as it kept that. */
  recover(id: string, task: AgentTask, end: PlacementEnd | null, uid: string | null): void;
  /** What an earlier server left has been placed: all else of it is over. */
  knowsAll(): void;
  /** Nothing of its place is needed any more. */
  forget(id: string): void;
  /** Another server may conduct from now on: nothing is done any more to what it has placed, or takes up. Looks end here. */
  retire(): void;
  /** Everything stays as it is, for the next server. */
  leave(): Promise<void>;
}
