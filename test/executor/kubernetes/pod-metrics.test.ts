/** The memory of containers as a cluster measures it: the most that was seen, and no question where nobody waits for it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ApiError, type Api } from '../../../src/executor/kubernetes/api.ts';
import { createPodMetrics, type PodMetrics } from '../../../src/executor/kubernetes/pod-metrics.ts';
import { amountOf } from '../../../src/std/quantity.ts';
import { until } from '../workshop.ts';

interface Measured {
  readonly metrics: PodMetrics;
  readonly asked: string[];
}

function measured(t: TestContext, answer: (question: number) => object): Measured {
  const asked: string[] = [];
  const api: Pick<Api, 'request'> = {
    async request(method, path, options) {
      asked.push(`${method} ${path} ${JSON.stringify(options?.query)}`);
      return answer(asked.length) as never;
    },
  };
  const metrics = createPodMetrics({ api, namespace: 'training', selector: 'a=b', lookMs: 5 });
  t.after(() => metrics.close());
  return { metrics, asked };
}

const pod = (name: string, memory: string): object => ({
  metadata: { name },
  containers: [
    { name: 'contender', usage: { cpu: '1m', memory: '900Gi' } },
    { name: 'main', usage: { cpu: '250m', memory } },
  ],
});

test('the most that was seen of a container is known until it is forgotten, and nobody is asked before or after', async (t) => {
  const { metrics, asked } = measured(t, (question) => ({
    items: [pod('one', `${[100, 300, 200][question % 3] ?? 0}Mi`), pod('other', '1Gi')],
  }));
  assert.deepEqual([asked.length, metrics.most('one')], [0, null]);
  metrics.watch('one');
  await until('three looks', () => asked.length > 3 || undefined);
  metrics.watch('one');
  assert.equal(metrics.most('one'), 300 * 1024 ** 2);
  assert.equal(metrics.most('other'), null);
  assert.equal(asked[0], 'GET /apis/metrics.k8s.io/v1beta1/namespaces/training/pods {"labelSelector":"a=b"}');
  metrics.forget('one');
  assert.equal(metrics.most('one'), null);
  const before = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(asked.length <= before + 1, 'one look may have been under way');
});

test('a cluster that measures nothing is not asked again and again; one that does not answer is', async (t) => {
  const absent = measured(t, () => {
    throw new ApiError('the server could not find the requested resource', 404, 'NotFound', null);
  });
  const busy = measured(t, (question) => {
    if (question < 3) throw new ApiError('slow down', 429, 'TooManyRequests', null);
    return { items: [pod('one', '5Mi'), 'nonsense', { metadata: {}, containers: [] }] };
  });
  absent.metrics.watch('one');
  busy.metrics.watch('one');
  await until('an answer', () => busy.metrics.most('one') ?? undefined);
  assert.equal(busy.metrics.most('one'), 5 * 1024 ** 2);
  assert.deepEqual([absent.asked.length, absent.metrics.most('one')], [1, null]);
});

test('amounts are read as Kubernetes writes them', () => {
  const read = ['2Gi', '500m', '1e3', '128974848', '129M', '1n', 'lots', ''].map(amountOf);
  assert.deepEqual(read, [2 ** 31, 0.5, 1000, 128974848, 129e6, 1e-9, NaN, NaN]);
});
