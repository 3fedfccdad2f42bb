/** A namespace of a test file's own in the cluster that KUBECONFIG names, handled by kubectl and removed with all in it. */
import { randomUUID } from 'node:crypto';
import { attempt, run } from '../cluster/command.ts';

export interface Namespace {
  readonly name: string;
  create(resource: object): Promise<void>;
  /** Waits until the field at the path of JSON is this; throws after two minutes with how the thing stands then. */
  waitFor(thing: string, path: string, value: string): Promise<void>;
  read(thing: string, path: string): Promise<string>;
  logOf(pod: string): Promise<string>;
  has(thing: string): Promise<boolean>;
  /** Waits until nothing of the kind is there; throws after two minutes. */
  waitForNone(kind: string): Promise<void>;
  /** As a drain does it. */
  evict(pod: string): Promise<void>;
  /** At once, whatever runs. */
  clear(kind: string): Promise<void>;
  /** Of one thing, or of the namespace: true to its grace, and over when it is gone. */
  remove(thing?: string): Promise<void>;
}

const secondsMax = 120;

export async function makeNamespace(): Promise<Namespace> {
  const name = `contender-test-${randomUUID().slice(0, 8)}`;
  const inside = (words: readonly string[], input = ''): Promise<string> =>
    run('kubectl', ['--namespace', name, ...words], { input });
  await run('kubectl', ['create', 'namespace', name]);
  // Pods are refused until the controllers have made the account that they run as.
  await inside(['wait', '--for=create', 'serviceaccount/default', '--timeout=300s']);
  return {
    name,
    async create(resource) {
      await inside(['create', '--filename=-'], JSON.stringify(resource));
    },
    async waitFor(thing, path, value) {
      const words = ['wait', `--for=jsonpath=${path}=${value}`, `--timeout=${secondsMax}s`, thing];
      const { status, errors } = await attempt('kubectl', ['--namespace', name, ...words]);
      if (status === 0) return;
      throw new Error(`${thing} has no ${value} at ${path}: ${errors}${await inside(['describe', thing])}`);
    },
    read: (thing, path) => inside(['get', thing, `--output=jsonpath=${path}`]),
    logOf: (pod) => inside(['logs', pod]),
    async waitForNone(kind) {
      await inside(['wait', '--for=delete', kind, '--all', `--timeout=${secondsMax}s`]);
    },
    has: async (thing) => (await inside(['get', thing, '--ignore-not-found'])) !== '',
    async evict(pod) {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: name } };
      const path = `/api/v1/namespaces/${name}/pods/${pod}/eviction`;
      await run('kubectl', ['create', '--raw', path, '--filename=-'], { input: JSON.stringify(eviction) });
    },
    async clear(kind) {
      await inside(['delete', kind, '--all', '--force', '--grace-period=0', '--ignore-not-found']);
    },
    async remove(thing = `namespace/${name}`) {
      await inside(['delete', thing, '--wait', `--timeout=${secondsMax}s`]);
    },
  };
}

/** A pod of one container, of busybox where it does not say otherwise, that is not started again. */
export function podOf(name: string, container: object, more: object = {}): object {
  const main = { name: 'main', image: 'busybox:local', imagePullPolicy: 'Never', ...container };
  const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, ...more, containers: [main] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
}
