/**
 * Attempts as pods of the cluster that KUBECONFIG names, or of one that is brought up for it and taken down after, beside the least that a pod can cost there: the same image, made and
 * watched until it has succeeded, by the same requests. One after the other, and many at once. Both end where the cluster says that the
 * pod has ended, or is gone; the server knows the end of an attempt before that, from its agent.
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
import { podName } from '../src/executor/kubernetes/pod-name.ts';
import { openPodTable } from '../src/executor/kubernetes/pod-table.ts';
import { createSight } from '../src/executor/kubernetes/sight.ts';
import { allAtOnce, Attempts, oneByOne } from './attempts.ts';
import { percentile, round, timed, type BenchOptions } from './measure.ts';

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
    const api = createApi(asGiven);
    const ends = watchEnds(api, namespace.name);
    const bare = openBare(api, namespace.name, ends);
    const reports: number[] = [];
    const ours = async (): Promise<void> => {
      let id = '';
      reports.push(await timed(async () => void (id = await attempts.run(harbour))));
      await ends.of(podName(harbour.instance, id));
    };
    const [one, many] = smoke ? [2, 4] : [20, 100];
    // The first pod of an image waits for more than the others.
    await bare();
    await ours();
    reports.length = 0;
    const each = await oneByOne(one, ours, bare);
    say({ workload: 'pod', pods: one, report_ms_p50: round(percentile(reports, 0.5)), ...each });
    const bareMs = await allAtOnce(many, bare);
    const before = process.memoryUsage().rss;
    reports.length = 0;
    const oursMs = await allAtOnce(many, ours);
    say({
      workload: 'pods-at-once',
      pods: many,
      report_ms: round(Math.max(...reports)),
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
    ends.close();
  } finally {
    await Promise.all([harbour.close(), counted.close()]);
    await proxy.close();
    await namespace.remove();
  }
}

interface Ends {
  /** Resolves when the pod is seen to have ended, or to be gone after it was there. */
  of(name: string): Promise<void>;
  close(): void;
}

function watchEnds(api: Api, namespace: string): Ends {
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const endOf = (name: string): PromiseWithResolvers<void> => {
    const end = ends.get(name) ?? Promise.withResolvers<void>();
    ends.set(name, end);
    return end;
  };
  const table = openPodTable({
    api,
    namespace,
    selector: '',
    clock: { now: Date.now },
    sight: createSight(),
    changed: (name, view) => (view === null || view.phase === 'Succeeded' ? endOf(name).resolve() : undefined),
    listed: () => undefined,
    trouble: (error) => console.error(String(error)),
  });
  return { of: (name) => endOf(name).promise, close: () => table.close() };
}

/** Each is made, seen to have succeeded, and removed. */
function openBare(api: Api, namespace: string, ends: Ends): () => Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  let made = 0;
  return async () => {
    const name = `bare-${(made += 1)}`;
    const container = { name: 'main', image: runnerImage, imagePullPolicy: 'Never', command: ['true'] };
    const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, containers: [container] };
    const pod: V1Pod = { metadata: { name }, spec };
    await api.request('POST', path, { body: pod });
    await ends.of(name);
    void api.request('DELETE', `${path}/${name}`).catch(() => undefined);
  };
}
