import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { checkCluster, type ClusterCheck } from '../../../src/executor/kubernetes/check.ts';
import type { Finding } from '../../../src/executor/kubernetes/finding.ts';
import { createAgentServer } from '../../../src/server/agent-server.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import type { Image } from '../../support/kubernetes/images.ts';
import { forbidden, notFound } from '../../support/kubernetes/status.ts';
import { until } from '../workshop.ts';

/** That of the runner as far as it is needed: it has a `node`. */
const runner: Image = ({ command = [] }) => ({ command: [process.execPath, ...command.slice(1)] });

const empty: Image = () => ({ command: ['/no/such/node'] });

interface Place {
  readonly fake: FakeKubernetes;
  readonly api: Api;
  readonly check: (changes?: CheckChanges) => Promise<readonly Finding[]>;
}

interface CheckChanges extends Partial<Omit<ClusterCheck, 'settings'>> {
  readonly settings?: Partial<ClusterCheck['settings']>;
}

/** A cluster, and the server for agents beside it. */
async function withCluster(body: (place: Place) => Promise<void>): Promise<void> {
  const fake = await startFakeKubernetes({ images: { 'runner:1': runner, 'empty:1': empty }, namespaces: ['ml'] });
  const agents = createAgentServer({ desk: () => null, log: { error: () => undefined } });
  const agentUrl = await agents.listen({ host: '127.0.0.1', port: 0 });
  const api = createApi((client) => {
    const config = new client.KubeConfig();
    config.loadFromString(fake.kubeconfig);
    return config;
  });
  const settings = {
    instance: 'abcdefghijkl',
    namespace: 'ml',
    image: 'runner:1',
    imagePullPolicy: null,
    imagePullSecrets: [],
    agentUrl,
    serviceAccountName: null,
    helperResources: null,
    pod: {},
    repositoryPods: new Map(),
  };
  try {
    await body({
      fake,
      api,
      async check({ found, ...changes } = {}) {
        const findings: Finding[] = [];
        await checkCluster({
          api,
          trial: { startMs: 60_000 },
          clock: { now: Date.now },
          signal: new AbortController().signal,
          ...changes,
          settings: { ...settings, ...changes.settings },
          found(finding) {
            findings.push(finding);
            found?.(finding);
          },
        });
        return findings;
      },
    });
  } finally {
    await agents.close();
    await fake.close();
  }
}

function statesOf(findings: readonly Finding[]): string {
  return findings.map(({ name, state }) => `${name} ${state}`).join(', ');
}

/** The last one, which is not well, with what to do. */
function lastOf(findings: readonly Finding[]): string {
  const last = findings.at(-1);
  assert.ok(last !== undefined && last.state !== 'ok', statesOf(findings));
  return `${last.name} ${last.state}: ${last.message} ${last.help}`;
}

const asked = 'api ok, namespace ok, permissions ok, quotas ok, step pod ok, container pod ok';

test('a cluster that can run steps is well in all things, and nothing is left in it', () =>
  withCluster(async ({ fake, check }) => {
    assert.equal(statesOf(await check()), `${asked}, start ok, agents ok`);
    assert.deepEqual(fake.pods(), []);
  }));

test('what the configuration says of pods that can be none is told before the cluster is asked', () =>
  withCluster(async ({ check }) => {
    const pod = { volumeMounts: [{ name: 'data', mountPath: '/data' }] };
    const findings = await check({ settings: { pod } });
    assert.match(
      lastOf(findings),
      /^container pod wrong: .* mounts the volume "data", and there is no such volume.* See `pod` of `executor.kubernetes`/,
    );
  }));

test('the word of the pod that is tried may be written a moment after its end', () =>
  withCluster(async ({ api, check }) => {
    let reads = 0;
    const late: Api = {
      ...api,
      stream(path, ...asked) {
        if (!path.endsWith('/log') || (reads += 1) > 1) return api.stream(path, ...asked);
        return Promise.resolve(new Blob([]).stream());
      },
    };
    assert.equal(statesOf(await check({ api: late })), `${asked}, start ok, agents ok`);
    assert.equal(reads, 2);
  }));

test('without a trial, pods are only shown to the cluster', () =>
  withCluster(async ({ fake, check }) => {
    assert.equal(statesOf(await check({ trial: null })), asked);
    const made = fake.requests.filter(({ verb, resource }) => verb === 'create' && resource === 'pods');
    assert.deepEqual(
      made.map(({ query }) => query.get('dryRun')),
      ['All', 'All'],
    );
  }));

