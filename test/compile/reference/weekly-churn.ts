/** Mondays at 02:00: features, a data gate, training in a pod of its own, the duel, and a summary either way. */
// oxlint-disable typescript/restrict-template-expressions -- handles are made for template strings
import { branch, challenge, container, gate, pipeline, step, waitFor } from 'contender';

export default pipeline(
  'weekly-churn',
  {
    description: 'Retrains the churn model and lets it challenge the one in production.',
    owner: 'growth',
    on: { schedule: { cron: '0 2 * * 1', timeZone: 'Europe/Berlin' }, pullRequest: { paths: ['training/**'] } },
    maxActiveRuns: 1,
    deadline: '6h',
    retries: 2,
    retryDelay: '10m',
    freshness: { model: 'churn', within: '8d' },
  },
  ({ date }) => {
    const daily = waitFor.pipeline('daily-features', { date, timeout: '4h' });
    const data = gate('validate', {
      after: daily,
      data: `data/churn/${date}.parquet`,
      rows: { min: 10_000 },
      nulls: { max: 0.05 },
      label: { column: 'churned', min: 0.03 },
    });
    const features = step('features', {
      command: ['python3', 'training/features.py', '--in', data.path],
      outputs: { features: 'artifact' },
    });
    const train = container('train', {
      image: 'registry.example/churn-trainer:v3.2',
      env: { TRAIN_DATE: date, FEATURES: features.features },
      resources: { requests: { cpu: '8', memory: '32Gi' }, limits: { 'nvidia.com/gpu': '1' } },
      timeout: '5h',
      outputs: { model: 'artifact', predictions: 'artifact', auc: 'number' },
      local: { command: ['python3', 'training/train.py'] },
    });
    const duel = challenge('churn', {
      model: train.model,
      predictions: train.predictions,
      metric: 'roc_auc',
      minAbsoluteChange: 0.005,
      threshold: 0.9,
      promote: 'on-merge',
    });
    const decide = branch('deploy-or-not', {
      input: { promotable: duel.verdict.promotable },
      choices: ['deploy', 'keep'],
      run: ({ promotable }) => (promotable ? 'deploy' : 'keep'),
    });
    const deploy = step('deploy', { command: ['./deploy.sh', 'churn'], after: decide });
    const keep = step('keep', { command: ['echo', duel.verdict.reason], after: decide });
    step('summary', {
      after: [deploy, keep],
      triggerRule: 'none_failed_min_one_success',
      command: ['python3', 'training/summary.py', '--auc', train.auc, '--verdict', duel.verdict.kind],
    });
  },
);
