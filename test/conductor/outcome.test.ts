/** What a run came to, in the words that commands and pages show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelOutcomes, outcomeOf } from '../../src/conductor/reports/outcome.ts';
import type { EvaluationRow } from '../../src/journal/journal.ts';
import type { Verdict, VerdictKind } from '../../src/verdict/verdict.ts';

function evaluationOf(kind: VerdictKind, given: Partial<EvaluationRow>): EvaluationRow {
  const promotable = kind === 'better' || kind === 'no-champion';
  const verdict = {
    kind,
    promotable,
    reason: 'see the numbers',
    rows: 600,
    metric: 'roc_auc',
    metrics: [],
    difference: null,
    required: 0.01,
    threshold: null,
  } as const satisfies Verdict;
  return {
    id: '01/challenge-churn',
    runId: '01',
    step: 'challenge-churn',
    repository: 'shop/models',
    pipeline: 'churn',
    model: 'churn',
    sha: 'a'.repeat(40),
    pullRequest: null,
    branch: 'main',
    policy: 'on-merge',
    verdict,
    promotable,
    artifact: { $artifact: 'b'.repeat(64), name: 'model.json', bytes: 1 },
    predictions: null,
    championVersion: null,
    state: promotable ? 'reported' : 'refused',
    reason: promotable ? null : verdict.reason,
    version: null,
    at: 0,
    ...given,
  };
}

test('a success with a model that is worse or below its threshold is refused; nothing else is', () => {
  const of = (kind: VerdictKind): string => outcomeOf('success', [{ kind }]);
  assert.deepEqual([of('worse'), of('below-threshold')], ['refused', 'refused']);
  assert.deepEqual([of('better'), of('inconclusive'), of('no-champion')], ['success', 'success', 'success']);
  assert.equal(outcomeOf('failed', [{ kind: 'worse' }]), 'failed');
  assert.equal(outcomeOf('success', [{ kind: 'better' }, { kind: 'worse' }]), 'refused');
  assert.equal(outcomeOf('success', []), 'success');
});

const texts: readonly (readonly [kind: VerdictKind, given: Partial<EvaluationRow>, text: string])[] = [
  ['better', { state: 'promoted', version: 2 }, 'promoted as v2'],
  ['better', { state: 'promoting' }, 'being promoted'],
  ['better', {}, 'better, not promoted yet'],
  ['no-champion', {}, 'no champion, not promoted yet'],
  ['worse', {}, 'not promoted: worse'],
  ['below-threshold', {}, 'not promoted: below the threshold'],
  ['inconclusive', {}, 'not promoted: inconclusive'],
  ['better', { state: 'refused', reason: 'Another commit was merged.' }, 'not promoted: Another commit was merged'],
  ['better', { state: 'reported', reason: 'Held by mona.' }, 'not promoted: Held by mona'],
];
for (const [kind, given, text] of texts) {
  test(`${kind}, ${given.state ?? 'as it ended'}: ${text}`, () => {
    const [outcome] = modelOutcomes([evaluationOf(kind, given)]);
    assert.equal(outcome?.text, text);
    assert.equal(outcome?.kind, kind);
  });
}

test('a verdict that this version cannot read is left out', () => {
  assert.deepEqual(modelOutcomes([evaluationOf('better', { verdict: { decision: 'no champion' } })]), []);
});
