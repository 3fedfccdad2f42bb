/** Pipelines as a team would write them, small enough to run in a second: what the pages are looked at with. */

const head = `import { challenge, gate, group, map, pipeline, step } from 'contender';
import { existsSync, readFileSync } from 'node:fs';
`;

/**
 * Gate, training, a challenge of a model whose scores are the label plus `noise`. The training stops after its second epoch
 * until there is a file at `goOn`, where that is given.
 */
export function churnPipeline(noise: number, goOn: string | null = null): string {
  return `${head}
const goOn = ${JSON.stringify(goOn)};
export default pipeline('weekly-churn', {
  description: 'Retrains the churn model on last week\\'s customers.',
  owner: 'growth',
  tags: ['churn', 'weekly'],
  on: { push: { branches: ['main'] }, pullRequest: {}, schedule: { cron: '0 2 * * 1', timeZone: 'Europe/Berlin' } },
}, () => {
  const extract = group('prepare', () => step('extract', { command: ['sh', '-c', \`
    echo "::group::Reading customers"
    for i in 1 2 3 4 5 6 7 8; do echo "part-0000$i.parquet  12 480 rows"; done
    echo "::endgroup::"
    printf '\\\\033[32mok\\\\033[0m 99 840 rows in \\\\033[1m8\\\\033[0m files\\\\n'
    echo '{"rows": 99840, "files": 8}'
  \`] }));
  const data = gate('validate', { after: [extract], data: 'data/customers.csv', rows: { min: 100 }, nulls: { max: 0.05 }, label: { column: 'churned', positive: '1', min: 0.03, max: 0.6 } });
  const features = map({ region: ['north', 'south', 'east', 'west'] }, ({ region: name }) => step('features', { after: [data], input: { region: name }, run: async ({ region }) => {
    console.log('features of ' + region);
    return { region, columns: 42 };
  } }));
  const baseline = step('baseline', { after: [data], command: ['sh', '-c', 'echo "majority class: 0.75"; echo "{\\\\"accuracy\\\\": 0.75}"'] });
  const train = step('train', { after: [features], run: async (_input, context) => {
    for (let epoch = 1; epoch <= 12; epoch += 1) {
      console.log('epoch ' + epoch + '/12  loss ' + (0.69 / Math.sqrt(epoch)).toFixed(4) + '  auc ' + (0.71 + 0.01 * epoch).toFixed(4));
      do await new Promise((resolve) => setTimeout(resolve, 100));
      while (epoch === 2 && goOn !== null && !existsSync(goOn));
    }
    return { model: await context.artifact(new TextEncoder().encode(JSON.stringify({ noise: ${noise} })), 'churn-model.json'), epochs: 12, loss: 0.1992 };
  } });
  challenge('churn', {
    model: train.model,
    score: { run: async ({ model }) => {
      const { noise } = JSON.parse(readFileSync(model, 'utf8'));
      return Array.from({ length: 1200 }, (_, row) => {
        const label = row % 4 === 0 ? 1 : 0;
        const jitter = (((row * 7919) % 101) / 101 - 0.5) * noise;
        return { label, score: Math.min(1, Math.max(0, 0.4 + 0.2 * label + jitter)) };
      });
    } },
    task: 'binary', metric: 'roc_auc', threshold: 0.6, minAbsoluteChange: 0.005, promote: 'on-merge',
    guardrails: [{ metric: 'log_loss', maxLoss: 0.02 }, { metric: 'recall', maxLoss: 0.05 }],
  });
  step('report', { after: [baseline, train], command: ['sh', '-c', 'echo written'] });
});
`;
}

export const customersCsv = [
  'id,tenure,churned',
  ...Array.from({ length: 400 }, (_, row) => `${row},${(row * 37) % 72},${row % 4 === 0 ? 1 : 0}`),
  '',
].join('\n');

/** Fails in its second step, with an annotation and a stack. */
export const nightlyPipeline = `${head}
export default pipeline('nightly-recommender', { on: { push: { branches: ['main'] }, schedule: { cron: '30 3 * * *', timeZone: 'UTC' } } }, () => {
  const load = step('load', { run: () => ({ events: 1200000 }) });
  const train = step('train', { after: [load], retries: 1, retryDelay: '100ms', command: ['sh', '-c', \`
    echo "loading 1 200 000 events"
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "batch $i of 40  rss $((i * 410)) MB"; done
    echo "::warning file=train.py,line=61::the embedding table does not fit the GPU, using the CPU"
    echo "::error file=train.py,line=88,title=MemoryError::cannot allocate 18.2 GiB for the co-occurrence matrix"
    echo "Traceback (most recent call last):" >&2
    echo "  File \\\\"train.py\\\\", line 88, in <module>" >&2
    echo "MemoryError: Unable to allocate 18.2 GiB" >&2
    exit 1
  \`] });
  step('publish', { after: [train], command: ['true'] });
  step('notify', { finally: true, command: ['sh', '-c', 'echo told the team'] });
});
`;
