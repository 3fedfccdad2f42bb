/**
 * The rule of promotion, the same for every registry that keeps a pointer and a ledger: pure, on what was just read.
 * A decision that stands in the ledger is answered with its version, whatever happened since; then a hold, then the
 * compare-and-set against the champion that the challenger was compared with.
 */
import { failure, success, type Result } from '../std/result.ts';
import type { LedgerEntry, ModelPointer, ModelVersion, Promotion, RegistryError } from './registry.ts';

/** A model as one commit (or one moment) shows it. */
export interface ModelState {
  readonly pointer: ModelPointer;
  readonly ledger: readonly LedgerEntry[];
}

export type PromotionStep =
  /** Done before, by this very decision. */
  | { readonly kind: 'again'; readonly version: ModelVersion }
  | { readonly kind: 'write'; readonly version: ModelVersion; readonly state: ModelState };

/** What is true of a model of which nothing was ever promoted. */
export function emptyModel(model: string): ModelState {
  return { pointer: { model, aliases: { champion: null }, hold: null, versions: [] }, ledger: [] };
}

export function decidePromotion(state: ModelState, promotion: Promotion): Result<PromotionStep, RegistryError> {
  const { pointer, ledger } = state;
  const before = ledger.find((entry) => entry.decision === promotion.decision);
  const known = pointer.versions.find((version) => version.version === before?.version);
  if (known !== undefined) return success({ kind: 'again', version: known });
  if (pointer.hold !== null) {
    const { by, reason } = pointer.hold;
    return failure({ kind: 'held', message: `${promotion.model} is held by ${by}: ${reason}` });
  }
  const { champion } = pointer.aliases;
  if (champion !== promotion.expectedChampion) {
    const message = `${promotion.model}: compared with ${named(promotion.expectedChampion)}, but the champion is ${named(champion)}`;
    return failure({ kind: 'champion-changed', message, actual: champion });
  }
  const { decision, model, artifact, predictions, evidence, at } = promotion;
  const number = pointer.versions.length + 1;
  const version: ModelVersion = { model, version: number, artifact, predictions, evidence, promotedAt: at };
  const entry: LedgerEntry = { at, decision, action: 'promoted', version: number, previous: champion, evidence };
  const next: ModelState = {
    pointer: { ...pointer, aliases: { champion: number }, versions: [...pointer.versions, version] },
    ledger: [...ledger, entry],
  };
  return success({ kind: 'write', version, state: next });
}

/** The champion of a pointer, or null. */
export function championOf(pointer: ModelPointer): ModelVersion | null {
  return pointer.versions.find((version) => version.version === pointer.aliases.champion) ?? null;
}

function named(version: number | null): string {
  return version === null ? 'none' : `version ${version}`;
}
