/** What each word becomes. */
// oxlint-disable typescript/restrict-template-expressions -- handles are made for template strings
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepDefinition } from '../../src/pipeline/definition.ts';
import { functionOf } from '../../src/pipeline/functions.ts';
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
  type PipelineContext,
  type PipelineOptions,
} from '../../src/pipeline/index.ts';

type Context = PipelineContext<Record<string, never>>;

function stepsOf(
  define: (context: Context) => void,
  options: PipelineOptions<Record<string, never>> = {},
): readonly StepDefinition[] {
  return pipeline('example', options, define).definition.steps;
}

function workOf(define: (context: Context) => void): StepDefinition['work'] | undefined {
  return stepsOf(define).at(-1)?.work;
}

test('a pipeline without options has plain defaults', () => {
  const { definition } = pipeline('example', {}, () => void step('x', { command: ['true'] }));
  const { steps, ...head } = definition;
  assert.deepEqual(head, {
    name: 'example',
    description: null,
    owner: null,
    tags: [],
    on: { schedule: null, push: null, pullRequest: null },
    parameters: {},
    maxActiveRuns: 16,
    overlap: 'allow',
    cancelInProgress: false,
    runTimeoutMs: null,
    deadlineMs: null,
    freshness: null,
  });
  assert.deepEqual(steps, [
    {
      name: 'x',
      description: null,
      upstream: [],
      triggerRule: 'all_success',
      finally: false,
      retry: { count: 0, delayMs: 10_000, factor: 2, delayMaxMs: 600_000 },
      timeoutMs: 21_600_000,
      graceMs: 30_000,
      secrets: [],
      cache: null,
      map: null,
      outputs: {},
      work: { kind: 'command', command: ['true'], environment: {} },
    },
  ]);
});

test("pool, priority, queue and the time to start are the step's, else those of the pipeline, and left out where there are none", () => {
  const steps = stepsOf(
    () => {
      step('inherits', { command: ['true'] });
      step('more', { command: ['true'], poolSlots: 3, priority: -5, queue: 'gpu-large', startTimeout: '2h' });
      step('other', { command: ['true'], pool: 'database', priority: 0 });
      step('none', { command: ['true'], pool: null, queue: null, startTimeout: null });
      waitFor.file('features', { path: 'features.csv', pool: 'database', poolSlots: 2 });
    },
    { pool: 'gpu', poolSlots: 2, priority: 10, queue: 'batch', startTimeout: '45m' },
  );
  assert.deepEqual(
    steps.map(({ pool, priority, queue, startTimeoutMs }) => [pool, priority, queue, startTimeoutMs]),
    [
      [{ name: 'gpu', slots: 2 }, 10, 'batch', 2_700_000],
      [{ name: 'gpu', slots: 3 }, -5, 'gpu-large', 7_200_000],
      [{ name: 'database', slots: 1 }, undefined, 'batch', 2_700_000],
      [undefined, 10, undefined, undefined],
      [{ name: 'database', slots: 2 }, 10, 'batch', 2_700_000],
    ],
  );
  assert.ok(!('priority' in (steps[2] ?? {})) && !('pool' in (steps[3] ?? {})));
  assert.ok(!('queue' in (steps[3] ?? {})) && !('startTimeoutMs' in (steps[3] ?? {})));
});

test('options of a pipeline are read with their durations, triggers and parameters', () => {
  const { definition } = pipeline(
    'example',
    {
      description: '# Churn',
      owner: 'growth',
      tags: ['weekly'],
      on: {
        schedule: { cron: '0  2 * * 1', timeZone: 'Europe/Berlin', catchup: 'latest' },
        push: { branches: ['main'] },
        pullRequest: true,
      },
      parameters: { rows: 10, mode: { type: 'string', choices: ['fast', 'full'], description: 'how' } },
      maxActiveRuns: 1,
      overlap: 'replace',
      cancelInProgress: true,
      runTimeout: '12h',
      finallyTimeout: '5m',
      deadline: '6h',
      notify: { deadline: ['ml-team', 'alerts', 'alerts'], recovery: [] },
      freshness: { model: 'churn', within: '8d' },
    },
    () => void step('x', { command: ['true'] }),
  );
  const { steps: _, ...head } = definition;
  assert.deepEqual(head, {
    name: 'example',
    description: '# Churn',
    owner: 'growth',
    tags: ['weekly'],
    on: {
      schedule: { cron: '0 2 * * 1', timeZone: 'Europe/Berlin', catchup: 'latest' },
      push: { branches: ['main'], tags: [], paths: [] },
      pullRequest: { branches: [], paths: [] },
    },
    parameters: {
      rows: { type: 'number', default: 10, description: null, choices: null },
      mode: { type: 'string', default: null, description: 'how', choices: ['fast', 'full'] },
    },
    maxActiveRuns: 1,
    overlap: 'replace',
    cancelInProgress: true,
    runTimeoutMs: 43_200_000,
    finallyTimeoutMs: 300_000,
    deadlineMs: 21_600_000,
    freshness: { model: 'churn', withinMs: 691_200_000 },
    notify: { deadline: ['ml-team', 'alerts'], recovery: [] },
  });
});

