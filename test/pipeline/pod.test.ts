/** What `pod` says of a step: by itself, over that of the pipeline, and beside the options that mean the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branch, challenge, container, gate, pipeline, shortCircuit, step, waitFor } from '../../src/pipeline/index.ts';
import type { Binding } from '../../src/pipeline/definition.ts';
import type { PodOptions } from '../../src/pipeline/pod.ts';
import { mergePods } from '../../src/pipeline/pod-merge.ts';
import type { EffortOptions } from '../../src/pipeline/step-options.ts';

const command = ['true'];
const gib = 1024 ** 3;

function podsOf(define: () => unknown, options: EffortOptions = {}): readonly (Binding | undefined)[] {
  const { definition } = pipeline('a', options, () => void define());
  return definition.steps.map(({ pod }) => pod);
}

/** Of the only step. */
function podOf(define: () => unknown, byDefault: PodOptions | null = null): unknown {
  const [pod] = podsOf(define, { pod: byDefault });
  return pod === undefined ? undefined : 'literal' in pod ? pod.literal : pod;
}

test('a step that says nothing has no pod, and the definition that it always had', () => {
  const { definition } = pipeline('a', {}, () => {
    step('one', { command });
    step('two', { command, pod: {} });
  });
  for (const one of definition.steps) assert.equal('pod' in one, false);
});

test('a step of each kind that has attempts may say what its pod is like', () => {
  const pod = { nodeSelector: { pool: 'cpu' } };
  const pods = podsOf(() => {
    step('function', { run: () => 1, pod });
    const one = step('command', { command, pod, outputs: { model: 'artifact', predictions: 'artifact' } });
    container('container', { image: 'trainer:1', pod });
    gate('gate', { data: 'data.csv', rows: { min: 1 }, pod });
    challenge('churn', { model: one.model, predictions: one.predictions, metric: 'roc_auc', pod });
    const chosen = branch('branch', { run: () => 'left', choices: ['left'], pod });
    step('left', { command, after: chosen, pod });
    shortCircuit('short-circuit', { run: () => true, pod });
  });
  assert.equal(pods.length, 8);
  for (const each of pods) assert.deepEqual(each, { literal: pod });
});

test('the working directory of a container, and of all containers of a pipeline, may be another', () => {
  const pod = { workingDir: '/work' };
  assert.deepEqual(
    podOf(() => container('one', { image: 'trainer:1', pod })),
    pod,
  );
  assert.deepEqual(
    podOf(() => container('one', { image: 'trainer:1' }), pod),
    pod,
  );
  assert.deepEqual(
    podOf(() => step('one', { command }), pod),
    pod,
  );
});

test('objects are merged by their keys, over what the pipeline says', () => {
  const pod = podOf(
    () =>
      step('one', {
        command,
        pod: {
          nodeSelector: { pool: 'gpu', zone: 'a' },
          resources: { limits: { 'nvidia.com/gpu': 1 } },
          securityContext: { runAsUser: 1 },
        },
      }),
    {
      namespace: 'training',
      nodeSelector: { pool: 'cpu', arch: 'amd64' },
      resources: { requests: { cpu: '1' }, limits: { cpu: '2' } },
      securityContext: { fsGroup: 2, runAsUser: 2 },
    },
  );
  assert.deepEqual(pod, {
    namespace: 'training',
    nodeSelector: { pool: 'gpu', arch: 'amd64', zone: 'a' },
    resources: { requests: { cpu: '1' }, limits: { cpu: '2', 'nvidia.com/gpu': 1 } },
    securityContext: { fsGroup: 2, runAsUser: 1 },
  });
});

test('the looks of a function have a pod as a step has, and all else that is waited for has none', () => {
  const byDefault: PodOptions = {
    nodeSelector: { pool: 'cpu' },
    resources: { limits: { memory: '1Gi' } },
    env: [{ name: 'A', value: '1' }],
  };
  const look = (pod?: PodOptions | null): unknown =>
    podOf(() => waitFor.until('looks', { run: () => true, ...(pod === undefined ? {} : { pod }) }), byDefault);
  assert.deepEqual(look(), byDefault);
  assert.deepEqual(look({ nodeSelector: { zone: 'a' } }), { ...byDefault, nodeSelector: { pool: 'cpu', zone: 'a' } });
  assert.equal(look(null), undefined);
  assert.equal(
    podOf(() => waitFor.file('file', { path: 'data.csv' }), byDefault),
    undefined,
  );
  assert.throws(() => podOf(() => waitFor.file('file', { path: 'data.csv', pod: {} })), /"pod" means nothing/);
});

