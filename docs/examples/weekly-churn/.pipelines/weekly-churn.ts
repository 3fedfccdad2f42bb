/** Who will leave next? Trained anew each Monday; what is not better than the model in production is not deployed. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { branch, challenge, container, gate, pipeline, step, waitFor } from 'contender';
import { readCustomers, type Row } from '../training/features.mts';
import { score, type Model } from '../training/model.mts';

export default pipeline(
  'weekly-churn',
  {
    description: 'Predicts which customers leave, and deploys the model where it is better.',
    owner: 'growth',
    on: { schedule: { cron: '0 2 * * 1', timeZone: 'Europe/Berlin' } },
    // Of the container that trains, where steps are pods.
    parameters: { image: 'node:24-slim' },
    maxActiveRuns: 1,
    deadline: '6h',
    notify: ['ml-team'],
    retries: 1,
    timeout: '1h',
  },
  ({ date, parameters }) => {
    // `date` is the Monday with which the week begins; its last day is the Sunday six days later.
    const loaded = waitFor.pipeline('daily-features', { date, shift: '6d', timeout: '4h' });

    const customers = gate('customers', {
      after: loaded,
      data: 'data/customers.csv',
      columns: ['customer', 'plan', 'tenure_months', 'monthly_charge', 'logins', 'complaints', 'churned'],
      rows: { min: 2500 },
      nulls: { max: 0.05 },
      unique: ['customer'],
      label: { column: 'churned', min: 0.1, max: 0.5 },
      ranges: { tenure_months: { min: 0, max: 600 }, complaints: { min: 0 } },
    });

    const features = step('features', {
      input: { path: customers.path },
      async run({ path }, context) {
        const rows = await readCustomers(path);
        await writeFile(join(context.scratch, 'features.json'), JSON.stringify(rows));
        return { table: await context.artifact('features.json'), rows: rows.length };
      },
    });

    const train = container('train', {
      image: parameters.image,
      // The working directory is the image's own; the files of the commit lie elsewhere.
      command: ['sh', '-c', 'exec node "$CONTENDER_SOURCE/training/train.mts"'],
      env: { TABLE: features.table },
      resources: { requests: { cpu: '200m', memory: '128Mi' }, limits: { memory: '512Mi' } },
      outputs: { model: 'artifact', rows: 'number' },
      pod: { labels: { task: 'training' }, securityContext: { runAsUser: 1000 } },
      local: { command: ['node', 'training/train.mts'] },
    });

    const evaluation = challenge('churn', {
      name: 'evaluate',
      model: train.model,
      score: {
        input: { table: features.table },
        async run({ model, table }) {
          const holdout = (await read<readonly Row[]>(table)).filter(({ part }) => part === 'holdout');
          const scores = score(await read<Model>(model), holdout);
          return holdout.map(({ churned }, index) => ({ label: churned, score: scores[index] ?? 0 }));
        },
      },
      metric: 'roc_auc',
      threshold: 0.75,
      minAbsoluteChange: 0.005,
      guardrails: [{ metric: 'log_loss', maxLoss: 0.01 }],
      promote: 'automatic',
    });

    const decide = branch('decide', {
      input: { promotable: evaluation.verdict.promotable },
      choices: ['deploy', 'keep'],
      run: ({ promotable }) => (promotable ? 'deploy' : 'keep'),
    });

    const deploy = step('deploy', {
      description: 'Puts the model where it is used. Should that fail, so does the run, and the champion stays.',
      after: decide,
      input: { model: train.model, reason: evaluation.verdict.reason },
      async run({ model, reason }, context) {
        const release = { model: await read<Model>(model), reason, sha: context.sha };
        await writeFile(join(context.scratch, 'release.json'), JSON.stringify(release, null, 1));
        return { release: await context.artifact('release.json') };
      },
    });

    const keep = step('keep', {
      after: decide,
      input: { champion: evaluation.championVersion },
      run: ({ champion }, context) =>
        context.log(champion === null ? 'There is no champion.' : `Version ${champion} stays.`),
    });

    step('summary', {
      after: [deploy, keep],
      triggerRule: 'none_failed_min_one_success',
      input: { verdict: evaluation.verdict, rows: train.rows, date },
      run({ verdict, rows, date }, context) {
        const outcome = verdict.promotable ? 'deployed' : 'not deployed';
        const text = `Week of ${date}: ${outcome}, trained on ${rows} customers. ${verdict.reason}`;
        context.log(text);
        return { outcome, verdict: verdict.kind, text };
      },
    });
  },
);

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}