test('a list of channels is told of deadlines and failures', () => {
  const { definition } = pipeline('a', { notify: ['ml-team'] }, () => void step('x', { command: ['true'] }));
  assert.deepEqual(definition.notify, { deadline: ['ml-team'], failure: ['ml-team'], approval: ['ml-team'] });
});

test('defaults of the pipeline flow to its steps, which may say otherwise', () => {
  const [one, two] = stepsOf(
    () => {
      step('one', { command: ['true'] });
      step('two', { command: ['true'], retries: 0, retryDelay: '2m', retryBackoff: 1, timeout: '5m', secrets: ['B'] });
    },
    { retries: 2, retryDelay: '1m', maxRetryDelay: '5m', timeout: '1h', grace: '1m', secrets: ['A'] },
  );
  assert.deepEqual(one?.retry, { count: 2, delayMs: 60_000, factor: 2, delayMaxMs: 300_000 });
  assert.deepEqual([one?.timeoutMs, one?.graceMs, one?.secrets], [3_600_000, 60_000, ['A']]);
  assert.deepEqual(two?.retry, { count: 0, delayMs: 120_000, factor: 1, delayMaxMs: 300_000 });
  assert.deepEqual([two?.timeoutMs, two?.graceMs, two?.secrets], [300_000, 60_000, ['A', 'B']]);
});

test('the longest delay that nobody gave is not below the first, and one of a step stands over that of the pipeline', () => {
  const [one] = stepsOf(() => void step('one', { command: ['true'], retryDelay: '1h' }), { retryDelay: '20m' });
  assert.deepEqual([one?.retry.delayMs, one?.retry.delayMaxMs], [3_600_000, 3_600_000]);
  const own = { command: ['true'], retryDelay: '20m', maxRetryDelay: '1h' };
  const [two] = stepsOf(() => void step('two', own), { maxRetryDelay: '5m' });
  assert.deepEqual([two?.retry.delayMs, two?.retry.delayMaxMs], [1_200_000, 3_600_000]);
});

test('a cache is for good and of all files, or as long and of those that are named', () => {
  const steps = stepsOf(() => {
    step('one', { command: ['true'], cache: true });
    step('two', { run: () => 1, cache: { for: '7d', paths: ['training/**'] } });
    step('three', { run: () => 1, cache: {} });
    step('four', { command: ['true'], cache: false });
  });
  assert.deepEqual(
    steps.map(({ cache }) => cache),
    [{ forMs: null, paths: [] }, { forMs: 604_800_000, paths: ['training/**'] }, { forMs: null, paths: [] }, null],
  );
});

test('a handle in an input is a reference and the edge', () => {
  const steps = stepsOf(({ date }) => {
    const one = step('one', { run: () => ({ path: 'x', list: [{ auc: 1 }] }) });
    const other = step('other', { command: ['true'] });
    step('two', {
      input: {
        date,
        path: one.path,
        deep: [one.list[0]?.auc ?? 0, 1],
        text: `s3://${one.path}/${date}`,
        seed: 1,
        none: null,
      },
      after: [other, one],
      run: () => 1,
    });
  });
  assert.deepEqual(steps[2]?.upstream, ['one', 'other']);
  assert.deepEqual(steps[2]?.work, {
    kind: 'function',
    file: '',
    input: {
      record: {
        date: { reference: { context: 'date' } },
        path: { reference: { output: 'one', path: ['path'] } },
        deep: { list: [{ reference: { output: 'one', path: ['list', '0', 'auc'] } }, { literal: 1 }] },
        text: { template: ['s3://', { output: 'one', path: ['path'] }, '/', { context: 'date' }] },
        seed: { literal: 1 },
        none: { literal: null },
      },
    },
  });
});

