/** Views for tests: what a test does not name has a plain default. */
import assert from 'node:assert/strict';
import { openedAt, openedOf, drive, outcomes } from '../support/drive.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import type { RunView } from '../../src/ui/run-view.ts';
import { panelOf, select } from '../../src/ui/panel-of.ts';
import { headOf } from '../../src/ui/run-view-of.ts';
import { stepViewOf } from '../../src/ui/step-view-of.ts';
import { graphSource, layOut } from '../../src/ui/graph-layout.ts';
import { planReuse, reuseEvents } from '../../src/engine/engine.ts';
import type { Run } from '../../src/engine/run.ts';

export const noLinks = { commitUrl: () => null, pullRequestUrl: () => null } as const;
export const noSelection = { step: null, index: null, attempt: null } as const;

/** The view of a run, without what its report adds. */
export function viewOf(run: Run, given: Partial<RunView> = {}): RunView {
  const selected = select(run, noSelection);
  return {
    position: run.position,
    now: run.finishedAt ?? run.opened.at,
    head: headOf(run, 7, 'A sentence.', noLinks),
    challenges: [],
    gates: [],
    notices: [],
    undelivered: [],
    approvals: [],
    failure: null,
    steps: [...run.steps.values()].map(stepViewOf),
    graph: layOut(graphSource(run.definition)),
    panel: selected === null ? null : panelOf(selected),
    ...given,
  };
}

/** Two steps; the second fails with `message`. */
export function failedRun(message = 'it broke'): Run {
  const definition = pipelineOf([stepOf({ name: 'load' }), stepOf({ name: 'train', upstream: ['load'] })]);
  return drive(
    definition,
    ({ step }) => (step === 'train' ? outcomes.failed('code', message) : outcomes.succeeded({ rows: 3 })),
    { opened: openedOf() },
  ).run;
}

/** `failedRun` once more, from the step that failed. */
export function rerunRun(): Run {
  const earlier = failedRun();
  const planned = planReuse({ definition: earlier.definition, sha: earlier.opened.sha }, earlier, 'failed');
  const first = earlier.opened.trigger;
  assert.ok(planned.ok && first.kind === 'manual');
  const trigger = { kind: 'rerun', of: 'run-1', steps: 'failed', actor: 'eve', first } as const;
  return drive(earlier.definition, () => outcomes.succeeded(), {
    opened: { runId: 'run-2', trigger },
    reused: reuseEvents(planned.value, openedAt),
  }).run;
}

export const betterChallenge: RunView['challenges'][number] = {
  step: 'challenge-churn',
  model: 'churn',
  championVersion: 3,
  next: 'It becomes champion when this pull request is merged, and not before.',
  awaitsApproval: false,
  verdict: {
    kind: 'better',
    promotable: true,
    reason: 'ROC AUC rose from 0.778 to 0.844.',
    rows: 1200,
    metric: 'roc_auc',
    metrics: [
      { metric: 'roc_auc', greaterIsBetter: true, challenger: 0.844, champion: 0.778, guardrail: null },
      {
        metric: 'log_loss',
        greaterIsBetter: false,
        challenger: 0.53,
        champion: 0.55,
        guardrail: { maxLoss: 0.02, held: true },
      },
      { metric: 'recall', greaterIsBetter: true, challenger: 0.7, champion: 0.7, guardrail: null },
    ],
    difference: { value: 0.066, low: 0.06, high: 0.073, confidence: 0.95, p: 1e-9, method: 'delong' },
    required: 0.005,
    threshold: 0.6,
  },
};
