/** BullMQ: flows of jobs in Redis, which writes each change to disk before it answers. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from '../../../test/support/postgres.ts';
import type { Ground } from '../../ground.ts';
import type { Subject } from '../../subject.ts';
import { openNodeProgram } from '../node-program.ts';
import { minuteMs, wholeWorkloads, type Peer } from '../peer.ts';
import { until } from '../until.ts';

export const bullmq: Peer = {
  name: 'bullmq',
  registry: 'npm',
  packages: { bullmq: '6.7.0', ioredis: '6.0.0' },
  ways: [
    {
      how: 'functions in process, Redis with appendfsync always',
      workloads: wholeWorkloads,
      triggers: 20,
      repetitions: 3,
      timeLimitMs: 5 * minuteMs,
      open,
    },
  ],
};

async function open(ground: Ground, installed: string): Promise<Subject> {
  const port = await startRedis(ground);
  return openNodeProgram(ground, import.meta.dirname, installed, [String(port)]);
}

/** Debian's `redis-server`, on a free port. */
async function startRedis(ground: Ground): Promise<number> {
  const port = await freePort();
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: ground.folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
  };
  const given = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  ground.start({ program: 'redis-server', arguments: given });
  await until(
    `redis-server (Debian: apt-get install redis-server): ${ground.log()}`,
    async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      return true;
    },
    { everyMs: 50, patienceMs: 15_000 },
  );
  return port;
}
