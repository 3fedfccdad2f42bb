/**
 * What a run came to: its state, told apart where every step ended well and the model is not one to merge; and what
 * became of each of its models. Reports, commands and pages take it from here, so that one shows no green where another
 * shows red.
 */
import type { RunState } from '../../engine/event.ts';
import type { EvaluationRow, EvaluationState } from '../../journal/journal.ts';
import { unreachable } from '../../std/unreachable.ts';
import { refusedBy, type VerdictKind } from '../../verdict/verdict.ts';
import { verdictOf } from './challenge-result.ts';

/** `refused`: a success whose challenger is proved worse, or below its threshold. */
export type RunOutcome = RunState | 'refused';

export function outcomeOf(state: RunState, verdicts: readonly { readonly kind: VerdictKind }[]): RunOutcome {
  return state === 'success' && refusedBy(verdicts.map(({ kind }) => kind)) !== null ? 'refused' : state;
}

export interface ModelOutcome {
  readonly model: string;
  readonly kind: VerdictKind;
  readonly promotion: EvaluationState;
  /** Null where it was not promoted. */
  readonly version: number | null;
  /** In a few words: `not promoted: worse`. */
  readonly text: string;
}

/** Of the evaluations of one run; one whose verdict cannot be read is left out. */
export function modelOutcomes(evaluations: readonly EvaluationRow[]): readonly ModelOutcome[] {
  return evaluations.flatMap((evaluation) => {
    const kind = verdictOf(evaluation.verdict)?.kind;
    if (kind === undefined) return [];
    const { model, state, version } = evaluation;
    return [{ model, kind, promotion: state, version, text: textOf(evaluation, kind) }];
  });
}

const kindWords: Readonly<Record<VerdictKind, string>> = {
  better: 'better',
  worse: 'worse',
  inconclusive: 'inconclusive',
  'no-champion': 'no champion',
  'below-threshold': 'below the threshold',
};

function textOf({ state, version, promotable, reason }: EvaluationRow, kind: VerdictKind): string {
  switch (state) {
    case 'promoted':
      return `promoted as v${version}`;
    case 'promoting':
      return reason === null ? 'being promoted' : 'not promoted yet: the registry cannot be written';
    case 'refused':
    case 'reported':
      // What may be promoted and is not, has another reason than its verdict, or waits.
      if (promotable && reason === null) return `${kindWords[kind]}, not promoted yet`;
      return `not promoted: ${promotable ? (reason ?? '').replace(/\.$/, '') : kindWords[kind]}`;
    default:
      return unreachable(state);
  }
}
