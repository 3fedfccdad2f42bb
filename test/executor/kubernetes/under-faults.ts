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
import { createTime, type ServerTime } from './server-time.ts';
import { openHarbour, type Harbour, type HarbourOptions } from './harbour.ts';

export interface Given extends Omit<ServerTime, 'clock' | 'every'> {
  readonly fake: FakeKubernetes;
  readonly harbour: Harbour;
}

/** No pod is left at the end. */
export function check(
  title: string,
  body: (given: Given) => Promise<void>,
  changes: Partial<Omit<HarbourOptions, 'clock'>> = {},
): void {
  test(title, async () => {
    const fake = await startClusterWithRunner();
    const time = createTime(() => tellOf(fake));
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

/** By a new list and watch, where there is a watch. */
export async function tellOf(fake: FakeKubernetes): Promise<void> {
  const isWatch = ({ verb }: { readonly verb: string }): boolean => verb === 'watch';
  if (![...fake.streams].some(({ request }) => isWatch(request))) return;
  const watches = fake.count('watch', 'pods');
  fake.cutStreams('end', isWatch);
  await until('the next watch', () => fake.count('watch', 'pods') > watches);
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
