/** graphile-worker: jobs of one queue in PostgreSQL; what a step is after is up to its job, which adds the next one. */
import type { Ground } from '../../ground.ts';
import type { Subject } from '../../subject.ts';
import { openNodeProgram } from '../node-program.ts';
import { minuteMs, wholeWorkloads, type Peer } from '../peer.ts';

const common = { workloads: wholeWorkloads, triggers: 20, repetitions: 3, timeLimitMs: 5 * minuteMs };

export const graphileWorker: Peer = {
  name: 'graphile-worker',
  registry: 'npm',
  packages: { 'graphile-worker': '0.18.0', pg: '8.23.1' },
  ways: [
    {
      ...common,
      how: 'functions in process, PostgreSQL, a job at a time',
      open: (ground, installed) => open(ground, installed, 'plain'),
    },
    {
      ...common,
      how: 'functions in process, PostgreSQL, local queue and batched completion',
      open: (ground, installed) => open(ground, installed, 'batched'),
    },
  ],
};

async function open(ground: Ground, installed: string, manner: 'plain' | 'batched'): Promise<Subject> {
  const url = await ground.postgres();
  return openNodeProgram(ground, import.meta.dirname, installed, [url, manner]);
}
