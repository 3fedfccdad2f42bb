/** An agent that hangs in a pod that looks well: it is given up, and nothing is begun anew before its pod is gone. */
import assert from 'node:assert/strict';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import { lastLines } from '../../../src/executor/kubernetes/container-output.ts';
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { agentsOf } from '../../kubernetes/pod-processes.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor } from './fake-runner.ts';
import { check, container, running, said, type Given } from './under-faults.ts';

const lostMs = 60_000;

/** The process of the agent in the one pod that there is. */
function agentOf({ fake }: Given): number {
  const [agent] = agentsOf(fake.pods()[0]?.metadata.name ?? '');
  assert.ok(agent !== undefined);
  return agent;
}

const ends = ({ harbour }: Given, id: string): number =>
  harbour.reports.filter((word) => word.type === 'finished' && word.attemptId === id).length;

check(
  'an agent that hangs is lost after a while and not before, and its end is told when its pod is gone',
  async (given) => {
    const { fake, harbour, pass } = given;
    const { id } = await running(given);
    process.kill(agentOf(given), 'SIGSTOP');
    await pass(lostMs / 2);
    assert.equal(fake.count('delete', 'pods'), 0);
    const removal = Promise.withResolvers<void>();
    fake.faults.add(({ verb }) => verb === 'delete', { kind: 'wait', until: removal.promise });
    await pass(lostMs);
    await until('its removal', () => fake.count('delete', 'pods') > 0);
    await pass(lostMs);
    assert.equal(ends(given, id), 0, 'its pod is there');
    removal.resolve();
    const { outcome } = await harbour.finished(id);
    assert.match(
      said(outcome),
      /^lost: nothing was heard of its agent for 1 min 0 s, though its pod runs on node1: it hangs\. See whether .*`lostAfter`/,
    );
    assert.equal(fake.pods().length, 0);
    assert.equal(said(await harbour.run(shell('true'))), 'succeeded');
  },
  { lostMs },
);

check(
  'an agent that comes to itself while its pod is being removed ends its work, and what it says changes nothing',
  async (given) => {
    const { fake, harbour, pass } = given;
    const { id } = await running(given);
    const agent = agentOf(given);
    process.kill(agent, 'SIGSTOP');
    const removal = Promise.withResolvers<void>();
    fake.faults.add(({ verb }) => verb === 'delete', { kind: 'wait', until: removal.promise });
    await pass(2 * lostMs);
    await until('its removal', () => fake.count('delete', 'pods') > 0);
    process.kill(agent, 'SIGCONT');
    await until('its own end', () => fake.pods()[0]?.status.phase === 'Failed');
    assert.equal(ends(given, id), 0);
    removal.resolve();
    assert.match(said((await harbour.finished(id)).outcome), /^lost: nothing was heard/);
    assert.equal(ends(given, id), 1);
  },
  { lostMs },
);

check(
  'a server that was held up, or did not see its pods, gives up nobody for that time',
  async (given) => {
    const { fake, harbour, pass, leap } = given;
    const { id } = await running(given);
    const agent = agentOf(given);
    process.kill(agent, 'SIGSTOP');
    leap(10 * lostMs);
    await pass(lostMs / 2);
    await fake.leave();
    await until('the end of its watch', () => fake.streams.size === 0);
    await pass(10 * lostMs);
    await fake.comeBack();
    await until('the next watch', () => fake.streams.size > 0);
    await pass(lostMs / 4);
    assert.equal(fake.count('delete', 'pods'), 0);
    process.kill(agent, 'SIGCONT');
    await harbour.executor.stop(id, 'cancelled', 0);
    assert.match(said((await harbour.finished(id)).outcome), /^cancelled: /);
  },
  { lostMs, waitMs: 100 },
);

let isAway = false;
let way: TcpProxy | null = null;

check(
  'an agent that cannot reach its server says so where the cluster shows it, and goes on',
  async (given) => {
    const { fake, harbour, pass, leap } = given;
    // What the agent writes has the time of its own clock, which goes on by itself.
    leap(-20 * lostMs);
    const { id } = await running(given);
    isAway = true;
    for (const socket of way?.sockets ?? []) socket.destroy();
    const place = { namespace: 'default', pod: fake.pods()[0]?.metadata.name ?? '', container: 'main' };
    const api = createApi(settingsFor(fake).loadConfig);
    await until('its word', async () =>
      (await lastLines(api, place)).join('\n').includes('The server does not answer'),
    );
    const reads = fake.count('get', 'pods/log');
    await pass(4 * lostMs);
    await until('its log to be read', () => fake.count('get', 'pods/log') > reads);
    await pass(4 * lostMs);
    assert.equal(fake.count('delete', 'pods'), 0);
    isAway = false;
    await harbour.executor.stop(id, 'cancelled', 0);
    assert.match(said((await harbour.finished(id)).outcome), /^cancelled: /);
    way?.close();
  },
  {
    lostMs,
    listen: {
      host: '127.0.0.1',
      seenAs: '127.0.0.1',
      async behind(port) {
        way = await openTcpProxy('127.0.0.1', port, (from, to) => {
          if (isAway) from.destroy();
          from.pipe(to);
          to.pipe(from);
        });
        return way.port;
      },
    },
  },
);

check(
  'a container goes on while its helper hangs',
  async (given) => {
    const { harbour, pass } = given;
    const spec = specOf(container('echo begun; until [ -e /contender/scratch/go ]; do sleep 0.05; done; exit 3'), {
      timeoutMs: 3_600_000,
    });
    await harbour.executor.start(spec);
    await until('its work', async () => (await harbour.log(spec.attemptId)).includes('begun') || undefined);
    process.kill(agentOf(given), 'SIGSTOP');
    await pass(10 * lostMs);
    assert.equal(ends(given, spec.attemptId), 0);
    await harbour.executor.stop(spec.attemptId, 'cancelled', 0);
    assert.match(said((await harbour.finished(spec.attemptId)).outcome), /^cancelled: /);
  },
  { lostMs },
);
