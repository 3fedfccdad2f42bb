/** Many pods of one server at the same time: what they take of its memory, and what it asks of the cluster. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Begun } from '../../../src/executor/agent/contract.ts';
import { createLink, type Link } from '../../../src/executor/agent/link.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { until } from '../workshop.ts';
import { startClusterWithRunner } from './fake-runner.ts';
import type { Standing, Word } from './server-in-small.ts';

interface Server {
  start(count: number): void;
  standing(): Promise<Standing>;
}

/** Pods wait for a node for good: their agents are played here. */
async function withServer(body: (server: Server, fake: FakeKubernetes) => Promise<void>): Promise<void> {
  const fake = await startClusterWithRunner();
  fake.scheduling.hold();
  const child = fork(join(import.meta.dirname, 'server-in-small.ts'), [fake.kubeconfig], { execArgv: ['--expose-gc'] });
  const send = (word: Word): boolean => child.send(word);
  try {
    await once(child, 'message');
    await body(
      {
        start: (count) => void send({ type: 'start', count }),
        async standing() {
          send({ type: 'ask' });
          const [standing] = (await once(child, 'message')) as [Standing];
          return standing;
        },
      },
      fake,
    );
    send({ type: 'end' });
    await once(child, 'exit');
  } finally {
    child.kill('SIGKILL');
    await fake.close();
  }
}

/** The agent of a pod, which has begun and says from time to time that it is there. */
interface Played {
  end(): Promise<void>;
}

async function begin({ spec }: Pod): Promise<Played> {
  const { env = [] } = spec.containers[0] ?? {};
  const valueOf = (name: string): string => env.find((each) => each.name === name)?.value ?? '';
  const link = createLink({
    url: valueOf('CONTENDER_AGENT_URL'),
    token: valueOf('CONTENDER_AGENT_TOKEN'),
    say: () => undefined,
  });
  const agent = randomBytes(32).toString('base64url');
  const begun: Begun = await link.json('POST', 'begin', { agent, place: null });
  link.use(begun.token);
  void keepAlive(link);
  return {
    async end() {
      const lines = Array.from({ length: 10 }, (_, at) => ({ at, stream: 'out', text: `line ${at}` }));
      await link.json('POST', 'log', { from: 1, lines, closed: true });
      const outcome = { kind: 'succeeded', output: { inline: null }, control: null };
      await link.json('POST', 'result', { type: 'attempt', outcome, usage: null });
      link.close();
    },
  };
}

async function keepAlive(link: Link): Promise<void> {
  try {
    for (;;) await link.json('POST', 'alive', { stop: null });
  } catch {
    // It has ended.
  }
}

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

function chunksOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

test('two thousand pods at once take little memory and few requests, and each ends once', async () => {
  await withServer(async (server, fake) => {
    const parallel = watchParallel(fake);
    const played: Played[] = [];
    const begun = new Set<string>();
    let [before, bytesBefore] = [0, 0];
    // The first is for all that is loaded with it.
    for (const count of [10, 500, 2000]) {
      server.start(count - played.length);
      await until(`${count} pods`, () => fake.pods().length === count);
      const fresh = fake.pods().filter(({ metadata }) => !begun.has(metadata.name));
      for (const { metadata } of fresh) begun.add(metadata.name);
      for (const some of chunksOf(fresh, 50)) played.push(...(await Promise.all(some.map(begin))));
      const { bytes } = await until('all of them to run', async () => {
        const standing = await server.standing();
        return standing.running === count ? standing : null;
      });
      const each = (bytes - bytesBefore) / (count - before);
      if (before > 0) assert.ok(each < 128 * 1024, `${each} bytes for each of ${count}`);
      [before, bytesBefore] = [count, bytes];
    }
    for (const some of chunksOf(played, 50)) await Promise.all(some.map((one) => one.end()));
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
