/** Hyper-parameters made at run time, training mapped over them, and the best of them against the champion. */
// oxlint-disable typescript/restrict-template-expressions -- handles are made for template strings
import { challenge, group, map, pipeline, shortCircuit, step, waitFor, type Artifact } from 'contender';

interface Fit {
  readonly model: Artifact;
  readonly accuracy: number;
}

export default pipeline(
  'full-training',
  { on: { schedule: '30 1 * * *' }, maxActiveRuns: 1, retries: 1, parameters: { trials: 8 } },
  ({ date, parameters }) => {
    const prepared = group('data-preparation', () => {
      const there = waitFor.file('there', { path: `/exports/interactions/${date}.csv`, interval: '5m', timeout: '6h' });
      const clean = step('clean', {
        command: ['python3', 'clean.py', '--date', date],
        after: there,
        outputs: { rows: 'artifact', n: 'number' },
      });
      return step('split', {
        command: ['python3', 'split.py', clean.rows],
        outputs: { train: 'artifact', holdout: 'artifact' },
      });
    });
    const settings = step('settings', {
      input: { trials: parameters.trials },
      run: ({ trials }) =>
        Array.from({ length: trials }, (_, index) => ({ depth: 2 + (index % 4), rate: 0.1 / (1 + index) })),
    });
    const fits = map(
      { setting: settings },
      ({ setting }) =>
        step('fit', {
          input: { setting, train: prepared.train },
          retries: 3,
          timeout: '3h',
          run: async ({ setting, train }, context): Promise<Fit> => {
            context.log(`fitting ${train} with depth ${setting.depth}`);
            return { model: await context.artifact('model.json'), accuracy: 1 - setting.rate };
          },
        }),
      { concurrency: 4 },
    );
    const best = step('best', {
      input: { fits },
      run: async ({ fits }, context) => {
        const found = fits.reduce((one, other) => (other.accuracy > one.accuracy ? other : one));
        return { model: await context.artifact(found.model, 'model.json'), accuracy: found.accuracy };
      },
    });
    const duel = challenge('recommender', {
      model: best.model,
      score: { command: ['python3', 'score.py', prepared.holdout] },
      metric: 'accuracy',
      minAbsoluteChange: 0.005,
      threshold: 0.9,
      promote: 'automatic',
    });
    const worth = shortCircuit('worth-it', {
      input: { promotable: duel.verdict.promotable },
      run: ({ promotable }) => promotable,
    });
    step('deploy', { command: ['./deploy.sh'], after: worth });
    step('notify', { finally: true, command: ['./notify.sh', duel.verdict.reason] });
  },
);