test('the memory of a look is what its pod limits it to', () => {
  const pod = { resources: { limits: { memory: '1Gi' } } };
  const { definition } = pipeline('a', { pod }, () => void waitFor.until('looks', { run: () => true }));
  assert.deepEqual(definition.steps[0]?.memory, { bytes: gib });
});

test('lists with keys are merged by them, tolerations are added, and other lists are replaced', () => {
  const wider = {
    env: [
      { name: 'A', value: 'a' },
      { name: 'B', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ],
    envFrom: [{ configMapRef: { name: 'wider' } }],
    volumes: [{ name: 'data', emptyDir: {} }],
    volumeMounts: [
      { name: 'data', mountPath: '/data', readOnly: true },
      { name: 'data', mountPath: '/other' },
    ],
    tolerations: [{ key: 'spot' }],
    sidecars: [{ name: 'proxy', image: 'proxy:1', env: [{ name: 'PORT', value: '1' }] }],
  };
  const closer = {
    env: [
      { name: 'C', value: 'c' },
      { name: 'B', value: 'b' },
    ],
    envFrom: [{ configMapRef: { name: 'closer' } }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'features' } }],
    volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'x' }],
    tolerations: [{ key: 'gpu' }],
    sidecars: [{ name: 'proxy', image: 'proxy:2' }],
  };
  assert.deepEqual(mergePods(wider, closer), {
    env: [
      { name: 'A', value: 'a' },
      { name: 'B', value: 'b' },
      { name: 'C', value: 'c' },
    ],
    envFrom: [{ configMapRef: { name: 'closer' } }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'features' } }],
    volumeMounts: [
      { name: 'data', mountPath: '/data', subPath: 'x' },
      { name: 'data', mountPath: '/other' },
    ],
    tolerations: [{ key: 'spot' }, { key: 'gpu' }],
    sidecars: [{ name: 'proxy', image: 'proxy:2', env: [{ name: 'PORT', value: '1' }] }],
  });
});

test('merging does not depend on which of three is merged first', () => {
  const three = [
    { labels: { a: '1', b: '1' }, tolerations: [{ key: 'x' }], env: [{ name: 'A', value: '1' }], image: 'one' },
    { labels: { b: null }, tolerations: [{ key: 'y' }], image: null },
    { labels: { c: '3' }, tolerations: [{ key: 'z' }], env: [{ name: 'B', value: '3' }] },
  ] as const;
  const [one, two, other] = three;
  assert.deepEqual(mergePods(mergePods(one, two), other), mergePods(one, mergePods(two, other)));
});

test('null takes away what the pipeline says, and says so to whoever has defaults of their own', () => {
  const byDefault = { nodeSelector: { pool: 'cpu', arch: 'amd64' }, image: 'runner:1', priorityClassName: 'batch' };
  const pod = podOf(() => step('one', { command, pod: { nodeSelector: { pool: null }, image: null } }), byDefault);
  assert.deepEqual(pod, {
    nodeSelector: { pool: null, arch: 'amd64' },
    image: null,
    priorityClassName: 'batch',
  });
  assert.equal(
    podOf(() => step('one', { command, pod: null }), byDefault),
    undefined,
  );
});

test('values of the run may stand in it, and make the edges', () => {
  const { definition } = pipeline('a', { pod: { labels: { team: 'churn' } } }, ({ date }) => {
    const plan = step('plan', { command, outputs: { node: 'string', seconds: 'number' }, pod: null });
    step('train', {
      command,
      pod: {
        // oxlint-disable-next-line typescript/restrict-template-expressions -- what handles are for
        labels: { day: `d-${date}` },
        nodeSelector: { host: plan.node },
        tolerations: [{ key: 'spot', tolerationSeconds: plan.seconds }],
      },
    });
  });
  const train = definition.steps[1];
  assert.deepEqual(train?.upstream, ['plan']);
  assert.deepEqual(train?.pod, {
    record: {
      labels: { record: { team: { literal: 'churn' }, day: { template: ['d-', { context: 'date' }] } } },
      nodeSelector: { record: { host: { reference: { output: 'plan', path: ['node'] } } } },
      tolerations: {
        list: [
          {
            record: {
              key: { literal: 'spot' },
              tolerationSeconds: { reference: { output: 'plan', path: ['seconds'] } },
            },
          },
        ],
      },
    },
  });
});