test('braces, dollars and lone marks stay what they are', () => {
  const work = workOf(({ date }) => step('x', { command: ['${date}', '{{ ds }}', `a${date}`, `${date}`, 'plain'] }));
  assert.deepEqual(work, {
    kind: 'command',
    command: ['${date}', '{{ ds }}', ['a', { context: 'date' }], [{ context: 'date' }], 'plain'],
    environment: {},
  });
});

test('a command takes arguments, variables and declared outputs', () => {
  const [train, use] = stepsOf(({ date }) => {
    const train = step('train', {
      command: ['python3', 'train.py', '--date', date, 1, true],
      env: { DATE: date, MODE: `full-${date}`, N: 3 },
      outputs: { model: 'artifact', auc: 'number' },
    });
    step('use', { command: ['cat', train.model] });
  });
  assert.deepEqual(train?.outputs, { model: 'artifact', auc: 'number' });
  assert.deepEqual(train?.work, {
    kind: 'command',
    command: ['python3', 'train.py', '--date', [{ context: 'date' }], '1', 'true'],
    environment: { DATE: [{ context: 'date' }], MODE: ['full-', { context: 'date' }], N: '3' },
  });
  assert.deepEqual(use?.upstream, ['train']);
});

test('a container has an image, resources and what runs in its place', () => {
  const work = workOf(({ sha }) =>
    container('train', {
      image: `registry.example/train:${sha}`,
      args: ['--sha', sha],
      env: { A: 'b' },
      resources: { requests: { cpu: 8, memory: '32Gi' }, limits: { 'nvidia.com/gpu': '1' } },
      local: { command: ['python3', 'train.py'] },
    }),
  );
  assert.deepEqual(work, {
    kind: 'container',
    image: ['registry.example/train:', { context: 'sha' }],
    command: [],
    args: ['--sha', [{ context: 'sha' }]],
    environment: { A: 'b' },
    resources: { requests: { cpu: '8', memory: '32Gi' }, limits: { 'nvidia.com/gpu': '1' } },
    localCommand: ['python3', 'train.py'],
  });
});

test('a gate becomes its checks, in a fixed order', () => {
  const work = workOf(({ date }) =>
    gate('validate', {
      columns: ['id'],
      unique: ['id', 'day'],
      ranges: { age: { min: 0, max: 120 }, score: { max: 1 } },
      label: { column: 'churned', min: 0.03 },
      nulls: { max: 0.05 },
      rows: { min: 10 },
      data: `data/${date}.parquet`,
    }),
  );
  assert.deepEqual(work, {
    kind: 'gate',
    data: { template: ['data/', { context: 'date' }, '.parquet'] },
    checks: [
      { check: 'rows', min: 10, max: null },
      { check: 'nulls', columns: null, max: 0.05 },
      { check: 'label', column: 'churned', positive: '1', min: 0.03, max: null },
      { check: 'range', column: 'age', min: 0, max: 120 },
      { check: 'range', column: 'score', min: null, max: 1 },
      { check: 'unique', columns: ['id', 'day'] },
      { check: 'columns', names: ['id'] },
    ],
  });
});

test('a challenge takes a function, a command or predictions', () => {
  const steps = stepsOf(() => {
    const train = step('train', { command: ['x'], outputs: { model: 'artifact', predictions: 'artifact' } });
    challenge('churn', {
      model: train.model,
      predictions: train.predictions,
      metric: 'roc_auc',
      threshold: 0.9,
      minAbsoluteChange: 0.005,
      promote: 'on-merge',
    });
    challenge('price', {
      name: 'duel',
      model: train.model,
      metric: 'rmse',
      score: { input: { seed: 1 }, run: () => [] },
      guardrails: [{ metric: 'mae', maxLoss: 0.1 }],
    });
    challenge('speed', { model: train.model, metric: 'f1', score: { command: ['score'], env: { A: 'b' } } });
  });
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['train', 'challenge-churn', 'duel', 'challenge-speed'],
  );
  assert.deepEqual(steps[1]?.work, {
    kind: 'challenge',
    model: 'churn',
    challenger: { reference: { output: 'train', path: ['model'] } },
    score: null,
    predictions: { reference: { output: 'train', path: ['predictions'] } },
    task: 'binary',
    metric: 'roc_auc',
    threshold: 0.9,
    minAbsoluteChange: 0.005,
    minRelativeChange: 0,
    confidence: 0.95,
    guardrails: [],
    promote: 'on-merge',
  });
  const duel = steps[2]?.work;
  assert.ok(duel?.kind === 'challenge');
  assert.deepEqual(
    [duel.task, duel.promote, duel.guardrails],
    ['regression', 'never', [{ metric: 'mae', maxLoss: 0.1 }]],
  );
  assert.deepEqual(duel.score, { kind: 'function', file: '', input: { literal: { seed: 1 } } });
});

