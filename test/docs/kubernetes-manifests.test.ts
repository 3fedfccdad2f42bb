/** The manifests of docs/kubernetes fit each other, the image, what `contender.yaml` may hold and what the executor needs. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { V1PodSpec } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { neededRights } from '../../src/executor/kubernetes/rights.ts';
import { access } from '../../src/server/access.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { version } from '../../src/version.ts';
import { pageOf } from './blocks.ts';
import {
  allOf,
  manifestFiles,
  manifestsOf,
  oneOf,
  oneServer,
  optional,
  severalServers,
} from './kubernetes-manifests.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
const [serverSpace = '', podSpace = ''] = allOf('namespaces', 'Namespace').map(({ metadata }) => metadata?.name);
const settingsFiles = ['settings', severalServers] as const;
const serverFiles = ['server', severalServers] as const;
const variables = oneOf('secret', 'Secret').stringData ?? {};
const filled = Object.fromEntries(Object.keys(variables).map((name) => [name, valueOf(name)]));

function valueOf(name: string): string {
  return name === 'CONTENDER_DATABASE_URL' ? 'postgresql://contender@database/contender' : '0123456789abcdef';
}

function settingsIn(file: string): string {
  return oneOf(file, 'ConfigMap').data?.['contender.yaml'] ?? '';
}

/** As the server reads it, in the folder of its image. */
function configOf(file: string, environment: Readonly<Record<string, string>> = filled): Config {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  try {
    writeFileSync(join(folder, 'contender.yaml'), settingsIn(file));
    const config = loadConfig(folder, environment);
    const inImage = (path: string): string => path.replace(folder, '/srv/contender');
    return {
      ...config,
      stateDirectory: inImage(config.stateDirectory),
      sharedDirectory: inImage(config.sharedDirectory),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function podOf(file: string): V1PodSpec {
  const spec = oneOf(file, 'Deployment').spec?.template.spec;
  assert.ok(spec !== undefined);
  return spec;
}

function containerOf(file: string): V1PodSpec['containers'][number] {
  const [container, ...others] = podOf(file).containers;
  assert.ok(container !== undefined && others.length === 0);
  return container;
}

test('docs/kubernetes.md names each manifest, and each belongs to a way of setting up', () => {
  const page = pageOf('kubernetes.md');
  assert.deepEqual(
    manifestFiles().filter((file) => !page.includes(`(kubernetes/${file}.yaml)`)),
    [],
  );
  assert.deepEqual(manifestFiles().toSorted(), [...oneServer, severalServers, ...optional].toSorted());
});

test('server and pods have a namespace of their own, where no pod may be more than restricted', () => {
  assert.notEqual(serverSpace, podSpace);
  for (const { metadata } of allOf('namespaces', 'Namespace'))
    assert.equal(metadata?.labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
  const others = manifestFiles().filter((file) => file !== 'namespaces');
  for (const { kind, metadata } of others.flatMap((file) => manifestsOf(file)))
    assert.ok([serverSpace, podSpace].includes(metadata?.namespace ?? ''), `${kind} ${metadata?.name ?? ''}`);
});

test('the account of the server may do what the executor needs, in the namespace of the pods alone', () => {
  const role = oneOf('access', 'Role');
  assert.deepEqual(role.rules, neededRights);
  assert.equal(role.metadata?.namespace, podSpace);
  for (const file of ['access', 'metrics']) {
    const binding = oneOf(file, 'RoleBinding');
    assert.equal(binding.metadata?.namespace, podSpace);
    assert.equal(binding.roleRef.name, oneOf(file, 'Role').metadata?.name);
    const account = oneOf('access', 'ServiceAccount').metadata;
    const { name, namespace } = account ?? {};
    assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name, namespace }]);
  }
  for (const file of serverFiles)
    assert.equal(podOf(file).serviceAccountName, oneOf('access', 'ServiceAccount').metadata?.name);
});

test('the rights for debugging are those of docs/debugging.md', () => {
  const shown = /^```yaml\n([\s\S]*?)^```$/m.exec(pageOf('debugging.md'))?.[1] ?? '';
  assert.deepEqual({ rules: oneOf('debug', 'Role').rules }, parse(shown));
  assert.equal(oneOf('debug', 'Role').metadata?.namespace, podSpace);
});

for (const file of settingsFiles) {
  test(`the settings of ${file} are those of a server in the cluster, and agree with its Service`, () => {
    const config = configOf(file);
    const { kubernetes } = config.executor;
    assert.ok(kubernetes !== null);
    const { metadata, spec } = oneOf(file === 'settings' ? 'server' : file, 'Service');
    const portOf = (name: string): number | undefined => spec?.ports?.find((port) => port.name === name)?.port;
    assert.equal(kubernetes.namespace, podSpace);
    assert.equal(kubernetes.image, `registry.example/contender-runner:${version}`);
    assert.equal(kubernetes.agentUrl, `http://${metadata?.name}.${metadata?.namespace}.svc:${portOf('agents')}`);
    assert.deepEqual(kubernetes.listen, { host: '0.0.0.0', port: portOf('agents') });
    const { host, port, behindProxy, publicUrl } = config.server;
    assert.deepEqual({ host, port, behindProxy }, { host: '0.0.0.0', port: portOf('http'), behindProxy: true });
    for (const { spec: ingress } of allOf('ingress', 'Ingress')) {
      assert.deepEqual(
        ingress?.tls?.[0]?.hosts,
        ingress?.rules?.map((rule) => rule.host),
      );
      assert.equal(publicUrl, `https://${ingress?.rules?.[0]?.host}`);
    }
  });
}

test('the settings of several servers are those of one, and the folder that they share', () => {
  const { shared, ...same } = parse(settingsIn(severalServers)) as { readonly shared: string };
  assert.deepEqual(same, parse(settingsIn('settings')));
  assert.equal(configOf(severalServers).sharedDirectory, shared);
  assert.deepEqual(oneOf(severalServers, 'PersistentVolumeClaim').spec?.accessModes, ['ReadWriteMany']);
});

test('the variables of the Secret are known, without a value, and without those no server starts', () => {
  const page = pageOf('operating.md');
  for (const [name, value] of Object.entries(variables)) {
    assert.ok(page.includes(`| \`${name}\` |`), name);
    assert.equal(value, '', name);
  }
  for (const missing of ['CONTENDER_API_TOKEN', 'CONTENDER_GITHUB_TOKEN'])
    assert.throws(() => configOf('settings', { ...filled, [missing]: '' }), ProblemError);
  assert.throws(() => configOf('settings', variables), ProblemError);
});

for (const file of serverFiles) {
  test(`the pod of ${file} is the image of the server, on what it is to keep`, () => {
    const container = containerOf(file);
    assert.equal(container.image, `registry.example/contender-server:${version}`);
    assert.ok(dockerfile.includes(`ENV ${container.env?.map(({ name, value }) => `${name}=${value}`).join(' ')}\n`));
    assert.deepEqual(container.envFrom, [{ secretRef: { name: oneOf('secret', 'Secret').metadata?.name } }]);
    const settings = file === 'server' ? 'settings' : file;
    const mounts = new Map(container.volumeMounts?.map((mount) => [mount.mountPath, mount]));
    const volumeAt = (path: string): object | undefined =>
      podOf(file).volumes?.find(({ name }) => name === mounts.get(path)?.name);
    assert.equal(mounts.get('/srv/contender/contender.yaml')?.subPath, 'contender.yaml');
    const map = { name: 'settings', configMap: { name: oneOf(settings, 'ConfigMap').metadata?.name } };
    assert.deepEqual(volumeAt('/srv/contender/contender.yaml'), map);
    const { sharedDirectory, stateDirectory } = configOf(settings);
    assert.ok(mounts.has(stateDirectory));
    const claimName = oneOf(file, 'PersistentVolumeClaim').metadata?.name;
    const name = file === 'server' ? 'state' : 'shared';
    assert.deepEqual(volumeAt(sharedDirectory), { name, persistentVolumeClaim: { claimName } });
  });

  test(`the pod of ${file} has the user of the image, and keeps to restricted`, () => {
    const { securityContext } = podOf(file);
    assert.ok(dockerfile.includes(`USER ${securityContext?.runAsUser}:${securityContext?.runAsGroup}\nEXPOSE`));
    assert.equal(securityContext?.fsGroup, securityContext?.runAsGroup);
    assert.equal(securityContext?.runAsNonRoot, true);
    assert.deepEqual(securityContext?.seccompProfile, { type: 'RuntimeDefault' });
    const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    assert.deepEqual(containerOf(file).securityContext, restricted);
    assert.equal(podOf(file).enableServiceLinks, false);
  });

  test(`the ports of ${file} are those of the image and of the Service, and its probes ask what answers without a token`, () => {
    const { ports = [], startupProbe, livenessProbe, readinessProbe } = containerOf(file);
    const exposed = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(' ').map(Number);
    assert.deepEqual(
      ports.map(({ containerPort }) => containerPort),
      exposed,
    );
    const served = oneOf(file, 'Service').spec?.ports?.map(({ name, port, targetPort }) => [name, port, targetPort]);
    assert.deepEqual(
      served,
      ports.map(({ name, containerPort }) => [name, containerPort, name]),
    );
    const { metadata } = oneOf(file, 'Deployment').spec?.template ?? {};
    assert.deepEqual(oneOf(file, 'Service').spec?.selector, metadata?.labels);
    const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path ?? '');
    assert.deepEqual(paths, ['/healthz', '/healthz', '/ready']);
    for (const path of paths) assert.equal(access[`GET ${path}`], 'open');
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) assert.equal(probe?.httpGet?.port, 'http');
  });

  test(`an update of ${file} begins when the old one has ended`, () => {
    const { spec } = oneOf(file, 'Deployment');
    assert.deepEqual(spec?.strategy, { type: 'Recreate' });
    assert.equal(spec.replicas, file === 'server' ? 1 : 2);
    assert.equal(podOf(file).terminationGracePeriodSeconds, 30);
  });
}