test('what a step says with an option of its own takes the place of the pipeline’s pod', () => {
  const byDefault: PodOptions = {
    image: 'runner:1',
    env: [
      { name: 'A', value: 'pod' },
      { name: 'B', value: 'pod' },
    ],
    resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '4Gi' } },
  };
  assert.deepEqual(
    podOf(() => step('one', { command, env: { A: 'own' }, memory: '8Gi' }), byDefault),
    {
      image: 'runner:1',
      env: [{ name: 'B', value: 'pod' }],
      resources: { requests: { cpu: '1' }, limits: { cpu: '2' } },
    },
  );
  const boxed = (): unknown =>
    container('one', { image: 'trainer:1', env: { B: 'own' }, resources: { limits: { memory: '1Gi' } } });
  assert.deepEqual(podOf(boxed, byDefault), {
    env: [{ name: 'A', value: 'pod' }],
    resources: { requests: { cpu: '1' }, limits: { cpu: '2' } },
  });
});

test('the limit of memory among its resources is the memory of the step', () => {
  const memoryOf = (define: () => unknown, options: EffortOptions = {}): unknown =>
    pipeline('a', options, () => void define()).definition.steps[0]?.memory;
  const pod = { resources: { limits: { memory: '4Gi' } } };
  const four = { bytes: 4 * gib };
  assert.deepEqual(
    memoryOf(() => step('one', { command, pod })),
    four,
  );
  assert.deepEqual(
    memoryOf(() => step('one', { command }), { pod }),
    four,
  );
  assert.deepEqual(
    memoryOf(() => step('one', { command, memory: '8Gi' }), { pod }),
    { bytes: 8 * gib },
  );
  assert.deepEqual(
    memoryOf(() => step('one', { command, pod }), { memory: '8Gi' }),
    four,
  );
  assert.equal(
    memoryOf(() => step('one', { command, pod: null }), { pod }),
    undefined,
  );
  assert.equal(
    memoryOf(() => step('one', { command, pod: { resources: null } }), { pod }),
    undefined,
  );
  const growing = { retries: 2, memoryGrowth: { limit: '16Gi' }, pod };
  const growth = { factor: 2, limitBytes: 16 * gib };
  assert.deepEqual(
    memoryOf(() => step('one', { run: () => 1, ...growing })),
    { ...four, growth },
  );
  assert.deepEqual(
    memoryOf(() => step('one', { run: () => 1 }), growing),
    { ...four, growth },
  );
});

const mistakes: readonly (readonly [what: string, define: () => unknown, message: RegExp])[] = [
  [
    'the image of a container',
    () => container('one', { image: 'trainer:1', pod: { image: 'other:1' } }),
    /container "one": the image is said twice, by "image" and by "pod.image"/,
  ],
  [
    'a variable',
    () => step('one', { command, env: { RATE: '1' }, pod: { env: [{ name: 'RATE', value: '2' }] } }),
    /the variable RATE is said twice, by "env.RATE" and by "pod.env"/,
  ],
  [
    'a quantity',
    () =>
      container('one', {
        image: 'trainer:1',
        resources: { requests: { cpu: '1' } },
        pod: { resources: { requests: { cpu: '2' } } },
      }),
    /a quantity of cpu is said twice, by "resources.requests.cpu" and by "pod.resources.requests.cpu"/,
  ],
  [
    'the memory',
    () => step('one', { command, memory: '1Gi', pod: { resources: { limits: { memory: '1Gi' } } } }),
    /the limit of memory is said twice, by "memory" and by "pod.resources.limits.memory"/,
  ],
];
for (const [what, define, message] of mistakes)
  test(`refused because it would be said twice: ${what}`, () => {
    assert.throws(() => podsOf(define), message);
  });

test('a limit of memory is an amount that is known', () => {
  const limits = (memory: unknown): PodOptions => ({ resources: { limits: { memory: memory as string } } });
  assert.throws(
    () => podsOf(() => step('one', { command, pod: limits('4 Gi') })),
    /option "pod.resources.limits.memory" is "4 Gi"/,
  );
  assert.throws(
    () => pipeline('a', {}, ({ parameters, date }) => void [parameters, step('one', { command, pod: limits(date) })]),
    /option "pod.resources.limits.memory" depends on a value that exists only in a run/,
  );
});
