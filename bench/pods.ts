/**
 * Attempts as pods of the cluster that KUBECONFIG names, or of one that is brought up for it and taken down after, beside the least that a pod can cost there: the same image, made and
 * watched until it has succeeded, by the same requests. One after the other, and many at once.
 */
import { delimiter } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { down } from '../test/cluster/down.ts';
import { assertRoot } from '../test/cluster/host.ts';
import { layoutOf } from '../test/cluster/layout.ts';
import { remakeRunner, up } from '../test/cluster/up.ts';
import { makeNamespace } from '../test/kubernetes/namespace.ts';
import { openApiProxy } from '../test/kubernetes/api-proxy.ts';
import { asGiven, runnerImage, settingsIn, through } from '../test/kubernetes/settings.ts';
import { openHarbour, type Harbour, type HarbourOptions } from '../test/executor/kubernetes/harbour.ts';
import { createApi, type Api } from '../src/executor/kubernetes/api.ts';
import { openPodTable } from '../src/executor/kubernetes/pod-table.ts';
import { createSight } from '../src/executor/kubernetes/sight.ts';
import { allAtOnce, Attempts, oneByOne } from './attempts.ts';
import { round, type BenchOptions } from './measure.ts';

export async function benchPods(options: BenchOptions): Promise<void> {
  const given = process.env['KUBECONFIG'];
  if (given !== undefined) return benchAt(given, options);
  const layout = layoutOf(process.env);
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  assertRoot();
  try {
    await up(layout, note);
    await remakeRunner(layout, note);
    process.env['KUBECONFIG'] = layout.kubeconfig;
    process.env['PATH'] = [layout.bin, process.env['PATH']].join(delimiter);
    await benchAt(layout.kubeconfig, options);
  } finally {
    await down(layout, false, note);
  }
}

async function benchAt(kubeconfig: string, { say, smoke }: BenchOptions): Promise<void> {
  const namespace = await makeNamespace();
  const proxy = await openApiProxy(kubeconfig);
  const attempts = new Attempts();
  const open = (loadConfig: HarbourOptions['loadConfig']): Promise<Harbour> =>
    openHarbour({ ...settingsIn(namespace.name, loadConfig), slots: 500, heard: attempts.heard });
  const [harbour, counted] = [await open(asGiven), await open(through(proxy))];
  try {
    const bare = openBare(createApi(asGiven), namespace.name);
    const [one, many] = smoke ? [2, 4] : [20, 100];
    // The first pod of an image waits for more than the others.
    await bare.run();
    await attempts.run(harbour);
    const ours = (): Promise<void> => attempts.run(harbour);
    say({ workload: 'pod', pods: one, ...(await oneByOne(one, ours, () => bare.run())) });
    const bareMs = await allAtOnce(many, () => bare.run());
    const before = process.memoryUsage().rss;
    const oursMs = await allAtOnce(many, ours);
    say({
      workload: 'pods-at-once',
      pods: many,
      ms: round(oursMs),
      bare_ms: round(bareMs),
      ratio: round(oursMs / bareMs),
      memory_mb_more: round((process.memoryUsage().rss - before) / 1e6),
    });
    const requestsBefore = proxy.requests.length;
    for (let each = 0; each < one; each += 1) await attempts.run(counted);
    say({
      workload: 'pod-requests',
      pods: one,
      requests_per_pod: round((proxy.requests.length - requestsBefore) / one),
    });
    bare.close();
  } finally {
    await Promise.all([harbour.close(), counted.close()]);
    await proxy.close();
    await namespace.remove();
  }
}

/** Made, seen to have succeeded, and removed. */
function openBare(api: Api, namespace: string): { run(): Promise<void>; close(): void } {
  const waiting = new Map<string, () => void>();
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const table = openPodTable({
    api,
    namespace,
    selector: 'bare=true',
    clock: { now: Date.now },
    sight: createSight(),
    changed: (name, view) => (view?.phase === 'Succeeded' ? waiting.get(name)?.() : undefined),
    listed: () => undefined,
    trouble: (error) => console.error(String(error)),
  });
  let made = 0;
  return {
    async run() {
      const name = `bare-${(made += 1)}`;
      const over = new Promise<void>((resolve) => waiting.set(name, resolve));
      const container = { name: 'main', image: runnerImage, imagePullPolicy: 'Never', command: ['true'] };
      const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, containers: [container] };
      const pod: V1Pod = { metadata: { name, labels: { bare: 'true' } }, spec };
      await api.request('POST', path, { body: pod });
      await over;
      waiting.delete(name);
      void api.request('DELETE', `${path}/${name}`).catch(() => undefined);
    },
    close: () => table.close(),
  };
}