test('a branch and a short circuit come before what they decide about', () => {
  const steps = stepsOf(() => {
    const decide = branch('decide', { choices: ['deploy', 'report'], run: () => 'deploy' });
    step('deploy', { command: ['x'], after: decide });
    step('report', { command: ['x'], after: [decide] });
    shortCircuit('go-on', { run: () => true, ignoreDownstreamTriggerRules: false });
  });
  assert.deepEqual(steps[0]?.work, { kind: 'branch', file: '', input: { literal: {} }, choices: ['deploy', 'report'] });
  assert.deepEqual(steps[1]?.upstream, ['decide']);
  assert.deepEqual(steps[3]?.work, {
    kind: 'short-circuit',
    file: '',
    input: { literal: {} },
    ignoreDownstreamTriggerRules: false,
  });
});

test('what comes behind a script or program text is data', () => {
  const commands = [
    ['python3', 'train.py', '-c'],
    ['python3', '-u', '-m', 'train', '-c'],
    ['python3', '-c', 'import train', '-c'],
    ['node', 'train.js', '-e'],
    ['node', '--enable-source-maps', 'train.js', '-p'],
    ['node', '--import=./hooks.js', '--expose-gc', '--no-warnings', 'train.js', '--eval'],
    ['Rscript', '--vanilla', 'train.R', '-e'],
    ['bash', '--norc', 'train.sh', '-c'],
    ['bash', 'train.sh', '-c'],
    ['bash', '-c', 'echo "$1"', '-c'],
    ['sh', '-c', 'test "$1" != 2', 'sh'],
  ];
  const steps = stepsOf(({ date }) => {
    for (const [index, command] of commands.entries()) step(`s${index}`, { command: [...command, date] });
  });
  assert.equal(steps.length, commands.length);
});

test('the order in which an axis is written says nothing', () => {
  const over = (sizes: { readonly [size: string]: number }): string =>
    JSON.stringify(
      pipeline('p', {}, () => void map({ sizes }, () => step('fit', { command: ['fit'] }))).definition.steps[0]?.map,
    );
  const [one, other] = [over({ small: 1, large: 2 }), over({ large: 2, small: 1 })];
  assert.equal(one, other);
  assert.match(one, /"literal":\{"large":2,"small":1\}/);
});

test('a map gives its step the axes, and its handle is the list', () => {
  const steps = stepsOf(({ date }) => {
    const grid = step('grid', { run: () => ({ depths: [2, 4] }) });
    const fits = map(
      { alpha: [0.1, 1], depth: grid.depths },
      ({ alpha, depth }) => step('fit', { input: { alpha, depth, date }, run: () => ({ auc: 1 }) }),
      { concurrency: 2, maxLength: 100 },
    );
    step('best', { input: { fits, first: fits[0]?.auc ?? 0 }, run: () => 1 });
  });
  assert.deepEqual(steps[1]?.map, {
    axes: [
      { name: 'alpha', over: { literal: [0.1, 1] } },
      { name: 'depth', over: { reference: { output: 'grid', path: ['depths'] } } },
    ],
    concurrency: 2,
    lengthMax: 100,
  });
  assert.deepEqual(steps[1]?.upstream, ['grid']);
  assert.deepEqual(steps[2]?.upstream, ['fit']);
  assert.deepEqual(steps[2]?.work, {
    kind: 'function',
    file: '',
    input: {
      record: {
        fits: { reference: { output: 'fit', path: [] } },
        first: { reference: { output: 'fit', path: ['0', 'auc'] } },
      },
    },
  });
});

test('groups stand in front of names, in groups too, and give back what they define', () => {
  const steps = stepsOf(() => {
    const clean = group('prepare', () => {
      group('raw', () => step('load', { command: ['x'] }));
      return step('clean', { run: () => ({ rows: 1 }) });
    });
    step('clean', { input: { rows: clean.rows }, run: () => 1 });
  });
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['prepare/raw/load', 'prepare/clean', 'clean'],
  );
  assert.deepEqual(steps[2]?.upstream, ['prepare/clean']);
});

