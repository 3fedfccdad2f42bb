/** Small pipelines for the flow tests; a "model" is a file with the noise that it adds to the truth. */

/** Challenge of a model whose scores are the label plus `noise`: the smaller the noise, the better the model. */
export function challengePipeline(noise: number, more = ''): string {
  return `import { readFileSync } from 'node:fs';
import { challenge, pipeline, step } from 'contender';

export default pipeline('churn', { on: { push: { branches: ['main'] }, pullRequest: {} } }, () => {
  const train = step('train', {
    run: async (_input, context) => ({ model: await context.artifact(new TextEncoder().encode(JSON.stringify({ noise: ${noise} })), 'model.json') }),
  });
  challenge('churn', {
    model: train.model,
    score: {
      run: async ({ model }) => {
        const { noise } = JSON.parse(readFileSync(model, 'utf8'));
        return Array.from({ length: 400 }, (_, row) => {
          const label = row % 4 === 0 ? 1 : 0;
          const jitter = (((row * 7919) % 101) / 101 - 0.5) * noise;
          return { label, score: Math.min(1, Math.max(0, 0.4 + 0.2 * label + jitter)) };
        });
      },
    },
    task: 'binary',
    metric: 'roc_auc',
    threshold: 0.6,
    minAbsoluteChange: 0.005,
    promote: 'on-merge',
  });
  ${more}
});
`;
}

export const chainPipeline = `import { pipeline, step } from 'contender';

export default pipeline('chain', { on: { push: { branches: ['main'] } } }, () => {
  const first = step('first', { run: () => ({ value: 1 }) });
  const second = step('second', { input: { value: first.value }, run: ({ value }) => ({ value: value + 1 }) });
  step('third', { command: ['sh', '-c', 'echo "{\\\\"sum\\\\": $VALUE}"'], env: { VALUE: \`\${second.value}\` } });
});
`;
