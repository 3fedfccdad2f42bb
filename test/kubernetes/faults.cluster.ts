/** What befalls pods and the API of a real cluster: no step is lost, none runs twice, each failure has its cause. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import { podPatience } from '../../src/executor/kubernetes/pod-end.ts';
import { podName } from '../../src/executor/kubernetes/pod-name.ts';
import type { AttemptWork } from '../../src/executor/executor.ts';
import { openHarbour, type Harbour, type HarbourOptions } from '../executor/kubernetes/harbour.ts';
import { command, shell, specOf, until } from '../executor/workshop.ts';
import { createTime } from '../executor/kubernetes/server-time.ts';
import { openApiProxy, status, type ApiProxy } from './api-proxy.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage, settingsIn, through } from './settings.ts';

let namespace: Namespace;
let proxy: ApiProxy;
const opened: Harbour[] = [];

before(async () => {
  namespace = await makeNamespace();
  proxy = await openApiProxy(process.env['KUBECONFIG'] ?? '');
});

after(async () => {
  await proxy.close();
  await namespace.remove();
});

/** When it is over no pod is left, however it went. */
function check(title: string, body: () => Promise<void>): void {
  test(title, async () => {
    try {
      await body();
      await namespace.waitForNone('pods');
    } finally {
      await Promise.all(opened.splice(0).map((harbour) => harbour.close()));
      await namespace.clear('pods');
    }
  });
}

async function harbour(changes: Partial<HarbourOptions> = {}): Promise<Harbour> {
  const one = await openHarbour({ ...settingsIn(namespace.name, through(proxy)), ...changes });
  opened.push(one);
  return one;
}

const begun = (attempt: string): ReturnType<typeof shell> => shell(`echo "begun $CONTENDER_ATTEMPT_ID"; ${attempt}`);
const fails = (outcome: AttemptOutcome): string =>
  outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : outcome.kind;
const container = {
  kind: 'container',
  image: runnerImage,
  command: [],
  args: [],
  environment: {},
  resources: { requests: {}, limits: {} },
  localCommand: null,
} as const;
const isPods = (line: string): boolean => line.includes('/pods');
const isCreate = (line: string): boolean => line.startsWith('POST ') && line.endsWith('/pods?');
const isWatch = (line: string): boolean => line.includes('watch=true');

async function podOf(one: Harbour, attemptId: string): Promise<string> {
  const { type, ...word } = await one.running(attemptId);
  const name = 'place' in word ? /^pod (\S+)/.exec(word.place)?.[1] : undefined;
  assert.ok(name, `${type} says which pod it is`);
  return name;
}

async function begins(one: Harbour, attemptId: string): Promise<number> {
  return (await one.log(attemptId)).filter((line) => line === `begun ${attemptId}`).length;
}

check('a pod that somebody deletes is a lost attempt, which another try may follow', async () => {
  const one = await harbour();
  const spec = specOf(begun('sleep 600'));
  await one.executor.start(spec);
  await namespace.remove(`pod/${await podOf(one, spec.attemptId)}`);
  assert.match(fails((await one.finished(spec.attemptId)).outcome), /^lost: .*somebody deleted it/);
});

check('a pod that the cluster takes away is evicted, which takes none of the retries of the step', async () => {
  const one = await harbour();
  const spec = specOf(begun('sleep 600'));
  await one.executor.start(spec);
  const name = await podOf(one, spec.attemptId);
  await namespace.evict(name);
  assert.match(fails((await one.finished(spec.attemptId)).outcome), /^evicted: .*EvictionByEvictionAPI/);
});

check('a step that takes too much memory is ended for it', async () => {
  const one = await harbour();
  const spec = specOf(command('node', '-e', 'const a=[];for(;;)a.push(Buffer.alloc(8<<20,1))'));
  await one.executor.start({ ...spec, context: { ...spec.context, memoryBytes: 96 * 1024 * 1024 } });
  assert.match(fails((await one.finished(spec.attemptId)).outcome), /^out-of-memory: /);
});