test('waits look for a file, an answer, an object, a run of another pipeline or a step of it, or ask a function', () => {
  const steps = stepsOf(({ date }) => {
    waitFor.file('there', { path: `data/${date}`, interval: '5m', timeout: '4h', softFail: true });
    waitFor.http('up', { url: 'https://example.org/health', status: 204 });
    waitFor.pipeline('daily-features', {
      date,
      shift: '-1d',
      states: ['success', 'failed'],
      failStates: ['cancelled'],
    });
    waitFor.until('ready', { input: { date }, run: () => true });
    waitFor.object('exported', { url: `s3://exports/${date}.csv`, store: 'lake' });
    waitFor.step('daily-features', 'prepare/clean', { date, states: ['success', 'skipped'] });
  });
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['there', 'up', 'wait-for-daily-features', 'ready', 'exported', 'wait-for-daily-features-prepare-clean'],
  );
  assert.deepEqual(steps[0]?.work, {
    kind: 'wait',
    for: { condition: 'file', path: ['data/', { context: 'date' }] },
    intervalMs: 300_000,
    timeoutMs: 14_400_000,
    softFail: true,
  });
  const conditions = steps.slice(1).map(({ work }) => (work.kind === 'wait' ? work.for : null));
  assert.deepEqual(conditions, [
    { condition: 'http', url: 'https://example.org/health', status: 204 },
    {
      condition: 'pipeline',
      pipeline: 'daily-features',
      date: [{ context: 'date' }],
      shiftMs: -86_400_000,
      states: ['success', 'failed'],
      failStates: ['cancelled'],
    },
    { condition: 'function', file: '', input: { record: { date: { reference: { context: 'date' } } } } },
    { condition: 'object', url: ['s3://exports/', { context: 'date' }, '.csv'], store: 'lake' },
    {
      condition: 'step',
      pipeline: 'daily-features',
      step: 'prepare/clean',
      date: [{ context: 'date' }],
      shiftMs: 0,
      states: ['success', 'skipped'],
    },
  ]);
});

test('an approval asks a person, with what the steps before found', () => {
  const steps = stepsOf(() => {
    const train = step('train', { run: () => ({ auc: 0.91 }) });
    // oxlint-disable-next-line typescript/restrict-template-expressions -- what handles are for
    const release = approval('release', { message: `Release ${train.auc}?`, timeout: '2d', onReject: 'skip' });
    step('deploy', { command: ['deploy', '--by', release.by] });
    approval('archive', { after: release, softFail: true });
  });
  assert.deepEqual(steps[1]?.upstream, ['train']);
  assert.deepEqual(steps[1]?.work, {
    kind: 'approval',
    message: ['Release ', { output: 'train', path: ['auc'] }, '?'],
    timeoutMs: 172_800_000,
    onReject: 'skip',
    softFail: false,
  });
  assert.deepEqual(steps[2]?.upstream, ['release']);
  const plain = { kind: 'approval', message: null, timeoutMs: 604_800_000, onReject: 'fail', softFail: true };
  assert.deepEqual(steps[3]?.work, plain);
});

test('a step in a loop is a step each time', () => {
  const steps = stepsOf(() => {
    for (const region of ['eu', 'us']) step(`load-${region}`, { command: ['load', region] });
  });
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['load-eu', 'load-us'],
  );
});

test('a finally-step comes after all else and may use what there is', () => {
  const steps = stepsOf(() => {
    const train = step('train', { run: () => ({ auc: 1 }) });
    step('clean-up', { finally: true, input: { auc: train.auc }, run: () => 1 });
  });
  assert.deepEqual([steps[1]?.finally, steps[1]?.upstream], [true, ['train']]);
});

test('the runner finds each function by the name of its step', async () => {
  const exported = pipeline('example', {}, () => {
    const train = group('deep', () => step('train', { run: (_input, context) => `trained ${context.step}` }));
    step('command', { command: ['x'], after: train });
    const model = step('model', { command: ['x'], outputs: { model: 'artifact' } });
    challenge('churn', {
      model: model.model,
      metric: 'f1',
      score: { run: ({ model }) => [{ label: 1, score: model.length }] },
    });
  });
  assert.equal(await functionOf(exported, 'deep/train')?.({}, { step: 'deep/train' }), 'trained deep/train');
  assert.deepEqual(functionOf(exported, 'challenge-churn')?.({ model: 'abc' }, {}), [{ label: 1, score: 3 }]);
  for (const name of ['command', 'train', 'toString']) assert.equal(functionOf(exported, name), null);
  for (const other of [null, 1, {}, { definition: {} }]) assert.equal(functionOf(other, 'deep/train'), null);
});
