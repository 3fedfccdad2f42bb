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

/** A parameter that has to be given, and two with defaults. */
export const demanding = `import { pipeline, step } from 'contender';

const parameters = {
  depth: { type: 'number', default: 3 },
  must: { type: 'string' },
  region: { type: 'string', default: 'eu', choices: ['eu', 'us'] },
} as const;

export default pipeline('demanding', { parameters }, ({ parameters }) => {
  step('only', { input: { must: parameters.must }, run: ({ must }) => must });
});
`;

export const failing = `import { pipeline, step } from 'contender';

export default pipeline('failing', {}, () => {
  step('breaks', { command: ['sh', '-c', 'echo no good >&2; exit 3'] });
});
`;

/** Its first step fails twice, so that its second one never starts. */
export const hopeless = `import { pipeline, step } from 'contender';

export default pipeline('hopeless', {}, () => {
  const tries = step('tries', { command: ['sh', '-c', 'echo "try $CONTENDER_ATTEMPT"; exit 3'], retries: 1, retryDelay: '0s' });
  step('never', { after: tries, command: ['true'] });
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

/** Waits for a person, with what the step before found. */
export const asking = `import { approval, group, pipeline, step } from 'contender';

export default pipeline('asking', {}, () => {
  const train = step('train', { run: () => ({ auc: 0.91 }) });
  const release = group('go', () => approval('release', { message: \`Release a model of \${train.auc}?\` }));
  step('deploy', { input: { by: release.by, reason: release.reason }, run: ({ by, reason }) => {
    console.log('released by', by, 'because', reason);
  } });
});
`;
