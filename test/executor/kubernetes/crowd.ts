/** A server in small with many pods that wait for a node for good: their agents are played here. */
import { randomBytes } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Begun } from '../../../src/executor/agent/contract.ts';
import { createLink, type Link } from '../../../src/executor/agent/link.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { until } from '../workshop.ts';
import { startClusterWithRunner } from './fake-runner.ts';
import type { Standing, Word } from './server-in-small.ts';

export interface Server {
  start(count: number): void;
  standing(): Promise<Standing>;
}

export async function withServer(body: (server: Server, fake: FakeKubernetes) => Promise<void>): Promise<void> {
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

export async function begin({ spec }: Pod): Promise<Played> {
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

function chunksOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** The agents of all pods of a cluster, fifty at work at once. */
export interface Cast {
  /** Starts so many attempts in all; resolves when each has a pod, whose agent has begun, with how the server stands then. */
  bringTo(count: number): Promise<Standing>;
  /** Each ends well. */
  end(): Promise<void>;
}

export function castFor(server: Server, fake: FakeKubernetes): Cast {
  const played: Played[] = [];
  const begun = new Set<string>();
  return {
    async bringTo(count) {
      server.start(count - played.length);
      await until(`${count} pods`, () => fake.pods().length === count);
      const fresh = fake.pods().filter(({ metadata }) => !begun.has(metadata.name));
      for (const { metadata } of fresh) begun.add(metadata.name);
      for (const some of chunksOf(fresh, 50)) played.push(...(await Promise.all(some.map(begin))));
      return until('all of them to run', async () => {
        const standing = await server.standing();
        return standing.running === count ? standing : null;
      });
    },
    async end() {
      for (const some of chunksOf(played, 50)) await Promise.all(some.map((one) => one.end()));
    },
  };
}
