/** Reports for the tests: one with everything in it, and the words that change it. */
import type { RunReport } from '../../src/forge/forge.ts';

export const headSha = '0123456789abcdef0123456789abcdef01234567';

export const emptyReport: RunReport = {
  pipeline: 'weekly-churn',
  sha: headSha,
  runId: 'run-1',
  runNumber: 12,
  isAsked: true,
  url: 'https://ci.example/runs/run-1',
  state: 'success',
  summary: 'All steps passed.',
  startedAt: 1_700_000_000_000,
  finishedAt: 1_700_000_192_000,
  steps: [],
  gates: [],
  challenges: [],
  problems: [],
  mentions: [],
  baseSha: null,
  change: null,
};

export const challengeOfChurn: RunReport['challenges'][number] = {
  step: 'compare',
  model: 'churn',
  championVersion: 7,
  next: 'Becomes champion when this pull request is merged.',
  awaitsApproval: false,
  verdict: {
    kind: 'better',
    promotable: true,
    reason: 'roc_auc rose by 0.0079 (0.0021 to 0.0137), more than the 0.005 that is required.',
    rows: 4213,
    metric: 'roc_auc',
    metrics: [
      { metric: 'roc_auc', greaterIsBetter: true, challenger: 0.8391, champion: 0.8312, guardrail: null },
      {
        metric: 'log_loss',
        greaterIsBetter: false,
        challenger: 0.412,
        champion: 0.4105,
        guardrail: { maxLoss: 0.01, held: true },
      },
    ],
    difference: { value: 0.0079, low: 0.0021, high: 0.0137, confidence: 0.95, p: 0.0071, method: 'delong' },
    required: 0.005,
    threshold: 0.8,
  },
};

export const fullReport: RunReport = {
  ...emptyReport,
  mentions: [{ step: 'train', where: { file: 'train.py', line: 7, column: 1 }, message: 'MemoryError: 12 GiB' }],
  state: 'failure',
  summary: 'Step train failed: out of memory.',
  steps: [
    { name: 'validate', state: 'success', durationMs: 4100, message: null, log: null },
    {
      name: 'train',
      state: 'failed',
      durationMs: 182_000,
      message: 'Traceback:\n  File "train.py", line 7\nMemoryError: 12 GiB',
      log: 'run-1/train/0/1',
    },
    { name: 'publish', state: 'upstream_failed', durationMs: null, message: null, log: null },
  ],
  gates: [
    {
      step: 'validate',
      passed: false,
      path: 'data/churn/2026-01-05.parquet',
      checks: [
        { check: 'rows', column: null, value: 12_000, limit: 'at least 10000', passed: true, message: 'enough rows' },
        {
          check: 'nulls',
          column: 'age',
          value: 0.08,
          limit: 'at most 0.05',
          passed: false,
          message: '8 % of age is empty',
        },
      ],
    },
  ],
  challenges: [challengeOfChurn],
  problems: [
    {
      code: 'definition-invalid',
      message: 'retries is a word',
      where: { file: '.pipelines/churn.ts', line: 4, column: 11 },
      help: 'Write a number.',
    },
    { code: 'usage', message: 'a problem without place', where: null, help: '' },
  ],
};
