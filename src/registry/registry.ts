/**
 * Model versions and their aliases. A registry that cannot be reached is an error of its own, never "no champion", and
 * a promotion is a compare-and-set against the champion that the challenger was compared with.
 */
import type { Artifact } from '../pipeline/definition.ts';
import type { JsonObject } from '../std/json.ts';
import type { Result } from '../std/result.ts';

export interface ModelRegistry {
  champion(model: string): Promise<Result<ModelVersion | null, RegistryError>>;
  model(model: string): Promise<Result<ModelPointer | null, RegistryError>>;
  /** All models as of one moment of the call. */
  models(): Promise<Result<ModelList, RegistryError>>;
  /** The same as of the last time that something brought them here: nothing far is asked. `unreachable`: nothing did. */
  modelsHere(): Promise<Result<ModelList, RegistryError>>;
  /** What was ever promoted, oldest first. */
  ledger(model: string): Promise<Result<readonly LedgerEntry[], RegistryError>>;
  /**
   * Registers the evaluated artifact as the next version and makes it champion, in one step. `decision` makes a second
   * time harmless: the same decision gives the same version.
   */
  promote(promotion: Promotion): Promise<Result<ModelVersion, RegistryError>>;
}

export type RegistryError =
  | { readonly kind: 'unreachable'; readonly message: string }
  /** It can be read and not written, until somebody lets us. */
  | { readonly kind: 'denied'; readonly message: string }
  /** Another champion than the one that it was compared with. */
  | { readonly kind: 'champion-changed'; readonly message: string; readonly actual: number | null }
  | { readonly kind: 'held'; readonly message: string }
  | { readonly kind: 'invalid'; readonly message: string };

export interface ModelVersion {
  readonly model: string;
  /** From 1, without gaps. */
  readonly version: number;
  readonly artifact: Artifact;
  readonly predictions: Artifact | null;
  readonly evidence: Evidence;
  readonly promotedAt: number;
}

/** Where a version comes from. */
export interface Evidence {
  readonly repository: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly sha: string;
  /** Of the definition. */
  readonly digest: string;
  readonly verdict: JsonObject;
  /** The champion that it was compared with. */
  readonly comparedWith: number | null;
  /** Who or what decided: `push to main`, `merge of #12 by mona`. */
  readonly decidedBy: string;
}

export interface Promotion {
  readonly decision: string;
  readonly model: string;
  readonly artifact: Artifact;
  readonly predictions: Artifact | null;
  readonly expectedChampion: number | null;
  readonly evidence: Evidence;
  readonly at: number;
}

export interface ModelPointer {
  readonly model: string;
  readonly aliases: { readonly champion: number | null };
  /** Automatic promotion waits while this is set. */
  readonly hold: { readonly reason: string; readonly by: string; readonly at: number } | null;
  readonly versions: readonly ModelVersion[];
}

export interface ModelList {
  /** By name. */
  readonly pointers: readonly ModelPointer[];
  /** Of models that cannot be read, by name: why not, as a sentence. */
  readonly broken: ReadonlyMap<string, string>;
}

export interface LedgerEntry {
  readonly at: number;
  readonly decision: string;
  readonly action: 'promoted';
  readonly version: number;
  readonly previous: number | null;
  readonly evidence: Evidence;
}
