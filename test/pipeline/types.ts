/**
 * What the editor says: compiled by `tsc` with everything else, never run. A line after `@ts-expect-error` has to be
 * wrong, and all others right.
 */
import {
  approval,
  branch,
  challenge,
  container,
  gate,
  group,
  map,
  pipeline,
  shortCircuit,
  step,
  waitFor,
  type Artifact,
  type Handle,
} from '../../src/pipeline/index.ts';

type Same<One, Other> = [One, Other] extends [Other, One] ? true : false;

export const typed = pipeline(
  'typed',
  {
    parameters: {
      rows: 100,
      mode: { type: 'string', choices: ['fast', 'full'] },
      dry: false,
      regions: ['eu', 'us'],
      sizes: { type: 'list', items: 'number' },
    },
    on: {
      schedule: '0 2 * * *',
      push: true,
      pullRequest: { paths: ['src/**'] },
      pipeline: ['features', { name: 'labels', states: ['success', 'failed'], branches: ['release/*'] }],
      data: { any: ['churn-features'] },
    },
    retries: 2,
    retryDelay: '10m',
    startTimeout: '45m',
  },
  ({ date, attempt, parameters }) => {
    const rows: Handle<number> = parameters.rows;
    const mode: Handle<string> = parameters.mode;
    const dry: Handle<boolean> = parameters.dry;
    const regions: Handle<readonly string[]> = parameters.regions;
    const sizes: Handle<readonly number[]> = parameters.sizes;
    map({ region: regions, size: sizes }, ({ region, size }) => {
      const each: [Handle<string>, Handle<number>] = [region, size];
      return step('fit', { input: { each }, run: ({ each: [name, rows] }) => name.length + rows });
    });
    // @ts-expect-error a list of numbers is none of texts
    void (parameters.sizes satisfies Handle<readonly string[]>);
    // @ts-expect-error a number is no text
    const wrong: Handle<string> = parameters.rows;
    // @ts-expect-error there is no such parameter
    void parameters.nothing;
    // @ts-expect-error there is no such field of a date
    void date.year;

    // @ts-expect-error a duration is text
    step('late', { command: ['true'], startTimeout: 60 });
    step('later', { command: ['true'], startTimeout: '2h' });

    const features = step('features', {
      input: { rows, mode, dry, date, attempt, seed: 1, wrong },
      run: async ({ rows, mode, dry, attempt, seed }, context) => {
        void (true satisfies Same<number, typeof rows>);
        void (true satisfies Same<string, typeof mode>);
        void (true satisfies Same<boolean, typeof dry>);
        void (true satisfies Same<number, typeof attempt>);
        void (true satisfies Same<number, typeof seed>);
        const model = await context.artifact('model.json');
        void (true satisfies Same<string, typeof context.checkpoint>);
        return { path: 'x', n: rows + seed, model, list: [{ auc: 1 }], maybe: seed > 1 ? 'x' : undefined };
      },
    });
    const n: Handle<number> = features.n;
    const auc: Handle<number> | undefined = features.list[0]?.auc;
    const maybe: Handle<string> = features.maybe;
    // @ts-expect-error the function gives no such field
    void features.m;

    step('use', {
      input: { model: features.model, list: features.list, n, auc: auc ?? 0, maybe },
      // An artifact arrives as the path of a file.
      run: ({ model, list, n }) => model.length + list.length + n,
    });
    step('wrong-input', {
      input: { path: features.path },
      // @ts-expect-error the path is text
      run: ({ path }: { path: number }) => path,
    });
    step('wrong-use', {
      input: { path: features.path },
      // @ts-expect-error there is no such input
      run: ({ pat }) => pat,
    });

    const train = step('train', {
      command: ['python3', 'train.py', rows],
      env: { N: n },
      outputs: { model: 'artifact', auc: 'number' },
    });
    void (true satisfies Same<Handle<number>, typeof train.auc>);
    // @ts-expect-error it is not declared
    void train.f1;
    // @ts-expect-error there is no such type of output
    step('wrong-output', { command: ['x'], outputs: { a: 'float' } });
    // @ts-expect-error a command is a list
    step('wrong-command', { command: 'python3 train.py' });
    // @ts-expect-error either a command or a function
    step('neither', { retries: 1 });
    // @ts-expect-error -- growth ends somewhere
    step('endless', { command: ['true'], memory: '2Gi', memoryGrowth: { factor: 3 } });
    // @ts-expect-error there is no such option
    step('typo', { command: ['x'], retry: 1 });
    // @ts-expect-error durations are text
    step('number', { command: ['x'], timeout: 1000 });
    // @ts-expect-error there is no such rule
    step('rule', { command: ['x'], triggerRule: 'sometimes' });

    container('image', {
      image: 'trainer:1',
      resources: { limits: { 'nvidia.com/gpu': 1 } },
      after: [train, features],
    });
    // @ts-expect-error an image is needed
    container('no-image', { command: ['x'] });

    const data = gate('validate', { data: features.path, rows: { min: 1 }, after: train });
    void (true satisfies Same<Handle<number>, typeof data.rows>);
    // @ts-expect-error a path has no artifact
    void data.artifact;
    const kept: Handle<Artifact> = gate('kept', { data: features.model, rows: { min: 1 } }).artifact;
    void kept;
    // @ts-expect-error a number is no file
    gate('wrong-data', { data: features.n, rows: { min: 1 } });

    const duel = challenge('churn', {
      model: train.model,
      metric: 'roc_auc',
      score: {
        input: { path: data.path },
        run: ({ model, path }) => [{ label: model.length, score: path.length }],
      },
    });
    void (true satisfies Same<Handle<boolean>, typeof duel.verdict.promotable>);
    challenge('no-checkpoint', {
      model: train.model,
      metric: 'roc_auc',
      // @ts-expect-error two models are scored, which would share it
      score: { run: ({ model }, { checkpoint }) => [{ label: model.length, score: checkpoint.length }] },
    });
    // @ts-expect-error a look has no next try
    waitFor.until('no-checkpoint-either', { run: (_, { checkpoint }) => checkpoint });
    // @ts-expect-error a model is an artifact
    challenge('wrong-model', { model: features.path, metric: 'roc_auc', predictions: 'x.csv' });
    // @ts-expect-error there is no such metric
    challenge('wrong-metric', { model: train.model, metric: 'auc', predictions: 'x.csv' });

    const decide = branch('decide', {
      input: { verdict: duel.verdict },
      choices: ['deploy', 'report'],
      run: ({ verdict }) => (verdict.promotable ? 'deploy' : ['report']),
    });
    branch('wrong-choice', {
      choices: ['deploy'],
      // @ts-expect-error it is not among the choices
      run: () => 'report',
    });
    shortCircuit('go-on', { input: { n }, run: ({ n }) => n > 1, after: decide });
    // @ts-expect-error a short circuit says true or false
    shortCircuit('wrong-answer', { run: () => 'yes' });

    const fits = map(
      { alpha: [0.1, 1], item: features.list, entry: features.list[0] ?? { auc: 1 } },
      ({ alpha, item, entry }) =>
        step('fit', {
          input: { alpha, auc: item.auc, key: entry.key },
          run: ({ alpha, auc, key }) => ({ loss: alpha * auc, key: key.length }),
        }),
    );
    step('best', { input: { fits }, run: ({ fits }) => Math.min(...fits.map((fit) => fit.loss)) });
    // @ts-expect-error a number is no list
    map({ alpha: features.n }, ({ alpha }) => step('wrong-map', { input: { alpha }, run: () => 1 }));

    const cleaned = group('prepare', () => step('clean', { run: () => ({ rows: 1 }) }));
    void (true satisfies Same<Handle<number>, typeof cleaned.rows>);

    const other = waitFor.pipeline('daily-features', { date, shift: '-1d' });
    void (true satisfies Same<Handle<'success' | 'failed'>, typeof other.state>);
    const there = waitFor.file('there', {
      // oxlint-disable-next-line typescript/restrict-template-expressions -- what handles are for
      path: `data/${date}.csv`,
      interval: '5m',
    });
    step('large', { input: { bytes: there.bytes }, run: ({ bytes }) => bytes > 1000 });
    // @ts-expect-error a file has no status
    void there.status;
    waitFor.until('ready', { input: { n }, run: ({ n }) => n > 1, softFail: true });
    const loaded = waitFor.until('loaded', { input: { n }, run: async ({ n }) => (n > 1 ? { rows: n } : null) });
    void (true satisfies Same<Handle<number>, typeof loaded.rows>);
    const release = approval('release', { message: 'Go on?', onReject: 'skip' });
    void (true satisfies Same<Handle<string>, typeof release.by>);
    // @ts-expect-error nothing is tried again
    approval('again', { retries: 2 });
    // @ts-expect-error a date is needed
    waitFor.pipeline('daily-features', {});

    step('in-a-pod', {
      command: ['true'],
      pod: {
        image: features.path,
        env: [
          { name: 'ROWS', value: n },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'warehouse', key: 'token' } } },
        ],
        resources: { requests: { cpu: 0.5 }, limits: { memory: '4Gi', 'nvidia.com/gpu': 1 } },
        nodeSelector: { pool: mode, zone: null },
        tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: n }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: features.path } }],
        sidecars: [{ name: 'proxy', image: 'proxy:1', args: ['--port', features.path] }],
        patch: { spec: { hostNetwork: true, overhead: null } },
        affinity: null,
      },
    });
    step('no-pod', { command: ['true'], pod: null });
    // @ts-expect-error there is no such word
    step('wrong-pod', { command: ['true'], pod: { nodeSelectr: {} } });
    // @ts-expect-error there is no such effect
    step('wrong-effect', { command: ['true'], pod: { tolerations: [{ effect: 'NoSchedul' }] } });
    // @ts-expect-error a variable has one source
    step('wrong-variable', { command: ['true'], pod: { env: [{ name: 'A', value: 'a', valueFrom: {} }] } });
    // @ts-expect-error nothing of an approval runs
    approval('in-no-pod', { pod: {} });
  },
);