test('an API that does not answer, or does not know who asks, ends the check', () =>
  withCluster(async ({ fake, check }) => {
    fake.acceptToken('another');
    assert.match(lastOf(await check()), /^api wrong: .*Unauthorized\. .*renew the credentials/);
    await fake.leave();
    assert.match(
      lastOf(await check()),
      /^api wrong: .* cannot be asked: the cluster does not answer: .*kubectl version/,
    );
    const noContext = createApi(() => {
      throw new Error('the kubeconfig has no context "far"');
    });
    assert.match(lastOf(await check({ api: noContext })), /^api wrong: .* no context "far"\. See `kubeconfig`/);
    await fake.comeBack();
  }));

test('a cluster that is too old for helpers is told', () =>
  withCluster(async ({ api, check }) => {
    const old: Api = {
      ...api,
      request: (method, path, options) =>
        path === '/version'
          ? Promise.resolve({ major: '1', minor: '28+' } as never)
          : api.request(method, path, options),
    };
    assert.match(lastOf(await check({ api: old })), /^api wrong: Kubernetes v1\.28\+ is older than 1\.29/);
  }));

test('clocks that differ by more than ten seconds are told, and all else is asked', () =>
  withCluster(async ({ check }) => {
    for (const [offset, how] of [
      [60_000, 'behind'],
      [-60_000, 'ahead of'],
    ] as const) {
      const findings = await check({ trial: null, clock: { now: () => Date.now() + offset } });
      assert.equal(statesOf(findings), asked.replace('api ok', 'api ok, clock wrong'));
      const skew = lastOf(findings.slice(0, 2));
      assert.match(
        skew,
        new RegExp(`^clock wrong: The clock of the cluster is \\d\\d s ${how} that of this machine: .*NTP`),
      );
    }
    assert.equal(statesOf(await check({ trial: null, clock: { now: () => Date.now() + 5000 } })), asked);
  }));

test('an answer that was long under way is no wrong clock', () =>
  withCluster(async ({ check }) => {
    const readings = [Date.now() - 25_000, Date.now() + 25_000];
    const clock = { now: () => readings.shift() ?? 0 };
    assert.equal(statesOf(await check({ trial: null, clock })), asked);
  }));

test('a namespace that is not there is told by whoever may tell it', () =>
  withCluster(async ({ fake, check }) => {
    const settings = { namespace: 'none' };
    assert.match(lastOf(await check({ settings })), /^namespace wrong: There is no namespace none\. Make it/);
    fake.permissions.deny({ verb: 'get', resource: 'namespaces' });
    const findings = await check({ settings });
    assert.match(
      lastOf(findings),
      /^container pod wrong: .*namespaces "none" not found\. Make it \(kubectl create namespace none\)/,
    );
    assert.match(statesOf(findings), /^api ok, namespace unknown/);
  }));

test('the namespace is the one that the defaults of all pods name', () =>
  withCluster(async ({ check }) => {
    const findings = await check({ settings: { pod: { namespace: 'elsewhere' } } });
    assert.match(lastOf(findings), /There is no namespace elsewhere/);
  }));

test('each right that is missing is named', () =>
  withCluster(async ({ fake, check }) => {
    fake.permissions.deny({ verb: 'watch', resource: 'pods' });
    fake.permissions.deny({ verb: 'get', resource: 'pods/log' });
    assert.match(
      lastOf(await check()),
      /^permissions wrong: The account may not watch pods, get pods\/log in ml\. .*kubernetes-rbac\.yaml/,
    );
  }));

test('an account with no more than it needs can be checked with', () =>
  withCluster(async ({ fake, check }) => {
    fake.permissions.deny({ verb: 'get', resource: 'namespaces' });
    fake.permissions.deny({ verb: 'list', resource: 'resourcequotas' });
    const states = statesOf(await check());
    assert.equal(
      states,
      'api ok, namespace unknown, permissions ok, quotas unknown, step pod ok, container pod ok, start ok, agents ok',
    );
  }));

test('a quota that is used up is told, and no pod is tried', () =>
  withCluster(async ({ fake, check }) => {
    fake.quota.set(0);
    const findings = await check();
    const states = 'api ok, namespace ok, permissions ok, quotas wrong, step pod wrong, container pod wrong';
    assert.equal(statesOf(findings), states);
    assert.match(findings[3]?.message ?? '', /^Nothing is left of quota few: 0 of 0 pods are taken\.$/);
    assert.match(lastOf(findings), /exceeded quota: few.* Raise the quota/);
    assert.deepEqual(fake.pods(), []);
  }));