const pulled = { imagePullPolicy: 'IfNotPresent', imageMs: 5000 };
const notPulled =
  /^start: its image could not be pulled on node1 \((ErrImagePull|ImagePullBackOff): .*contender-missing.*\)\. See that the image is there under this name, and that imagePullSecrets may pull it\.$/s;

check('an image that is not there, or has no agent, is told as that', async () => {
  const where = `127.0.0.1:9/contender-missing:local`;
  const cases: readonly [Partial<HarbourOptions>, AttemptWork, RegExp][] = [
    [{ image: 'contender-missing:local' }, command('true'), /^invalid: its image is not on the node/],
    [{ image: 'Not An Image' }, command('true'), /^invalid: .*(InvalidImageName|image)/],
    [{ image: 'busybox:local' }, command('true'), /^invalid: its image would run as root/],
    [pulled, { ...container, image: where }, notPulled],
    [{ ...pulled, image: where }, command('true'), notPulled],
  ];
  const ends = await Promise.all(
    cases.map(async ([changes, work, says]) => [fails(await (await harbour(changes)).run(work)), says] as const),
  );
  for (const [told, says] of ends) assert.match(told, says);
});

check('a pod that fits on no node is given up when its time to start is over', async () => {
  const time = createTime(async () => undefined);
  const one = await harbour({ ...time, startMs: 60_000 });
  const spec = specOf(command('true'));
  const large = { ...spec, context: { ...spec.context, memoryBytes: 2 ** 50 } };
  await one.executor.start(large);
  await until('its wait for a node', async () =>
    (await one.log(spec.attemptId)).some((line) => /^Its pod waits: .*Insufficient memory/.test(line)),
  );
  await time.pass(70_000);
  assert.match(fails((await one.finished(spec.attemptId)).outcome), /^start: no node had room .*Insufficient memory/);
  const told = (await one.log(spec.attemptId)).find((line) => line.startsWith('  Warning FailedScheduling: '));
  assert.match(told ?? 'nothing', /Insufficient memory/);
});

check('a quota is waited for', async () => {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec: { hard: { pods: '0' } } };
  await namespace.create(quota);
  await namespace.waitFor('resourcequota/none', '{.status.hard.pods}', '0');
  const one = await harbour();
  const spec = specOf(begun('true'));
  await one.executor.start(spec);
  await until(
    'its wait',
    async () => (await one.log(spec.attemptId)).some((line) => line.includes('exceeded quota')) || undefined,
  );
  await namespace.remove('resourcequota/none');
  assert.equal((await one.finished(spec.attemptId)).outcome.kind, 'succeeded');
});

check('an API that is away, busy or broken delays pods, and loses none', async () => {
  const one = await harbour();
  const moods = [
    proxy.when(isPods, { kind: 'refuse' }),
    proxy.when(isCreate, {
      kind: 'answer',
      status: 429,
      body: status(429, 'TooManyRequests', 'slow down'),
      headers: { 'retry-after': '1' },
    }),
    proxy.when(isCreate, {
      kind: 'answer',
      status: 500,
      body: status(500, 'InternalError', 'etcdserver: request timed out'),
    }),
  ];
  proxy.cut();
  const spec = specOf(begun('true'));
  await one.executor.start(spec);
  for (const off of moods) {
    const before = proxy.requests.filter(isCreate).length;
    await until('a request for the pod', () => proxy.requests.filter(isCreate).length > before || undefined);
    off();
  }
  assert.equal((await one.finished(spec.attemptId)).outcome.kind, 'succeeded');
  assert.equal(await begins(one, spec.attemptId), 1);
});

check('a pod whose making was answered into the void is taken for the one that was asked for', async () => {
  const one = await harbour();
  const off = proxy.when(isCreate, { kind: 'lose' });
  const spec = specOf(begun('sleep 1'));
  await one.executor.start(spec);
  await one.running(spec.attemptId);
  off();
  assert.equal((await one.finished(spec.attemptId)).outcome.kind, 'succeeded');
  assert.equal(await begins(one, spec.attemptId), 1);
});

