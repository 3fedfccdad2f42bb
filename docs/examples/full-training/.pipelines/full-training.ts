/** Will the film be watched to its end? The best of several networks challenges the champion whenever new data is there. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { challenge, gate, group, map, pipeline, shortCircuit, step, waitFor } from 'contender';
import { readEvenings, split, type Table } from '../training/evenings.mts';
import { accuracy, score, train, type Network } from '../training/network.mts';
import { settingsFor } from '../training/search.mts';

export default pipeline(
  'full-training',
  {
    description: 'Searches for the best network, and deploys it where it is better than the one in use.',
    owner: 'recommendations',
    on: { schedule: { cron: '0 3 * * *', timeZone: 'UTC' } },
    maxActiveRuns: 1,
    retries: 1,
    timeout: '1h',
  },
  ({ date }) => {
    // The last thing that an upload writes, as Spark and others do it.
    const upload = waitFor.object('upload', {
      url: `s3://lake/evenings/${date}/_SUCCESS`,
      store: 'lake',
      interval: '10s',
      timeout: '12h',
    });

    const data = group('data-preparation', () => {
      const evenings = gate('check', {
        after: upload,
        data: 'data/evenings.csv',
        columns: ['evening', 'start_hour', 'minutes', 'match', 'finished_before', 'finished'],
        rows: { min: 3000 },
        nulls: { max: 0 },
        unique: ['evening'],
        label: { column: 'finished', min: 0.3, max: 0.7 },
        ranges: { start_hour: { min: 0, max: 24 }, match: { min: 0, max: 1 } },
      });
      return step('split', {
        input: { path: evenings.path },
        async run({ path }, context) {
          const table = split(await readEvenings(path));
          await writeFile(join(context.scratch, 'table.json'), JSON.stringify(table));
          return { table: await context.artifact('table.json'), rows: table.training.length };
        },
      });
    });

    const search = step('search', {
      input: { rows: data.rows },
      run: ({ rows }) => ({ settings: settingsFor(rows) }),
    });

    const fits = map(
      { settings: search.settings },
      ({ settings }) =>
        step('train', {
          input: { table: data.table, settings },
          pod: { resources: { requests: { cpu: '200m', memory: '128Mi' }, limits: { memory: '512Mi' } } },
          async run({ table, settings }, context) {
            const { training, validation } = await read<Table>(table);
            const network = train(training, settings);
            const validated = accuracy(network, validation);
            context.log(`${settings.units} units, learning rate ${settings.learningRate}: ${validated.toFixed(4)}`);
            await writeFile(join(context.scratch, 'network.json'), JSON.stringify(network, null, 1));
            return { model: await context.artifact('network.json'), validated, settings };
          },
        }),
      { concurrency: 4 },
    );

    const best = step('choose', {
      input: { fits },
      async run({ fits }, context) {
        const [first] = fits.toSorted((one, other) => other.validated - one.validated);
        if (first === undefined) throw new Error('there is no fit to choose');
        return { ...first, model: await context.artifact(first.model, 'network.json') };
      },
    });

    const evaluation = challenge('finishes', {
      name: 'evaluate',
      model: best.model,
      score: {
        input: { table: data.table },
        async run({ model, table }) {
          const { holdout } = await read<Table>(table);
          const scores = score(await read<Network>(model), holdout);
          return holdout.map(({ finished }, index) => ({ label: finished, score: scores[index] ?? 0 }));
        },
      },
      metric: 'accuracy',
      threshold: 0.9,
      minAbsoluteChange: 0.005,
      promote: 'automatic',
    });

    const worth = shortCircuit('worth-deploying', {
      input: { promotable: evaluation.verdict.promotable },
      run: ({ promotable }) => promotable,
    });

    step('deploy', {
      description: 'Puts the model where it is used. Should that fail, so does the run, and the champion stays.',
      after: worth,
      input: { model: best.model, reason: evaluation.verdict.reason },
      async run({ model, reason }, context) {
        const release = { model: await read<Network>(model), reason, sha: context.sha };
        await writeFile(join(context.scratch, 'release.json'), JSON.stringify(release, null, 1));
        return { release: await context.artifact('release.json') };
      },
    });

    step('tell', {
      description: 'Tells the team how it ended, whatever that was. The address is a secret of the server.',
      finally: true,
      secrets: ['TEAM_URL'],
      input: { verdict: evaluation.verdict, settings: best.settings, date },
      async run({ verdict, settings, date }, context) {
        const text = textOf(date, verdict, settings);
        context.log(text);
        const { TEAM_URL = '' } = process.env;
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(TEAM_URL, { method: 'POST', headers, body: JSON.stringify({ text }) });
        if (!answer.ok) throw new Error(`the address of the team answered ${answer.status}`);
        return { text };
      },
    });
  },
);

/** Null is what steps gave that failed or were never reached. */
function textOf(
  date: string,
  verdict: { readonly promotable: boolean; readonly reason: string } | null,
  settings: { readonly units: number; readonly learningRate: number } | null,
): string {
  if (verdict === null || settings === null) return `Training of ${date}: it did not come to an evaluation.`;
  const chosen = `the best network has ${settings.units} units and learning rate ${settings.learningRate}`;
  return `Training of ${date}: ${verdict.promotable ? 'deployed' : 'not deployed'}; ${chosen}. ${verdict.reason}`;
}

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}
