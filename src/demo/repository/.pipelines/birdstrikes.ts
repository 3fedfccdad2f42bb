/**
 * Will this strike damage the aircraft? Trained anew each Monday and whenever the data, the training code or this file
 * change; a pull request is told whether its model is better than the one in production.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { challenge, gate, map, pipeline, step } from 'contender';
import { chosen, describe, type Row } from '../training/features.ts';
import { auc, score, train, type Model } from '../training/model.ts';
import { load, type Part } from '../training/strikes.ts';

const paths = ['.pipelines/birdstrikes.ts', 'training/**', 'data/**'];

export default pipeline(
  'birdstrikes',
  {
    description: 'Predicts damage from reports of strikes with birds.',
    owner: 'safety',
    on: {
      schedule: { cron: '0 5 * * 1', timeZone: 'America/Chicago' },
      push: { branches: ['main'], paths },
      pullRequest: { paths },
    },
    retries: 1,
    timeout: '5m',
    cancelInProgress: true,
  },
  () => {
    const strikes = gate('strikes', {
      description: 'Nine of ten strikes leave no damage; much else would be another world, or a broken extract.',
      data: 'data/birdstrikes.csv',
      columns: ['Airport Name', 'Aircraft Airline Operator', 'Phase of flight', 'Wildlife Species', 'Time of day'],
      rows: { min: 9000 },
      nulls: { max: 0.01, columns: ['Wildlife Size', 'Effect Amount of damage'] },
      label: { column: 'Effect Amount of damage', positive: 'None', min: 0.8, max: 0.95 },
      ranges: { 'Speed IAS in knots': { min: 0, max: 400 } },
    });

    const features = step('features', {
      input: { path: strikes.path },
      async run({ path }, context) {
        const rows = (await load(path)).map(describe);
        await writeFile(join(context.scratch, 'rows.json'), JSON.stringify(rows));
        const count = (part: Part): number => rows.filter((row) => row.part === part).length;
        return {
          rows: await context.artifact('rows.json'),
          training: count('training'),
          validation: count('validation'),
          holdout: count('holdout'),
        };
      },
    });

    const candidates = map({ learningRate: [0.01, 0.03], l2: [0.0003, 0.01] }, ({ learningRate, l2 }) =>
      step('train', {
        input: { rows: features.rows, settings: { learningRate, l2 } },
        async run({ rows, settings }, context) {
          const table = await read<readonly Row[]>(rows);
          const model = train(part(table, 'training'), chosen, settings);
          const validation = part(table, 'validation');
          const validationAuc = auc(validation, score(model, validation));
          context.log(`learning rate ${settings.learningRate}, L2 ${settings.l2}: AUC ${validationAuc.toFixed(4)}`);
          await writeFile(join(context.scratch, 'model.json'), JSON.stringify(model, null, 1));
          return { model: await context.artifact('model.json'), validationAuc, settings };
        },
      }),
    );

    const best = step('choose', {
      input: { candidates },
      async run({ candidates }, context) {
        const [first] = candidates.toSorted((one, other) => other.validationAuc - one.validationAuc);
        if (first === undefined) throw new Error('there is no candidate');
        return { ...first, model: await context.artifact(first.model, 'model.json') };
      },
    });

    const outcome = challenge('birdstrikes', {
      model: best.model,
      score: {
        input: { rows: features.rows },
        async run({ model, rows }) {
          const holdout = part(await read<readonly Row[]>(rows), 'holdout');
          const scores = score(await read<Model>(model), holdout);
          return holdout.map((row, index) => ({ label: row.damaged ? 1 : 0, score: scores[index] ?? 0 }));
        },
      },
      metric: 'roc_auc',
      threshold: 0.7,
      minAbsoluteChange: 0.005,
      guardrails: [{ metric: 'log_loss', maxLoss: 0.01 }],
      promote: 'on-merge',
    });

    step('summary', {
      input: { verdict: outcome.verdict, settings: best.settings, validationAuc: best.validationAuc },
      run({ verdict, settings, validationAuc }, context) {
        const chose = `learning rate ${settings.learningRate} and L2 ${settings.l2}, AUC ${validationAuc.toFixed(4)} on validation`;
        context.log(`The best of four fits: ${chose}. ${verdict.reason}`);
        return { features: chosen, settings, validationAuc, verdict: verdict.kind };
      },
    });
  },
);

function part(rows: readonly Row[], wanted: Part): readonly Row[] {
  return rows.filter((row) => row.part === wanted);
}

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}
