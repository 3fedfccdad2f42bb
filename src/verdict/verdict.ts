/**
 * Is the challenger better than the champion? Pure: the rows and the rule go in, a verdict with its numbers and one
 * sentence comes out. The same input gives the same verdict everywhere (the bootstrap's generator is seeded).
 */
import type { MetricName } from '../pipeline/definition.ts';

/** One evaluation row: the label and what each model said of the same row. Binary labels are 0 or 1, scores 0 to 1. */
export interface Predictions {
  readonly labels: readonly number[];
  readonly challenger: readonly number[];
  /** Null: there is no champion. Same length and order as `labels`. */
  readonly champion: readonly number[] | null;
}

export interface VerdictRule {
  readonly task: 'binary' | 'regression';
  readonly metric: MetricName;
  readonly threshold: number | null;
  readonly minAbsoluteChange: number;
  readonly minRelativeChange: number;
  readonly confidence: number;
  readonly guardrails: readonly { readonly metric: MetricName; readonly maxLoss: number }[];
}

/**
 * The first that applies (docs/verdicts.md): `no-champion` is the first model, its threshold met; `worse` is a proven loss
 * or a broken guardrail; `below-threshold` misses the threshold, with or without a champion; `better` is proven and large
 * enough; everything else is `inconclusive`. `judge` in `decide.ts` finds it.
 */
export const verdictKinds = ['better', 'worse', 'inconclusive', 'no-champion', 'below-threshold'] as const;
export type VerdictKind = (typeof verdictKinds)[number];

/** A model that is proved worse, or too bad to be used, is not something to merge: its run shows red. */
const refusedVerdicts: ReadonlySet<VerdictKind> = new Set<VerdictKind>(['worse', 'below-threshold']);

/** Why the run of these challenges shows red; null where it does not. */
export function refusedBy(kinds: readonly VerdictKind[]): VerdictKind | null {
  return kinds.find((kind) => refusedVerdicts.has(kind)) ?? null;
}

export interface Verdict {
  readonly kind: VerdictKind;
  /** Whether the rule lets it be promoted: better, or the first one above the threshold. */
  readonly promotable: boolean;
  /** One sentence with the numbers. */
  readonly reason: string;
  readonly rows: number;
  readonly metric: MetricName;
  readonly metrics: readonly MetricComparison[];
  /** Challenger minus champion, in the metric's own direction (positive is a gain for either direction); null without champion. */
  readonly difference: {
    readonly value: number;
    readonly low: number;
    readonly high: number;
    readonly confidence: number;
    readonly p: number | null;
    readonly method: 'delong' | 'paired-bootstrap';
  } | null;
  /** The least gain that the rule asks for, in the metric's unit: where the gate is drawn. */
  readonly required: number;
  readonly threshold: number | null;
}

export interface MetricComparison {
  readonly metric: MetricName;
  readonly greaterIsBetter: boolean;
  readonly challenger: number | null;
  readonly champion: number | null;
  /** Of a guardrail: how much may be lost, and whether it held. */
  readonly guardrail: { readonly maxLoss: number; readonly held: boolean } | null;
}
