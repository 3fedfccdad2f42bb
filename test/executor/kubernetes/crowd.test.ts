/** Many pods of one server at the same time: what they take of its memory, and what it asks of the cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import { until } from '../workshop.ts';
import { begin, castFor, withServer, type Server } from './crowd.ts';
import type { Standing } from './server-in-small.ts';

/** How many requests are in the hands of the cluster at once, each for a few milliseconds. */
function watchParallel(fake: FakeKubernetes): { most(): number } {
  let [now, most] = [0, 0];
  fake.faults.add(
    ({ verb }) => verb === 'create' || verb === 'delete' || verb === 'get',
    {
      kind: 'wait',
      get until() {
        now += 1;
        most = Math.max(most, now);
        return new Promise<void>((resolve) => setTimeout(resolve, 2)).then(() => void (now -= 1));
      },
    },
    Infinity,
  );
  return { most: () => most };
}

async function untilEnded(server: Server, count: number): Promise<Standing> {
  return until(`the end of ${count}`, async () => {
    const standing = await server.standing();
    return standing.ended.length >= count ? standing : null;
  });
}

test('two thousand pods at once take little memory and few requests, and each ends once', async () => {
  await withServer(async (server, fake) => {
    const parallel = watchParallel(fake);
    const cast = castFor(server, fake);
    let [before, bytesBefore] = [0, 0];
    // The first is for all that is loaded with it.
    for (const count of [10, 500, 2000]) {
      const { bytes } = await cast.bringTo(count);
      const each = (bytes - bytesBefore) / (count - before);
      if (before > 0) assert.ok(each < 128 * 1024, `${each} bytes for each of ${count}`);
      [before, bytesBefore] = [count, bytes];
    }
    await cast.end();
    const { ended, succeeded, troubles } = await untilEnded(server, 2000);
    assert.deepEqual([ended.length, new Set(ended).size, succeeded, troubles], [2000, 2000, 2000, []]);
    await until('the end of all pods', () => fake.pods().length === 0);
    assert.ok(parallel.most() <= 32 && parallel.most() > 8, `${parallel.most()} requests at once`);
    assert.deepEqual([fake.count('create'), fake.count('delete')], [2000, 2000]);
    assert.ok(fake.requests.length <= 4 * 2000, `${fake.requests.length} requests`);
  });
});

test('a quota holds pods back, and all of them come in the end, each once', async () => {
  await withServer(async (server, fake) => {
    fake.quota.set(20);
    server.start(200);
    let most = 0;
    const begun = new Set<string>();
    const ended = await until('the end of all', async () => {
      const pods = fake.pods();
      most = Math.max(most, pods.length);
      for (const pod of pods.filter(({ metadata }) => !begun.has(metadata.name))) {
        begun.add(pod.metadata.name);
        await (await begin(pod)).end();
      }
      const standing = await server.standing();
      return standing.ended.length >= 200 ? standing : null;
    });
    assert.deepEqual([ended.ended.length, new Set(ended.ended).size, ended.succeeded], [200, 200, 200]);
    await until('the end of all pods', () => fake.pods().length === 0);
    assert.ok(most <= 20);
    const creates = fake.count('create');
    assert.ok(creates > 200 && creates <= 200 * 3, `${creates} times it was asked for a pod`);
  });
});
