/** What a definition says of pods, held to the types of Kubernetes' API, with the place of the step that says it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { checkPodFields } from '../../src/compile/pod-fields.ts';
import type { Binding, PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { Json } from '../../src/std/json.ts';
import { podTypesFile, podTypesText } from '../../scripts/pod-types.ts';
import { commitOf, pipelineFile } from './sources.ts';

const compiler = await createCompiler({ evaluationMs: 300, evaluationKillMs: 30_000 });
after(async () => await compiler.close());

function faultsOf(pod: Json): readonly string[] {
  return faultsIn({ literal: pod });
}

function faultsIn(pod: Binding): readonly string[] {
  return checkPodFields(pod).faults.map(({ path, what, help }) => `${path}: ${what}. ${help}`);
}

async function problemsOf(source: string): Promise<readonly string[]> {
  const [compiled] = await compiler.compile(commitOf({ '.pipelines/a.ts': source }));
  return (compiled?.problems ?? []).map(
    ({ code, message, help, where }) => `${where?.line ?? 0}:${where?.column ?? 0} ${code} ${message} | ${help}`,
  );
}

async function definitionOf(body: string): Promise<PipelineDefinition> {
  const [compiled] = await compiler.compile(commitOf({ '.pipelines/a.ts': pipelineFile(body) }));
  assert.deepEqual(compiled?.problems, []);
  assert.ok(compiled?.version);
  return compiled.version.definition;
}

test('the types of a pod are those of the client that is installed', () => {
  assert.equal(readFileSync(podTypesFile, 'utf8'), podTypesText(), 'run node scripts/pod-types.ts');
});

test('a field that Kubernetes does not have is told at the step, with the one that was meant', async () => {
  const source = pipelineFile(`step('load', { command: ['true'] });
step('train', {
  command: ['true'],
  pod: { tolerations: [{ key: 'spot', efect: 'NoSchedule' }] },
});`);
  assert.deepEqual(await problemsOf(source), [
    '4:1 definition-pod the pod of "train": pod.tolerations[0].efect: there is no field "efect" in V1Toleration | Did you mean "effect"? It has effect, key, operator, tolerationSeconds, value.',
  ]);
});

test('a mistake of the pipeline is told once, at the pipeline', async () => {
  const source = pipelineFile(`step('one', { command: ['true'] }); step('two', { run: () => 1 });`).replace(
    '{}',
    '{ pod: { nodeSelectr: {} } }',
  );
  assert.deepEqual(await problemsOf(source), [
    '2:16 definition-pod the pod of "one" (and of 1 more): pod.nodeSelectr: there is no field "nodeSelectr" in PodOptions | Did you mean "nodeSelector"?',
  ]);
});

test('whatever a pod may say is accepted as it stands', () => {
  const pod: Json = {
    image: 'registry.example/runner:1',
    imagePullPolicy: 'IfNotPresent',
    env: [
      { name: 'RATE', value: '0.1' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'warehouse', key: 'token' } } },
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: 1 } } },
    ],
    envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'S_' }],
    resources: { requests: { cpu: 0.5, memory: '512Mi' }, limits: { 'nvidia.com/gpu': 1 } },
    volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
    volumeDevices: [{ name: 'raw', devicePath: '/dev/xvda' }],
    workingDir: '/work',
    container: { securityContext: { runAsUser: 1000 }, ports: [{ containerPort: 8080 }], tty: false },
    namespace: 'training',
    labels: { team: 'churn' },
    annotations: { 'example.org/cost-centre': '4711' },
    imagePullSecrets: [{ name: 'registry' }],
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 60 }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'In', values: ['a100'] }] }],
        },
      },
    },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'features' } },
      { name: 'raw', ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '10Gi' } } } } } },
      { name: 'scratch', emptyDir: { sizeLimit: '1.5Gi', medium: 'Memory' } },
    ],
    serviceAccountName: 'trainer',
    securityContext: { fsGroup: 1000, supplementalGroups: [1, 2] },
    priorityClassName: 'batch',
    runtimeClassName: 'nvidia',
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['warehouse'] }],
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['10.0.0.2'], options: [{ name: 'ndots', value: '2' }] },
    schedulerName: 'volcano',
    initContainers: [{ name: 'fetch', image: 'curl:8', command: ['curl'] }],
    sidecars: [{ name: 'proxy', image: 'proxy:1', startupProbe: { tcpSocket: { port: 5432 } } }],
    onFinishAction: 'delete_succeeded_pod',
    ttlAfterFinished: '2h',
    patch: { metadata: { labels: { tier: 'batch' } }, spec: { hostNetwork: true, nodeName: null } },
  };
  const { faults, pod: checked } = checkPodFields({ literal: pod });
  assert.deepEqual(faults, []);
  assert.deepEqual(checked, { literal: pod });
});

test('what is null takes a field away, and is no mistake', () => {
  assert.deepEqual(faultsOf({ image: null, nodeSelector: { gpu: null }, tolerations: null, patch: null }), []);
  assert.deepEqual(faultsOf({ tolerations: [null] }), [
    'pod.tolerations[0]: it is null, and has to be V1Toleration. Write V1Toleration.',
  ]);
});

const mistakes: readonly (readonly [what: string, pod: Json, fault: string])[] = [
  [
    'a number where text stands',
    { env: [{ name: 'N', value: 5 }] },
    'pod.env[0].value: it is 5, and has to be text. Write it as text: "5".',
  ],
  [
    'text where a number stands',
    { tolerations: [{ tolerationSeconds: '60' }] },
    'pod.tolerations[0].tolerationSeconds: it is "60", and has to be a whole number. Write a whole number.',
  ],
  [
    'an object where a list stands',
    { tolerations: { key: 'spot' } },
    'pod.tolerations: it is an object, and has to be a list of V1Toleration. Write a list of V1Toleration.',
  ],
  [
    'a word that Kubernetes does not know there',
    { tolerations: [{ effect: 'noSchedule' }] },
    'pod.tolerations[0].effect: it is "noSchedule", and has to be one of NoSchedule, PreferNoSchedule, NoExecute. Did you mean "NoSchedule"?',
  ],
  [
    'no quantity',
    { resources: { limits: { cpu: 'four' } } },
    'pod.resources.limits.cpu: it is "four", and has to be a quantity. A quantity is written "500m", "8" or "32Gi".',
  ],
  [
    'an element without its name',
    { volumeMounts: [{ mountPath: '/data' }] },
    'pod.volumeMounts[0]: "name" is missing. A V1VolumeMount has it always.',
  ],
  [
    'a volume of nothing',
    { volumes: [{ name: 'data' }] },
    'pod.volumes[0]: it has no source. Give a volume one: emptyDir: {}, persistentVolumeClaim: { claimName: … }, …',
  ],
  [
    'a variable with two values',
    { env: [{ name: 'A', value: 'a', valueFrom: {} }] },
    'pod.env[0]: it has a value and "valueFrom". Leave one of them out.',
  ],
  [
    'a field of the pod that has no word',
    { nodeName: 'node-1' },
    'pod.nodeName: there is no field "nodeName" in PodOptions. Say it with patch: { spec: { nodeName: … } }.',
  ],
  [
    'a field of the container that has no word',
    { lifecycle: {} },
    'pod.lifecycle: there is no field "lifecycle" in PodOptions. Say it with container: { lifecycle: … }.',
  ],
  [
    'what is the step’s to say',
    { command: ['true'] },
    'pod.command: there is no field "command" in PodOptions. It belongs to the step, not to its pod.',
  ],
  [
    'what has a word of its own',
    { container: { image: 'runner:1' } },
    'pod.container.image: there is no field "image" in MainContainer. It is a word of its own: pod: { image: … }.',
  ],
  [
    'an end of a pod that there is not',
    { onFinishAction: 'keep_pods' },
    'pod.onFinishAction: it is "keep_pods", and has to be one of delete_pod, delete_succeeded_pod, keep_pod. Did you mean "keep_pod"?',
  ],
  [
    'no time to keep a pod',
    { ttlAfterFinished: '31d' },
    'pod.ttlAfterFinished: it is "31d", and has to be a duration. A duration is written "90m" or "2d", and is 30d at most.',
  ],
  [
    'a directive of a patch',
    { patch: { spec: { $patch: 'replace' } } },
    'pod.patch.spec.$patch: there is no field "$patch" in V1PodSpec. A directive is no use here: null takes a field away, and lists are merged by their keys.',
  ],
  [
    'a restart',
    { patch: { spec: { restartPolicy: 'OnFailure' } } },
    'pod.patch.spec.restartPolicy: it is for Contender to say when a step is tried again. Give the step `retries`; what runs beside it stands in `sidecars`.',
  ],
  [
    'a deadline',
    { patch: { spec: { activeDeadlineSeconds: 60 } } },
    'pod.patch.spec.activeDeadlineSeconds: how long a step may take is said by the step. Give it `timeout`, which warns it first.',
  ],
  [
    'the name of the pod',
    { patch: { metadata: { name: 'mine' } } },
    'pod.patch.metadata.name: the pod is found again by it, so it is for Contender to say. Leave it out; `labels` and `annotations` may say what you want to find it by.',
  ],
  [
    'an owner',
    { patch: { metadata: { ownerReferences: [] } } },
    'pod.patch.metadata.ownerReferences: the pod is found again by it, so it is for Contender to say. Leave it out; `labels` and `annotations` may say what you want to find it by.',
  ],
  [
    'the namespace, in a patch',
    { patch: { metadata: { namespace: 'other' } } },
    'pod.patch.metadata.namespace: it has a word of its own. Say `namespace` beside the patch.',
  ],
  [
    'a label of Contender',
    { labels: { 'contender.dev/run': 'x' } },
    'pod.labels.contender.dev/run: what begins with "contender.dev/" is for Contender to say. Use a prefix of your own.',
  ],
  [
    'an annotation of Contender, in a patch',
    { patch: { metadata: { annotations: { 'runs.contender.dev/x': 'x' } } } },
    'pod.patch.metadata.annotations.runs.contender.dev/x: what begins with "contender.dev/" is for Contender to say. Use a prefix of your own.',
  ],
  [
    'the container of the step, in a patch',
    { patch: { spec: { containers: [{ name: 'main', stdin: true }] } } },
    'pod.patch.spec.containers[0].name: "main" is the container of the step itself. Say image, imagePullPolicy, env, … by their own words, and the rest with container: { … }.',
  ],
  [
    'a sidecar of Contender',
    { sidecars: [{ name: 'contender', image: 'mine:1' }] },
    'pod.sidecars[0].name: the name "contender" is for Contender\'s own. Give the container another name.',
  ],
  [
    'a sidecar with the name of an init container',
    { initContainers: [{ name: 'proxy', image: 'a:1' }], sidecars: [{ name: 'proxy', image: 'b:1' }] },
    'pod.sidecars[0].name: another container is called "proxy". Give each of `initContainers` and `sidecars` a name of its own.',
  ],
  [
    'two sidecars of one name',
    {
      sidecars: [
        { name: 'proxy', image: 'a:1' },
        { name: 'proxy', image: 'b:1' },
      ],
    },
    'pod.sidecars[1].name: another container is called "proxy". Give each of `initContainers` and `sidecars` a name of its own.',
  ],
  [
    'two volumes of one name',
    {
      volumes: [
        { name: 'data', emptyDir: {} },
        { name: 'data', emptyDir: { medium: 'Memory' } },
      ],
    },
    'pod.volumes[1].name: another volume is called "data". Give each of `volumes` a name of its own.',
  ],
  [
    'two mounts in one place',
    {
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'data', mountPath: '/data', subPath: 'in' },
      ],
    },
    'pod.volumeMounts[1].mountPath: something else is mounted at "/data". Give each of `volumeMounts` a mountPath of its own.',
  ],
  [
    'a mount of what lies outside of the volume',
    { sidecars: [{ name: 'proxy', image: 'a:1', volumeMounts: [{ name: 'd', mountPath: '/d', subPath: 'a/../b' }] }] },
    'pod.sidecars[0].volumeMounts[0].subPath: "a/../b" leads out of the volume. Write the path inside of the volume, without "/" before it and without "..".',
  ],
  [
    'a mount of a path of the node',
    { volumeMounts: [{ name: 'data', mountPath: '/data', subPath: '/data' }] },
    'pod.volumeMounts[0].subPath: "/data" leads out of the volume. Write the path inside of the volume, without "/" before it and without "..".',
  ],
  [
    'a mount of two parts of a volume',
    { volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a..b/c', subPathExpr: '$(POD)' }] },
    'pod.volumeMounts[0].subPathExpr: there is a `subPath` too. Leave one of them out.',
  ],
  [
    'a volume of Contender',
    { volumes: [{ name: 'contender-work', emptyDir: {} }] },
    'pod.volumes[0].name: the name "contender-work" is for Contender\'s own. Give the volume another name.',
  ],
  [
    'a mount over the outputs',
    { volumeMounts: [{ name: 'data', mountPath: '/contender/in' }] },
    'pod.volumeMounts[0].mountPath: /contender and /contender-secrets are where a step finds what it is given. Mount it elsewhere.',
  ],
  [
    'a mount over the secrets',
    { volumeMounts: [{ name: 'data', mountPath: '//contender-secrets' }] },
    'pod.volumeMounts[0].mountPath: /contender and /contender-secrets are where a step finds what it is given. Mount it elsewhere.',
  ],
  [
    'a variable that changes which code runs',
    { env: [{ name: 'LD_PRELOAD', value: '/x.so' }] },
    'pod.env[0].name: the variable "LD_PRELOAD" changes which code runs before the step does. Use another name, and read it in the step.',
  ],
];
for (const [what, pod, fault] of mistakes)
  test(`refused with its reason: ${what}`, () => {
    assert.deepEqual(faultsOf(pod), [fault]);
  });

test('variables of containers beside the step are their own', () => {
  const env = [{ name: 'LD_PRELOAD', value: '/x.so' }];
  assert.deepEqual(faultsOf({ sidecars: [{ name: 'proxy', image: 'proxy:1', env }] }), []);
});

const handle: Binding = { reference: { output: 'plan', path: ['value'] } };
const record = (fields: Record<string, Binding>): Binding => ({ record: fields });

test('a handle may stand for any value; where that is text, it becomes text', () => {
  const pod = record({
    labels: record({ team: handle }),
    resources: record({ limits: record({ cpu: handle }) }),
    tolerations: { list: [record({ key: { template: ['spot-', { context: 'date' }] }, tolerationSeconds: handle })] },
    affinity: handle,
  });
  const { faults, pod: checked } = checkPodFields(pod);
  assert.deepEqual(faults, []);
  const text: Binding = { template: [{ output: 'plan', path: ['value'] }] };
  assert.deepEqual(
    checked,
    record({
      labels: record({ team: text }),
      resources: record({ limits: record({ cpu: handle }) }),
      tolerations: { list: [record({ key: { template: ['spot-', { context: 'date' }] }, tolerationSeconds: handle })] },
      affinity: handle,
    }),
  );
});

test('what is refused in some places has to be written out there', () => {
  const later = 'it has to be written out. Only the values inside of it may depend on the run.';
  for (const word of ['patch', 'container', 'sidecars', 'volumes', 'volumeMounts', 'env', 'labels', 'resources'])
    assert.deepEqual(faultsIn(record({ [word]: handle })), [`pod.${word}: ${later}`]);
  assert.deepEqual(faultsIn(record({ sidecars: { list: [handle] } })), [`pod.sidecars[0]: ${later}`]);
  assert.deepEqual(faultsIn(record({ patch: record({ spec: handle }) })), [`pod.patch.spec: ${later}`]);
  assert.deepEqual(faultsIn(record({ env: { list: [record({ name: handle, value: { literal: '' } })] } })), [
    'pod.env[0].name: it has to be written out. Only the value of a variable may depend on the run.',
  ]);
  for (const word of ['onFinishAction', 'ttlAfterFinished'])
    assert.deepEqual(faultsIn(record({ [word]: handle })), [
      `pod.${word}: it has to be written out. What becomes of a pod is known before the run.`,
    ]);
});

test('text with a handle in it is no number', () => {
  const seconds: Binding = { template: [{ output: 'plan', path: [] }] };
  assert.deepEqual(faultsIn(record({ tolerations: { list: [record({ tolerationSeconds: seconds })] } })), [
    'pod.tolerations[0].tolerationSeconds: it is text, and has to be a whole number. Give the handle by itself.',
  ]);
});

test('a quantity of a container is held to what the pod of its pipeline says', async () => {
  const problemsWith = (resources: string, pod: string): Promise<readonly string[]> =>
    problemsOf(
      pipelineFile(`container('a', { image: 'i:1', resources: ${resources} });`).replace('{}', `{ pod: ${pod} }`),
    );
  const told = '3:1 definition-pod the pod of "a": pod.resources';
  const help = 'Request less, or raise the limit.';
  assert.deepEqual(await problemsWith('{ limits: { cpu: 1 } }', '{ resources: { requests: { cpu: 2 } } }'), [
    `${told}.requests.cpu: it is 2, and the limit in "resources" 1 | ${help}`,
  ]);
  assert.deepEqual(
    await problemsWith("{ requests: { memory: '2Gi' } }", "{ resources: { limits: { memory: '1Gi' } } }"),
    [`${told}.limits.memory: it is 1Gi, and "resources" requests 2Gi | ${help}`],
  );
  assert.deepEqual(await problemsWith('{ limits: { cpu: 2 } }', '{ resources: { requests: { cpu: 2 } } }'), []);
  const gpu = '{ resources: { requests: { "nvidia.com/gpu": 1 } } }';
  assert.deepEqual(await problemsWith("{ limits: { 'nvidia.com/gpu': 2 } }", gpu), [
    `${told}.requests.nvidia.com/gpu: it is 1, and the limit in "resources" 2 | Give the limit alone: of nvidia.com/gpu a pod gets just what its limit says.`,
  ]);
});

test('a pod may have 64 KiB', async () => {
  const source = pipelineFile(`step('a', { command: ['true'], pod: { annotations: { big: 'x'.repeat(65536) } } });`);
  assert.deepEqual(await problemsOf(source), [
    '3:1 definition-pod the pod of "a": pod: it has more than 64 KiB | Keep data in files or in config maps that the pod names.',
  ]);
});

test('the pod of a version carries what the pipeline and the step say, with the edges of its handles', async () => {
  const { steps } =
    await definitionOf(`const plan = step('plan', { command: ['true'], outputs: { nodes: 'string', seconds: 'number' } });
step('train', { command: ['true'], pod: {
  nodeSelector: { pool: plan.nodes },
  labels: { day: \`d-\${date}\` },
  tolerations: [{ key: 'spot', tolerationSeconds: plan.seconds }],
} });`);
  assert.equal(steps[0]?.pod, undefined);
  assert.deepEqual(steps[1]?.upstream, ['plan']);
  assert.deepEqual(steps[1]?.pod, {
    record: {
      nodeSelector: record({ pool: { template: [{ output: 'plan', path: ['nodes'] }] } }),
      labels: record({ day: { template: ['d-', { context: 'date' }] } }),
      tolerations: {
        list: [
          record({
            key: { literal: 'spot' },
            tolerationSeconds: { reference: { output: 'plan', path: ['seconds'] } },
          }),
        ],
      },
    },
  });
});

test('a reference to a secret that is written as its name is told how to write it', () => {
  assert.match(faultsOf({ imagePullSecrets: ['regcred'] })[0] ?? '', /Write it as \{ name: "regcred" \}\.$/);
});

test('what Kubernetes would refuse of a name, label, image or resource is told before a run', () => {
  const wrong: readonly (readonly [Json, RegExp])[] = [
    [{ resources: { limits: { gpu: 1 } } }, /limits\.gpu: Kubernetes has no resource "gpu"\. Say nvidia\.com\/gpu/],
    [{ resources: { limits: { 'nvidia.com/gpu': 1.5 } } }, /gpu: it is 1\.5, and nvidia\.com\/gpu is given in whole/],
    [{ resources: { limits: { 'nvidia.com/gpu': '500m' } } }, /it is 500m/],
    [
      { resources: { requests: { memory: '4Gi' }, limits: { memory: '2Gi' } } },
      /requests\.memory: it is 4Gi, and its limit 2Gi\. Request less, or raise the limit\.$/,
    ],
    [{ resources: { requests: { cpu: 2 }, limits: { cpu: '1500m' } } }, /requests\.cpu: it is 2, and its limit 1500m/],
    [
      { resources: { requests: { 'nvidia.com/gpu': 1 }, limits: { 'nvidia.com/gpu': 2 } } },
      /requests\.nvidia\.com\/gpu: it is 1, and its limit 2\. Give the limit alone: of nvidia\.com\/gpu a pod gets/,
    ],
    [
      { resources: { requests: { 'hugepages-2Mi': '2Mi' }, limits: { 'hugepages-2Mi': '4Mi' } } },
      /Give the limit alone/,
    ],
    [{ image: '' }, /pod\.image: the image "" is empty/],
    [{ image: 'my trainer:1' }, /has a space in it/],
    [{ image: 'registry.example/Team/trainer:1' }, /has a capital letter in its name/],
    [{ sidecars: [{ name: 'proxy', image: 'Proxy' }] }, /sidecars\[0\]\.image: .* capital letter/],
    [{ namespace: 'My_Space' }, /pod\.namespace: Kubernetes takes no such name: "My_Space"/],
    [{ volumes: [{ name: 'My.Data', emptyDir: {} }] }, /volumes\[0\]\.name: Kubernetes takes no such name/],
    [{ labels: { 'team name': 'churn' } }, /labels\.team name: Kubernetes takes no such name/],
    [{ labels: { team: 'churn & co' } }, /labels\.team: Kubernetes takes no such label: "churn & co"/],
  ];
  for (const [pod, message] of wrong) {
    const faults = faultsOf(pod);
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', message);
  }
  const right: readonly Json[] = [
    { resources: { limits: { 'nvidia.com/gpu': 2, cpu: 0.5, 'ephemeral-storage': '1Gi', 'hugepages-2Mi': '4Mi' } } },
    { resources: { requests: { memory: '1000Mi', cpu: '500m' }, limits: { memory: '1Gi', cpu: 0.5 } } },
    { resources: { requests: { 'nvidia.com/gpu': 2 }, limits: { 'nvidia.com/gpu': '2' } } },
    { image: 'Registry.example:5000/team/trainer:V1' },
    { image: `trainer@sha256:${'a'.repeat(64)}` },
    { labels: { 'example.com/team': 'Churn_1.x', empty: '' }, annotations: { note: 'churn & co' } },
    { namespace: 'training-2', volumes: [{ name: 'data', emptyDir: {} }] },
  ];
  for (const pod of right) assert.deepEqual(faultsOf(pod), []);
});
