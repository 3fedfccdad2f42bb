/** Containers that know nothing of Contender, on a real cluster: what they are given, what they give, how they end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { AttemptSpec, AttemptWork } from '../../src/executor/executor.ts';
import type { Json } from '../../src/std/json.ts';
import { openHarbour, type Harbour } from '../executor/kubernetes/harbour.ts';
import { said } from '../executor/kubernetes/under-faults.ts';
import { specOf, until } from '../executor/workshop.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage, settingsIn } from './settings.ts';

let namespace: Namespace;
let harbour: Harbour;

before(async () => {
  namespace = await makeNamespace();
  harbour = await openHarbour({
    ...settingsIn(namespace.name),
    files: { 'data/rows.csv': 'a,b\n1,2\n' },
  });
});

after(async () => {
  await harbour.close();
  await namespace.remove();
});

function container(script: string, changes: Partial<Extract<AttemptWork, { kind: 'container' }>> = {}): AttemptWork {
  return {
    kind: 'container',
    image: runnerImage,
    command: ['sh', '-c', script],
    args: [],
    environment: {},
    resources: { requests: {}, limits: {} },
    localCommand: null,
    ...changes,
  };
}

function outputOf(outcome: AttemptOutcome): Json {
  assert.equal(outcome.kind, 'succeeded', outcome.kind === 'failed' ? outcome.message : '');
  assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output);
  return outcome.output.inline;
}

async function run(
  work: AttemptWork,
  changes: Partial<AttemptSpec> = {},
): Promise<{ outcome: AttemptOutcome; log: string[]; spec: AttemptSpec }> {
  const spec = specOf(work, changes);
  await harbour.executor.start(spec);
  const { outcome } = await harbour.finished(spec.attemptId);
  return { outcome, log: await harbour.printed(spec.attemptId), spec };
}

test('it is given files of the commit, inputs, values and secrets, and its last line is its output', async () => {
  const model = await harbour.stores.artifacts.putBytes(Buffer.from('weights'), 'model.bin');
  harbour.secrets.set('PASSWORD', 'correct horse');
  const script =
    'cat $CONTENDER_SOURCE/data/rows.csv; cat "$1"; echo; cat $CONTENDER_SECRETS/PASSWORD; echo; echo "$MESSAGE $CONTENDER_DATE"; echo \'{"rows":1}\'';
  const { outcome, log, spec } = await run(
    container(script, {
      args: ['sh', { ...model }],
      environment: { MESSAGE: { $text: ['$(HOME) is ', 'text'] } },
    }),
    { secrets: ['PASSWORD'] },
  );
  assert.deepEqual(outputOf(outcome), { rows: 1 });
  assert.deepEqual(log, ['a,b', '1,2', 'weights', '***', `$(HOME) is text ${spec.context.date}`, '{"rows":1}']);
});

test('its outputs are read from the file that it was told, and artifacts are kept', async () => {
  const script =
    'echo weights > $CONTENDER_SCRATCH/model.bin; echo \'{"model":"model.bin","auc":0.9}\' > $CONTENDER_OUTPUTS';
  const { outcome } = await run(container(script), { outputs: { model: 'artifact', auc: 'number' } });
  const { model, auc } = outputOf(outcome) as { model: { $artifact: string }; auc: number };
  assert.equal(auc, 0.9);
  const bytes = await harbour.stores.artifacts.getBytes(model.$artifact);
  assert.equal(Buffer.from(bytes ?? []).toString(), 'weights\n');
});

test('of an image without a shell the file that it was told counts first, then that of Airflow, then its last line', async () => {
  const print = (text: string, file = ''): string => `print ${JSON.stringify(text)}${file && ` > "${file}"`};`;
  const told = print('{"from":"told"}', '/contender/outputs.json');
  const empty = 'printf "" > "/contender/outputs.json";';
  const airflow = print('{"from":"airflow"}', '/airflow/xcom/return.json');
  const lines = print('{"from":"a line"}') + print('{"from":"the last line"}');
  const programs = [told + airflow + lines, empty + airflow + lines, lines];
  const outputs = await Promise.all(
    programs.map(async (program) => {
      const command = ['/awk', `BEGIN { ${program} }`];
      return outputOf((await run(container('', { image: 'shell-less:local', command }))).outcome);
    }),
  );
  assert.deepEqual(outputs, [{ from: 'told' }, { from: 'airflow' }, { from: 'the last line' }]);
  const shell = await run(container('true', { image: 'shell-less:local' }));
  assert.match(said(shell.outcome), /^invalid: it could not be started .*"sh": executable file not found/);
});

test('how it fails is told as what it is', async () => {
  const full = {
    volumes: [{ name: 'full', emptyDir: { sizeLimit: '1Mi' } }],
    volumeMounts: [{ name: 'full', mountPath: '/full' }],
  };
  const cases: readonly [AttemptWork, Partial<AttemptSpec>, RegExp][] = [
    [container('echo no >&2; exit 3'), {}, /^code: .*exit code 3/],
    [container('true'), { outputs: { auc: 'number' } }, /^output: .*auc are missing/],
    [container('', { command: ['/no/such/program'] }), {}, /^invalid: .*could not be started/],
    [container('', { image: 'not-there:local' }), {}, /^invalid: its image is not on the node/],
    [
      // Of one that is killed just after its start, containerd may lose the reason.
      container('sleep 2; exec tail -c 1000m /dev/zero', {
        resources: { requests: {}, limits: { memory: '32Mi' } },
      }),
      {},
      /^out-of-memory: /,
    ],
    [container('trap "exit 0" TERM; sleep 600 & wait'), { timeoutMs: 1000, graceMs: 1000 }, /^timeout: /],
    [
      container('head -c 4000000 /dev/zero > /full/file; sleep 600'),
      { pod: full },
      /^code: its pod was evicted on node1 for what it wrote to the disk: Usage of EmptyDir volume "full" exceeds the limit "1Mi"/,
    ],
    [
      container('', { args: [{ $artifact: '0'.repeat(64), name: 'gone', bytes: 1 }] }),
      {},
      /^invalid: .*gone .* is not in the artifact store/,
    ],
  ];
  const ends = await Promise.all(
    cases.map(async ([work, changes, says]) => {
      const { outcome } = await run(work, changes);
      return [said(outcome), says] as const;
    }),
  );
  for (const [told, says] of ends) assert.match(told, says);
});

test('a pod is as its step says: another image, variables of the cluster, what runs before and beside it', async () => {
  await namespace.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'warehouse' },
    stringData: { token: 'from the cluster' },
  });
  const beside = {
    image: 'busybox:local',
    imagePullPolicy: 'Never',
    volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
  };
  const pod = {
    securityContext: { runAsUser: 4321 },
    env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'warehouse', key: 'token' } } }],
    volumes: [{ name: 'shared', emptyDir: {} }],
    volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
    initContainers: [{ name: 'before', command: ['sh', '-c', 'echo before > /shared/word'], ...beside }],
    sidecars: [
      {
        name: 'beside',
        command: [
          'sh',
          '-c',
          'trap "exit 0" TERM; while ! [ -f /shared/go ]; do sleep 0.1; done; echo beside > /shared/answer; while :; do sleep 0.1; done',
        ],
        ...beside,
      },
    ],
  };
  const script =
    'id -u; echo $TOKEN; cat /shared/word; touch /shared/go; while ! [ -s /shared/answer ]; do sleep 0.1; done; cat /shared/answer';
  const own = await run(container(script, { image: 'busybox:local' }), { pod });
  assert.equal(own.outcome.kind, 'succeeded');
  assert.deepEqual(own.log, ['4321', 'from the cluster', 'before', 'beside']);
  const { command } = container('echo $TOKEN') as Extract<AttemptWork, { kind: 'container' }>;
  const agent = await run({ kind: 'command', command, environment: {} }, { pod: { env: pod.env } });
  assert.deepEqual(agent.log, ['from the cluster']);
});

test('an init container that fails ends its pod, though the helper would go on, and is named', async () => {
  const command = ['sh', '-c', 'echo no such bucket; exit 4'];
  const pod = { initContainers: [{ name: 'prep', image: runnerImage, imagePullPolicy: 'Never', command }] };
  const { outcome, log } = await run(container('true'), { pod });
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'code');
  assert.equal(outcome.kind === 'failed' && outcome.message, 'its container prep ended with exit code 4');
  const words = log.indexOf('Its container prep said last:');
  assert.equal(log[words + 1], '  no such bucket', log.join('\n'));
  assert.ok(!log.some((line) => line.includes('is missing')), log.join('\n'));
  assert.deepEqual(harbour.troubles, []);
  await namespace.waitForNone('pods');
});

test('an init container and a sidecar of one name do not become one: no pod is made', async () => {
  const proxy = { name: 'proxy', image: runnerImage, imagePullPolicy: 'Never', command: ['true'] };
  const { outcome } = await run(container('true'), { pod: { initContainers: [proxy], sidecars: [proxy] } });
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'invalid');
  assert.match(outcome.kind === 'failed' ? outcome.message : '', /^two containers of its pod are called "proxy"/);
});

test('its lines come while it runs, each once, also to the server that comes after', async () => {
  const script = 'i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.1; done';
  const spec = specOf(container(script));
  await harbour.executor.start(spec);
  await until('some lines', async () => (await harbour.log(spec.attemptId)).length > 10 || undefined);
  const next = await harbour.next();
  await next.executor.recover([spec.attemptId]);
  assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded');
  assert.deepEqual(
    await harbour.printed(spec.attemptId),
    Array.from({ length: 60 }, (_, index) => `line ${index}`),
  );
});

test('a stop is over when its pod is gone', async () => {
  const { executor } = await harbour.next();
  await executor.recover([]);
  const spec = specOf(container('trap "echo warned; exit 0" TERM; echo begun; while :; do sleep 0.1; done'));
  await executor.start(spec);
  await until('its first line', async () => (await harbour.log(spec.attemptId)).includes('begun') || undefined);
  await executor.stop(spec.attemptId, 'cancelled', 5000);
  const { outcome } = await harbour.finished(spec.attemptId);
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'cancelled');
  await namespace.waitForNone('pods');
});