test('steps reach names and the port for agents, and nobody else reaches that', () => {
  const policies = allOf('network', 'NetworkPolicy');
  const named = (wanted: string) => policies.find(({ metadata }) => metadata?.name === wanted);
  const nothing = named('nothing-by-itself');
  assert.deepEqual(nothing?.spec, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  assert.equal(nothing?.metadata?.namespace, podSpace);
  const labels = oneOf('server', 'Deployment').spec?.template.metadata?.labels;
  const port = configOf('settings').executor.kubernetes?.listen.port;
  const spaceOf = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
  const [toServer] = named('agents')?.spec?.egress ?? [];
  const server = { namespaceSelector: spaceOf(serverSpace), podSelector: { matchLabels: labels } };
  assert.deepEqual(toServer, { to: [server], ports: [{ protocol: 'TCP', port }] });
  const admitted = named('server')?.spec;
  assert.deepEqual(admitted?.podSelector, { matchLabels: labels });
  const fromPods = { from: [{ namespaceSelector: spaceOf(podSpace) }], ports: [{ protocol: 'TCP', port }] };
  assert.deepEqual(
    admitted?.ingress?.filter((rule) => rule.ports?.some((each) => each.port === port)),
    [fromPods],
  );
});

test('webhooks come in without a login and everything else with one, in bodies as large as the server takes', () => {
  const [pages, webhooks] = allOf('ingress', 'Ingress');
  const annotation = (of: typeof pages, name: string) =>
    of?.metadata?.annotations?.[`nginx.ingress.kubernetes.io/${name}`];
  const pathOf = (of: typeof pages) => of?.spec?.rules?.[0]?.http?.paths[0];
  assert.deepEqual([pathOf(pages)?.path, pathOf(webhooks)?.path], ['/', '/webhooks/']);
  assert.equal(access['POST /webhooks/*'], 'signed');
  assert.equal(annotation(pages, 'auth-type'), 'basic');
  assert.equal(annotation(webhooks, 'auth-type'), undefined);
  assert.equal(annotation(pages, 'proxy-buffering'), 'off');
  for (const each of [pages, webhooks]) {
    assert.equal(annotation(each, 'proxy-body-size'), /client_max_body_size (\w+);/.exec(pageOf('operating.md'))?.[1]);
    const { name } = oneOf('server', 'Service').metadata ?? {};
    assert.deepEqual(pathOf(each)?.backend, { service: { name, port: { name: 'http' } } });
  }
});
