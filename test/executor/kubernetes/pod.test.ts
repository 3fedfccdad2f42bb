import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debugPod } from '../../../src/executor/kubernetes/debug-pod.ts';
import { podOf, type ResolvedContainer } from '../../../src/executor/kubernetes/pod.ts';
import type { JsonObject } from '../../../src/std/json.ts';
import { command, specOf } from '../workshop.ts';
import { podSettings as settings } from './pod-settings.ts';

test('the pod of an attempt keeps to the restricted profile, and holds nothing but where to ask', () => {
  const spec = specOf(command('true'), {
    attemptId: 'run-1/train/0/1',
    timeoutMs: 60_000,
    graceMs: 5000,
    secrets: ['PASSWORD'],
  });
  const context = { ...spec.context, runId: 'run-1', memoryBytes: 2 * 1024 ** 3 };
  const pod = podOf(
    {
      name: 'c-1',
      id: spec.attemptId,
      task: { type: 'attempt', spec: { ...spec, context } },
      token: 'token',
      container: null,
      words: {},
    },
    settings,
  );
  assert.deepEqual(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'c-1',
      namespace: 'ml',
      labels: {
        'app.kubernetes.io/managed-by': 'contender',
        'contender.dev/instance': 'abcdefghijkl',
        'contender.dev/run': 'run-1',
        'contender.dev/pipeline': 'weekly',
        'contender.dev/step': 'train',
        'contender.dev/index': '0',
        'contender.dev/attempt': '1',
        'contender.dev/type': 'attempt',
      },
      annotations: {
        'contender.dev/id': 'run-1/train/0/1',
        'contender.dev/run': 'run-1',
        'contender.dev/repository': 'acme/churn',
        'contender.dev/sha': 'a'.repeat(40),
      },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 15,
      // Six hours in which its agent waits for a server, and one.
      activeDeadlineSeconds: 65 + 7 * 3600,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: 'registry.example/runner:1',
          env: [
            { name: 'CONTENDER_AGENT_URL', value: 'http://contender.ml:8081' },
            { name: 'CONTENDER_AGENT_TOKEN', value: 'token' },
            { name: 'CONTENDER_AGENT_DIRECTORY', value: '/contender' },
          ],
          resources: { requests: { memory: '2348810240' }, limits: { memory: '2348810240' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
          volumeMounts: [
            { name: 'contender', mountPath: '/contender' },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'contender', emptyDir: {} },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  });
});

test('the pod of a container has the agent beside it, and nothing of the server either', () => {
  const spec = specOf(command('true'), { attemptId: 'run-1/train/0/2', timeoutMs: 60_000, graceMs: 5000 });
  const context = { ...spec.context, runId: 'run-1', attempt: 2, memoryBytes: 1024 ** 3 };
  const container = {
    image: 'box:1',
    command: ['train'],
    args: ['--name', '$(NAME)'],
    environment: { A: 'b' },
    resources: { requests: { cpu: '1' }, limits: {} },
  };
  const pod = podOf(
    {
      name: 'c-2',
      id: spec.attemptId,
      task: { type: 'attempt', spec: { ...spec, context } },
      token: 'token',
      container,
      words: {},
    },
    settings,
  );
  assert.deepEqual(pod.metadata?.labels, {
    'app.kubernetes.io/managed-by': 'contender',
    'contender.dev/instance': 'abcdefghijkl',
    'contender.dev/run': 'run-1',
    'contender.dev/pipeline': 'weekly',
    'contender.dev/step': 'train',
    'contender.dev/index': '0',
    'contender.dev/attempt': '2',
    'contender.dev/type': 'attempt',
  });
  const { containers, initContainers, ...rest } = pod.spec ?? assert.fail();
  assert.deepEqual(rest, {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 615,
    activeDeadlineSeconds: 3665,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    volumes: [
      { name: 'contender', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
      { name: 'contender-secrets', emptyDir: { medium: 'Memory' } },
    ],
  });
  const unprivileged = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  assert.deepEqual(initContainers, [
    {
      name: 'contender',
      image: 'registry.example/runner:1',
      env: [
        { name: 'CONTENDER_AGENT_URL', value: 'http://contender.ml:8081' },
        { name: 'CONTENDER_AGENT_TOKEN', value: 'token' },
        { name: 'CONTENDER_AGENT_DIRECTORY', value: '/contender' },
      ],
      securityContext: { ...unprivileged, readOnlyRootFilesystem: true },
      volumeMounts: [
        { name: 'contender', mountPath: '/contender' },
        { name: 'tmp', mountPath: '/tmp' },
        { name: 'contender-secrets', mountPath: '/contender-secrets' },
      ],
      restartPolicy: 'Always',
      startupProbe: {
        exec: { command: ['test', '-f', '/contender/ready'] },
        periodSeconds: 1,
        failureThreshold: 3665,
      },
    },
  ]);
  const [main] = containers;
  const { env = [], ...others } = main ?? assert.fail();
  assert.deepEqual(others, {
    name: 'main',
    image: 'box:1',
    command: ['train'],
    args: ['--name', '$$(NAME)'],
    resources: { requests: { memory: '1073741824', cpu: '1' }, limits: { memory: '1073741824' } },
    securityContext: unprivileged,
    volumeMounts: [
      { name: 'contender', mountPath: '/contender' },
      { name: 'contender', mountPath: '/airflow/xcom', subPath: 'xcom' },
      { name: 'contender-secrets', mountPath: '/contender-secrets', readOnly: true },
    ],
  });
  assert.deepEqual(
    env.flatMap(({ name, value }) =>
      /^(?:A|CONTENDER_(?:ATTEMPT_ID|RUN_ID|SECRETS|SOURCE))$/.test(name) ? [[name, value]] : [],
    ),
    [
      ['CONTENDER_ATTEMPT_ID', 'run-1/train/0/2'],
      ['CONTENDER_RUN_ID', 'run-1'],
      ['CONTENDER_SOURCE', '/contender/source'],
      ['CONTENDER_SECRETS', '/contender-secrets'],
      ['A', 'b'],
    ],
  );
});

test('nothing of the environment of the server, and no secret, is in a pod of either kind', () => {
  const canary = 'canary-of-the-server';
  const names = ['CONTENDER_SECRET_PASSWORD', 'DATABASE_URL', 'GITHUB_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'KUBECONFIG'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = canary;
  try {
    const spec = { ...plain, secrets: ['PASSWORD'] };
    for (const container of [null, boxed({ requests: {}, limits: {} })]) {
      const pod = podOf({ ...content, task: { type: 'attempt', spec }, container }, settings);
      assert.doesNotMatch(JSON.stringify(pod), new RegExp(canary));
      const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
      const own = all.flatMap(({ env = [] }) => env.map(({ name }) => name));
      assert.deepEqual(
        own.filter((name) => names.includes(name) || name === 'PASSWORD'),
        [],
      );
      assert.ok(all.every(({ envFrom }) => envFrom === undefined));
      assert.ok(
        pod.spec?.volumes?.every(({ name, ...source }) => name !== '' && Object.keys(source).join() === 'emptyDir'),
      );
    }
  } finally {
    for (const [at, name] of names.entries()) {
      const value = before[at];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

const plain = specOf(command('true'), { attemptId: 'run-1/train/0/1' });
const content = {
  name: 'c-1',
  id: plain.attemptId,
  task: { type: 'attempt', spec: plain },
  token: 'token',
  words: {},
} as const;

function boxed(resources: ResolvedContainer['resources']): ResolvedContainer {
  return { image: 'box:1', command: [], args: [], environment: {}, resources };
}

test('what the configuration says of all pods, of those of a repository, and what the step says are laid over each other', () => {
  const wide = {
    ...settings,
    pod: { namespace: 'all', nodeSelector: { pool: 'cpu', zone: 'a' }, priorityClassName: 'low' },
    repositoryPods: new Map([
      ['acme/churn', { namespace: 'churn', nodeSelector: { zone: 'b' }, priorityClassName: null }],
      ['acme/other', { namespace: 'other' }],
    ]),
  };
  const pod = podOf({ ...content, container: null, words: { nodeSelector: { pool: 'gpu' } } }, wide);
  assert.equal(pod.metadata?.namespace, 'churn');
  assert.deepEqual(pod.spec?.nodeSelector, { pool: 'gpu', zone: 'b' });
  assert.equal(pod.spec.priorityClassName, undefined);
});

test('the memory of a step is the one limit of its container, whatever its words say, and whatever it has grown to', () => {
  const gib = 1024 ** 3;
  const share = 192 * 1024 ** 2;
  const resourcesOf = (words: JsonObject, memoryBytes: number, box: ResolvedContainer | null = null): unknown => {
    const spec = { ...plain, context: { ...plain.context, memoryBytes } };
    return podOf({ ...content, task: { type: 'attempt', spec }, container: box, words }, settings).spec?.containers[0]
      ?.resources;
  };
  const said = (more: JsonObject): JsonObject => ({ resources: { limits: { memory: '2Gi', cpu: 4 }, ...more } });
  for (const bytes of [2 * gib, 4 * gib]) {
    const memory = String(bytes + share);
    assert.deepEqual(resourcesOf(said({}), bytes), { requests: { memory }, limits: { memory, cpu: 4 } });
    assert.deepEqual(resourcesOf(said({ requests: { memory: '1Gi' } }), bytes), {
      requests: { memory: '1Gi' },
      limits: { memory, cpu: 4 },
    });
    assert.deepEqual(resourcesOf(said({ requests: { memory: '5Gi' } }), bytes), {
      requests: { memory },
      limits: { memory, cpu: 4 },
    });
    const own = String(bytes);
    assert.deepEqual(resourcesOf(said({}), bytes, boxed({ requests: {}, limits: {} })), {
      requests: { memory: own },
      limits: { memory: own, cpu: 4 },
    });
  }
});

test('what a step says with options of its own comes before what the configuration says of pods', () => {
  const wide = {
    ...settings,
    pod: {
      image: 'runner:2',
      env: [
        { name: 'TABLE', value: 'all' },
        { name: 'ZONE', value: 'a' },
      ],
      resources: {
        requests: { cpu: 1, memory: '8Gi', 'ephemeral-storage': '1Gi' },
        limits: { cpu: 2, memory: '16Gi' },
      },
    },
    repositoryPods: new Map([['acme/churn', { image: 'runner:3' }]]),
  };
  const container = {
    ...boxed({ requests: { memory: '1Gi' }, limits: { cpu: '500m', memory: '2Gi' } }),
    environment: { TABLE: 'customers' },
  };
  const main = podOf({ ...content, container }, wide).spec?.containers[0];
  assert.equal(main?.image, 'box:1');
  assert.deepEqual(
    main.env?.filter(({ name }) => name === 'TABLE' || name === 'ZONE'),
    [
      { name: 'TABLE', value: 'customers' },
      { name: 'ZONE', value: 'a' },
    ],
  );
  assert.deepEqual(main.resources, {
    requests: { memory: '1Gi', 'ephemeral-storage': '1Gi' },
    limits: { cpu: '500m', memory: '2Gi' },
  });
  const words = { resources: { requests: { cpu: 3 }, limits: { memory: '4Gi' } } };
  const spec = { ...plain, context: { ...plain.context, memoryBytes: 4 * 1024 ** 3 } };
  const step = podOf({ ...content, task: { type: 'attempt', spec }, container: null, words }, wide).spec?.containers[0];
  assert.equal(step?.image, 'runner:3');
  assert.deepEqual(step.resources, {
    requests: { cpu: 3, memory: '4496293888', 'ephemeral-storage': '1Gi' },
    limits: { memory: '4496293888' },
  });
});

test('GPUs that the configuration requests give way to the limit that a step says', () => {
  const asking = { ...settings, pod: { resources: { requests: { 'nvidia.com/gpu': 1, cpu: 1 } } } };
  const container = boxed({ requests: {}, limits: { 'nvidia.com/gpu': '2' } });
  assert.deepEqual(podOf({ ...content, container }, asking).spec?.containers[0]?.resources, {
    requests: { cpu: 1 },
    limits: { 'nvidia.com/gpu': '2' },
  });
});

test('a mount of a volume that no layer declares is refused with what to do', () => {
  const words = { volumeMounts: [{ name: 'data', mountPath: '/data' }] };
  const given = { ...settings, pod: { volumes: [{ name: 'data', emptyDir: {} }] } };
  assert.equal(podOf({ ...content, container: null, words }, given).spec?.volumes?.at(-1)?.name, 'data');
  const message =
    'its container main mounts the volume "data", and there is no such volume. Declare it in `volumes` of the `pod` of the step, of its pipeline or of contender.yaml, or correct the name.';
  assert.throws(() => podOf({ ...content, container: null, words }, settings), { failure: 'invalid', message });
  const sidecars = [{ name: 'proxy', image: 'p', volumeMounts: words.volumeMounts }];
  assert.throws(
    () => podOf({ ...content, container: null, words: { sidecars } }, settings),
    /its container proxy mounts/,
  );
});

test('a request above its limit, of layers that are right each by itself, is refused with what to do', () => {
  const plain = podOf({ ...content, container: null, words: { resources: { limits: { cpu: 2 } } } }, settings);
  assert.deepEqual(plain.spec?.containers[0]?.resources?.limits, { cpu: 2 });
  const given = {
    ...settings,
    pod: { resources: { requests: { cpu: '2500m' } } },
    repositoryPods: new Map([[content.task.spec.repository, { resources: { limits: { cpu: 2 } } }]]),
  };
  const said = (message: string): object => ({ failure: 'invalid', message: `its container main ${message}` });
  assert.throws(
    () => podOf({ ...content, container: null, words: {} }, given),
    said(
      'requests 2500m of cpu, and its limit is 2. Request less, or raise the limit. The step, its pipeline or contender.yaml says it.',
    ),
  );
  const asks = { resources: { requests: { 'nvidia.com/gpu': 1 } } };
  assert.throws(
    () => podOf({ ...content, container: null, words: asks }, settings),
    said(
      'requests 1 of nvidia.com/gpu without a limit. Give the limit alone: of nvidia.com/gpu a pod gets just what its limit says. The step, its pipeline or contender.yaml says it.',
    ),
  );
});

test('the helper of a container has the resources that the configuration gives it', () => {
  const resources = { requests: {}, limits: {} };
  const container = boxed(resources);
  const helperResources = { limits: { memory: '256Mi' } };
  const pod = podOf({ ...content, container }, { ...settings, helperResources });
  assert.deepEqual(pod.spec?.initContainers?.[0]?.resources, helperResources);
  assert.deepEqual(pod.spec.containers[0]?.resources, resources);
});

test("the copy of a pod is like it, runs nothing, ends by itself and is no server's", () => {
  const words = { nodeSelector: { pool: 'gpu' } };
  const step = debugPod({ ...content, container: null, words }, 600, settings);
  assert.deepEqual(step.spec?.nodeSelector, { pool: 'gpu' });
  assert.equal(step.spec.activeDeadlineSeconds, 600);
  assert.equal(step.metadata?.labels?.['contender.dev/instance'], 'debug');
  assert.deepEqual(step.spec.containers[0]?.env, [{ name: 'CONTENDER_AGENT_HOLD', value: '600' }]);
  const resources = { requests: {}, limits: { 'nvidia.com/gpu': '1' } };
  const container = { image: 'box:1', command: ['train'], args: ['--fast'], environment: { A: 'b' }, resources };
  const boxed = debugPod({ ...content, container }, 600, settings);
  const [main] = boxed.spec?.containers ?? [];
  assert.deepEqual(main?.command, ['sh', '-c', "trap 'exit 0' TERM; sleep 600 & wait"]);
  assert.deepEqual([main.image, main.args, main.resources], ['box:1', undefined, resources]);
  assert.ok(main.env?.some(({ name, value }) => name === 'A' && value === 'b'));
  assert.deepEqual(boxed.spec?.initContainers?.[0]?.env, [{ name: 'CONTENDER_AGENT_HOLD', value: '600' }]);
});
