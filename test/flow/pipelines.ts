/** Small pipelines for the flow tests; a "model" is a file with the noise that it adds to the truth. */

export interface ModelPipeline {
  /** Of the pipeline and of its model. */
  readonly name: string;
  /** The smaller, the better the model. */
  readonly noise: number;
  /** Training waits until this file is there. */
  readonly until?: string;
  /** More of the pipeline's options, as text. */
  readonly options?: string;
  /** `on-merge` unless given. */
  readonly promote?: string;
  readonly more?: string;
}

/** Trains on pushes to main and on pull requests that change its own file, and challenges with scores of label plus noise. */
export function modelPipeline({
  name,
  noise,
  until,
  options = '',
  promote = 'on-merge',
  more = '',
}: ModelPipeline): string {
  const wait = until === undefined ? '' : `while (!existsSync(${JSON.stringify(until)})) await setTimeout(20);`;
  return `import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { challenge, pipeline, step } from 'contender';

export default pipeline('${name}', {
  on: { push: { branches: ['main'], paths: ['${name}/**'] }, pullRequest: { paths: ['${name}/**'] } },
  ${options}
}, () => {
  const train = step('train', {
    run: async (_input, context) => {
      ${wait}
      return { model: await context.artifact(new TextEncoder().encode(JSON.stringify({ noise: ${noise} })), 'model.json') };
    },
  });
  challenge('${name}', {
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
    promote: '${promote}',
  });
  ${more}
});
`;
}

export function challengePipeline(noise: number): string {
  return modelPipeline({ name: 'churn', noise });
}

export const chainPipeline = `import { pipeline, step } from 'contender';

export default pipeline('chain', { on: { push: { branches: ['main'] } } }, () => {
  const first = step('first', { run: () => ({ value: 1 }) });
  const second = step('second', { input: { value: first.value }, run: ({ value }) => ({ value: value + 1 }) });
  step('third', { command: ['sh', '-c', 'echo "{\\\\"sum\\\\": $VALUE}"'], env: { VALUE: \`\${second.value}\` } });
});
`;

/** One step that does nothing but succeed. */
export function quickPipeline(name: string, on: string, options = ''): string {
  return `import { pipeline, step } from 'contender';

export default pipeline('${name}', { on: ${on}, ${options} }, () => {
  step('work', { command: ['true'] });
});
`;
}
