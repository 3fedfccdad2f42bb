/** A server with a clock of its own at a fake cluster, for tests of what clusters do to pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome } from '../../../src/engine/event.ts';
import type { AttemptWork } from '../../../src/executor/executor.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import { startHoldingProxy, type HoldingProxy } from '../../support/holding-proxy.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour, type Harbour, type HarbourOptions } from './harbour.ts';

export interface Given {
  readonly fake: FakeKubernetes;
  readonly harbour: Harbour;
  /** The clock of the server goes on by so much, which sees all that there is to see meanwhile. */
  readonly pass: (ms: number) => Promise<void>;
  /** The same, while nothing is to be seen. */
  readonly passUnseen: (ms: number) => void;
  /** The same, in one leap: the server was held up. */
  readonly leap: (ms: number) => void;
}

/** No pod is left at the end. */
export function check(
  title: string,
  body: (given: Given) => Promise<void>,
  changes: Partial<Omit<HarbourOptions, 'clock'>> = {},
): void {
  test(title, async () => {
    const fake = await startClusterWithRunner();
    const time = createTime(fake);
    const harbour = await openHarbour({ ...settingsFor(fake), ...changes, ...time });
    try {
      await body({ fake, harbour, ...time });
      await until('the end of all pods', () => fake.pods().length === 0 || undefined);
    } finally {
      await harbour.close();
      await fake.close();
    }
  });
}

/** Short enough that a server in which nothing else goes on is not held up. */
const stepMs = 3000;
/** How often a watch tells something. */
const wordMs = 60_000;

/** The clock of a server, and the timer that has it look around. */
export function createTime(
  fake: FakeKubernetes,
): Pick<Given, 'pass' | 'passUnseen' | 'leap'> & Pick<HarbourOptions, 'clock' | 'every'> {
  let offset = 0;
  let look = (): void => undefined;
  const step = (ms: number): void => {
    for (let left = ms; left > 0; left -= stepMs) {
      offset += Math.min(stepMs, left);
      look();
    }
  };
  /** By a new list and watch, where there is a watch. */
  const tell = async (): Promise<void> => {
    const isWatch = ({ verb }: { readonly verb: string }): boolean => verb === 'watch';
    if (![...fake.streams].some(({ request }) => isWatch(request))) return;
    const watches = fake.count('watch', 'pods');
    fake.cutStreams('end', isWatch);
    await until('the next watch', () => fake.count('watch', 'pods') > watches);
  };
  return {
    clock: { now: () => Date.now() + offset },
    every(ms, tick) {
      look = tick;
      const timer = setInterval(tick, ms);
      return () => clearInterval(timer);
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= wordMs) {
        step(Math.min(wordMs, left));
        await tell();
      }
    },
    passUnseen: step,
    leap: (ms) => void (offset += ms),
  };
}

export interface Held extends Given {
  readonly proxy: HoldingProxy;
}

/** With a proxy before the server for agents that holds such requests. */
export function checkHeld(title: string, holds: (line: string) => boolean, body: (given: Held) => Promise<void>): void {
  let proxy: HoldingProxy | null = null;
  const behind = async (port: number): Promise<number> => (proxy = await startHoldingProxy(port, holds)).port;
  check(
    title,
    async (given) => {
      assert.ok(proxy);
      try {
        await body({ ...given, proxy });
      } finally {
        proxy.release();
        proxy.close();
      }
    },
    { listen: { host: '127.0.0.1', seenAs: '127.0.0.1', behind } },
  );
}

export const said = (outcome: AttemptOutcome): string =>
  outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : outcome.kind;

export async function running({ fake, harbour }: Given): Promise<{ readonly id: string; readonly pod: Pod }> {
  const spec = specOf(shell('echo begun; sleep 600'));
  await harbour.executor.start(spec);
  await until('its work', async () => (await harbour.log(spec.attemptId)).includes('begun') || undefined);
  const [pod] = fake.pods();
  assert.ok(pod);
  return { id: spec.attemptId, pod };
}

/**
 * A shell in an image that knows nothing of Contender, with a helper beside it. Paths are those of the container. The fake
 * has no probes, so it waits for its helper itself.
 */
export function container(script: string): AttemptWork {
  return {
    kind: 'container',
    image: 'busybox:local',
    command: ['sh', '-c', `until [ -e /contender/ready ]; do sleep 0.02; done; ${script}`],
    args: [],
    environment: {},
    resources: { requests: {}, limits: {} },
    localCommand: null,
  };
}

/** Its container has ended, as the cluster shows it. */
export function untilMainEnded(fake: FakeKubernetes): Promise<unknown> {
  return until('the end of its container', () =>
    fake.pods()[0]?.status.containerStatuses?.some(({ name, state }) => name === 'main' && state?.terminated),
  );
}
