/** Small pipelines that the commands are tried on. */

export const good = `import { pipeline, step } from 'contender';

export default pipeline('good', { parameters: { depth: { type: 'number', default: 3 } } }, ({ date, parameters }) => {
  const first = step('first', { input: { depth: parameters.depth, date }, run: ({ depth, date }) => {
    console.log('the depth is', depth, 'on', date);
    return { depth };
  } });
  step('second', { input: { depth: first.depth }, run: ({ depth }) => ({ depth: depth + 1 }) });
});
`;

export const failing = `import { pipeline, step } from 'contender';

export default pipeline('failing', {}, () => {
  step('breaks', { command: ['sh', '-c', 'echo no good >&2; exit 3'] });
});
`;

/** Its step says when it has begun, and then takes longer than any test. */
export const slow = `import { pipeline, step } from 'contender';

export default pipeline('slow', {}, () => {
  step('sleeps', { command: ['sh', '-c', 'echo has begun as $$; exec sleep 600'] });
});
`;

/** An unknown option on line 4. */
export const broken = `import { pipeline, step } from 'contender';

export default pipeline('broken', {}, () => {
  step('one', { run: () => 1, retrys: 2 });
});
`;

/** Its step takes two slots of a pool. */
export const pooled = `import { pipeline, step } from 'contender';

export default pipeline('pooled', {}, () => {
  step('prepare', { command: ['true'] });
  step('train', { command: ['true'], pool: 'gpu', poolSlots: 2 });
});
`;