check('steps run on and end while the API is away, and a stop is carried out when it is back', async () => {
  const one = await harbour();
  const [ends, stays] = [specOf(begun('sleep 2')), specOf(begun('sleep 600'))];
  for (const spec of [ends, stays]) await one.executor.start(spec);
  for (const spec of [ends, stays]) await one.running(spec.attemptId);
  const off = proxy.when(isPods, { kind: 'refuse' });
  proxy.cut();
  assert.equal((await one.finished(ends.attemptId)).outcome.kind, 'succeeded', 'its agent says so');
  await one.executor.stop(stays.attemptId, 'cancelled', 1000);
  await until('a request to remove it', () => proxy.requests.some((line) => line.startsWith('DELETE ')) || undefined);
  assert.equal(
    one.reports.some((word) => word.type === 'finished' && word.attemptId === stays.attemptId),
    false,
  );
  off();
  assert.match(fails((await one.finished(stays.attemptId)).outcome), /^cancelled: /);
});

check('a watch that has lost its place, or is cut again and again, misses no pod that goes', async () => {
  const one = await harbour();
  const gone = { type: 'ERROR', object: status(410, 'Expired', 'too old resource version') };
  const off = proxy.when(isWatch, { kind: 'answer', status: 200, body: gone });
  proxy.cut();
  const spec = specOf(begun('sleep 600'));
  await one.executor.start(spec);
  await namespace.remove(`pod/${await podOf(one, spec.attemptId)}`);
  assert.match(fails((await one.finished(spec.attemptId)).outcome), /^lost: /);
  off();
});

check(
  'of two servers at once each leaves the pods of the other alone where they are not one installation',
  async () => {
    const [one, other] = [await harbour(), await harbour()];
    const [mine, theirs] = [specOf(begun('sleep 2')), specOf(begun('sleep 2'))];
    await one.executor.start(mine);
    await other.executor.start(theirs);
    assert.equal((await one.finished(mine.attemptId)).outcome.kind, 'succeeded');
    assert.equal((await other.finished(theirs.attemptId)).outcome.kind, 'succeeded');
  },
);

check('servers that follow one another while pods come and go lose none, and none runs twice', async () => {
  const one = await harbour({ slots: 50 });
  const servers = [{ executor: one.executor, reports: one.reports }];
  const started: string[] = [];
  const endsOf = (attemptId: string): readonly AttemptOutcome[] =>
    servers.flatMap(({ reports }) =>
      reports.flatMap((word) => (word.type === 'finished' && word.attemptId === attemptId ? [word.outcome] : [])),
    );
  for (let at = 1; at <= 18; at += 1) {
    const spec = specOf(begun('sleep 0.5'));
    started.push(spec.attemptId);
    await servers.at(-1)?.executor.start(spec);
    await pause(80);
    if (at % 6 !== 0) continue;
    // From one that is asked for at this moment to one that has ended long ago.
    const next = await one.next();
    servers.push(next);
    await next.executor.recover(started.filter((attemptId) => endsOf(attemptId).length === 0));
  }
  for (const attemptId of started) {
    const [outcome] = await until(`the end of ${attemptId}`, () => {
      const ends = endsOf(attemptId);
      return ends.length > 0 ? ends : undefined;
    });
    assert.equal(outcome?.kind, 'succeeded', outcome === undefined ? '' : fails(outcome));
    assert.deepEqual([endsOf(attemptId).length, await begins(one, attemptId)], [1, 1], attemptId);
  }
});

check('pods that belong to nothing any more are removed', async () => {
  const one = await harbour();
  const labels = { 'contender.dev/instance': one.instance };
  const stray = { name: 'main', image: 'busybox:local', imagePullPolicy: 'Never', command: ['sleep', '600'] };
  const spec = { restartPolicy: 'Never', containers: [stray], terminationGracePeriodSeconds: 0 };
  await namespace.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stray', labels }, spec });
  const next = await one.next();
  // Until then it could belong to a server that was here before.
  await next.executor.recover([]);
  await namespace.waitForNone('pods');
});

