/** A server with the account of docs/kubernetes-rbac.yaml, and no right beside its, on a real cluster. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeConfig } from '@kubernetes/client-node';
import { createApi } from '../../src/executor/kubernetes/api.ts';
import { checkCluster } from '../../src/executor/kubernetes/check.ts';
import type { Finding } from '../../src/executor/kubernetes/finding.ts';
import { run } from '../cluster/command.ts';
import { accessManifests } from '../docs/kubernetes-rbac.ts';
import { openHarbour, type Harbour } from '../executor/kubernetes/harbour.ts';
import { command, shell } from '../executor/workshop.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { asGiven, settingsIn } from './settings.ts';

let namespace: Namespace;
let harbour: Harbour;
let loadConfig: (client: typeof import('@kubernetes/client-node')) => KubeConfig;

before(async () => {
  namespace = await makeNamespace();
  for (const manifest of accessManifests()) await namespace.create(manifest);
  const token = (await run('kubectl', ['--namespace', namespace.name, 'create', 'token', 'contender'])).trim();
  loadConfig = (client) => {
    const cluster = asGiven(client).getCurrentCluster();
    assert.ok(cluster !== null);
    const config = new client.KubeConfig();
    config.loadFromClusterAndUser(cluster, { name: 'contender', token });
    return config;
  };
  harbour = await openHarbour(settingsIn(namespace.name, loadConfig));
});

after(async () => {
  await harbour.close();
  await namespace.remove();
});

test('it runs commands and containers', async () => {
  assert.equal((await harbour.run(command('true'))).kind, 'succeeded');
  assert.equal((await harbour.run(shell('exit 3'))).kind, 'failed');
  const outcome = await harbour.run({
    kind: 'container',
    image: 'contender-runner:local',
    command: ['echo', '{"rows":1}'],
    args: [],
    environment: {},
    resources: { requests: {}, limits: {} },
    localCommand: null,
  });
  assert.equal(outcome.kind, 'succeeded', JSON.stringify(outcome));
  assert.deepEqual(harbour.troubles, []);
});

test('a check with it finds all that it may see well', async () => {
  const findings: Finding[] = [];
  await checkCluster({
    clock: { now: Date.now },
    api: createApi(loadConfig),
    settings: {
      instance: 'none',
      namespace: namespace.name,
      image: 'contender-runner:local',
      imagePullPolicy: 'Never',
      imagePullSecrets: [],
      agentUrl: harbour.agentUrl,
      serviceAccountName: null,
      helperResources: null,
      pod: {},
      repositoryPods: new Map(),
    },
    trial: { startMs: 60_000 },
    signal: new AbortController().signal,
    found: (finding) => findings.push(finding),
  });
  const states = findings.map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(states, [
    'api ok',
    'namespace unknown',
    'permissions ok',
    'quotas unknown',
    'step pod ok',
    'container pod ok',
    'start ok',
    'agents ok',
  ]);
});