const refusals: readonly (readonly [what: string, message: string, help: RegExp, state: string])[] = [
  [
    'pod security',
    'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
    /Take out what `executor\.kubernetes\.pod` adds/,
    'wrong',
  ],
  [
    'a quota that demands resources',
    'failed quota: compute: must specify limits.memory for: main',
    /say `resources`/,
    'wrong',
  ],
  [
    'an account that is not there',
    'error looking up service account ml/steps: serviceaccount "steps" not found',
    /`serviceAccountName`/,
    'wrong',
  ],
  ['a webhook', 'admission webhook "cost.example" denied the request: no team label', /that webhook/, 'wrong'],
  [
    'a webhook that speaks of real pods alone',
    'admission webhook "cost.example" does not support dry run',
    /without --quick/,
    'unknown',
  ],
];
for (const [what, message, help, state] of refusals) {
  test(`${what} speaks of a pod that is only shown, and it is told what to do`, () =>
    withCluster(async ({ fake, check }) => {
      fake.refusePods(({ metadata }) => forbidden(metadata.name, message));
      const findings = await check({ trial: null });
      assert.ok(lastOf(findings).startsWith(`container pod ${state}: The cluster refuses the pod of a container`));
      assert.ok(lastOf(findings).includes(message));
      assert.match(lastOf(findings), help);
    }));
}

test('an image that does not come is told at once', () =>
  withCluster(async ({ fake, check }) => {
    const findings = await check({ settings: { image: 'registry.example/none:1' } });
    assert.match(
      lastOf(findings),
      /^start wrong: A pod does not start here: its image could not be pulled on \w+ \(.*ErrImagePull: .*`imagePullSecrets`/,
    );
    assert.deepEqual(fake.pods(), []);
  }));

test('a pod that finds no node in time is told', () =>
  withCluster(async ({ fake, check }) => {
    fake.scheduling.hold();
    const last = lastOf(await check({ trial: { startMs: 0 } }));
    assert.match(last, /^start wrong: A pod does not start here: no node had room for its pod/);
    assert.deepEqual(fake.pods(), []);
  }));

test('an image without the program of agents is told', () =>
  withCluster(async ({ fake, check }) => {
    const findings = await check({ settings: { image: 'empty:1' } });
    assert.match(
      lastOf(findings),
      /^start wrong: .*it could not be started \(StartError: .*See that the command is in the image/,
    );
    assert.deepEqual(fake.pods(), []);
  }));

test('a pod that reaches nobody, or somebody else, is told', () =>
  withCluster(async ({ check }) => {
    const other = createServer((_, response) => response.writeHead(404).end('nobody')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const agentUrl = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
    const elsewhere = lastOf(await check({ settings: { agentUrl } }));
    assert.match(elsewhere, /^agents unknown: A pod is answered 404 at http:\S+, and not by a server for agents\./);
    other.close();
    await once(other, 'close');
    assert.match(lastOf(await check({ settings: { agentUrl } })), /^agents wrong: A pod does not reach .*ECONNREFUSED/);
  }));

test('a check that is ended removes its pod', () =>
  withCluster(async ({ fake, check }) => {
    fake.scheduling.hold();
    const ending = new AbortController();
    const checked = check({ signal: ending.signal });
    await until('the pod', () => fake.pods().length === 1);
    ending.abort(new Error('asked to end'));
    await assert.rejects(checked);
    assert.deepEqual(fake.pods(), []);
  }));

test('a pod that is refused after all, and one that cannot be removed, are told', () =>
  withCluster(async ({ fake, check }) => {
    fake.refusePods(({ metadata, spec }) =>
      spec.activeDeadlineSeconds === 600 ? notFound('pods', metadata.name) : null,
    );
    assert.match(lastOf(await check()), /^start wrong: A pod could not be tried: pods "contender-check-\w+" not found/);
    fake.refusePods(null);
    const findings = await check({
      found({ name }) {
        if (name === 'start') fake.permissions.deny({ verb: 'delete', resource: 'pods' });
      },
    });
    assert.match(
      lastOf(findings),
      /^removal wrong: .*cannot delete resource.* Remove it: kubectl delete pod contender-check-\w+$/,
    );
  }));