check('what the cluster measured of a container stands on its attempt', async () => {
  const one = await harbour();
  const spec = specOf({ ...container, command: ['sh', '-c', 'sleep 1'] });
  const metadata = { name: podName(one.instance, spec.attemptId) };
  const containers = [{ name: 'main', usage: { cpu: '1m', memory: '77Mi' } }];
  const off = proxy.when((line) => line.includes('/apis/metrics.k8s.io/'), {
    kind: 'answer',
    status: 200,
    body: { items: [{ metadata, containers }] },
  });
  await one.executor.start(spec);
  const { outcome, usage } = await one.finished(spec.attemptId);
  off();
  assert.equal(outcome.kind, 'succeeded', fails(outcome));
  assert.equal(usage?.memoryBytesMax, 77 * 1024 ** 2);
});

check('the pods of a step and of a container that failed stay where they are to be kept, and have ended', async () => {
  const one = await harbour({ keep: { onFinishAction: 'delete_succeeded_pod', ttlAfterFinishedMs: 3_600_000 } });
  const failing = specOf(begun('exit 3'));
  const boxed = specOf({ ...container, command: ['sh', '-c', 'echo looked for; exit 4'] });
  await one.executor.start(failing);
  await one.executor.start(boxed);
  assert.match(fails((await one.finished(failing.attemptId)).outcome), /^code: /);
  assert.match(fails((await one.finished(boxed.attemptId)).outcome), /^code: /);
  assert.equal((await one.run(shell('true'))).kind, 'succeeded');
  for (const { attemptId } of [failing, boxed]) {
    const kept = /^Its pod is kept: .* describe pod (\S+)$/m.exec((await one.log(attemptId)).join('\n'))?.[1];
    assert.ok(kept, `the log names it: ${(await one.log(attemptId)).join('\n')}`);
    await namespace.waitFor(`pod/${kept}`, '{.status.phase}', 'Failed');
    if (attemptId === boxed.attemptId) assert.match(await namespace.logOf(kept), /^looked for$/m);
  }
  await namespace.clear('pods');
});

check(
  'the pod of a container whose init container failed stays where failed ones are kept, and has ended',
  async () => {
    const keep = { onFinishAction: 'delete_succeeded_pod', ttlAfterFinishedMs: 3_600_000 } as const;
    const one = await harbour({ keep });
    const prep = { name: 'prep', image: runnerImage, imagePullPolicy: 'Never', command: ['sh', '-c', 'exit 4'] };
    const spec = specOf({ ...container, command: ['true'] }, { pod: { initContainers: [prep] } });
    await one.executor.start(spec);
    assert.match(
      fails((await one.finished(spec.attemptId)).outcome),
      /^code: its container prep ended with exit code 4/,
    );
    await namespace.waitFor(`pod/${podName(one.instance, spec.attemptId)}`, '{.status.phase}', 'Failed');
    await namespace.clear('pods');
  },
);

const deafScript = 'trap "" TERM; while :; do sleep 1; done';
const deaf = { name: 'deaf', image: runnerImage, imagePullPolicy: 'Never', command: ['sh', '-c', deafScript] };

check('the pod of a step that is kept has ended as its step did when its node has ended a deaf sidecar', async () => {
  const keep = { onFinishAction: 'keep_pod', ttlAfterFinishedMs: 3_600_000 } as const;
  const one = await harbour({ keep, lastPatienceMs: podPatience.lastMs });
  const spec = specOf(shell('true'), { pod: { sidecars: [deaf] }, graceMs: 0 });
  await one.executor.start(spec);
  assert.equal((await one.finished(spec.attemptId)).outcome.kind, 'succeeded');
  await one.executor.close();
  await namespace.waitFor(`pod/${podName(one.instance, spec.attemptId)}`, '{.status.phase}', 'Succeeded');
  await namespace.clear('pods');
});

check('a sidecar that hears no SIGTERM is gone at the end of whoever nobody comes after', async () => {
  // Less than the grace of its pod.
  const one = await harbour({ lastPatienceMs: 3000 });
  const spec = specOf({ ...container, command: ['true'] }, { pod: { sidecars: [deaf] } });
  await one.executor.start(spec);
  assert.equal((await one.finished(spec.attemptId)).outcome.kind, 'succeeded');
  await one.executor.close();
});
