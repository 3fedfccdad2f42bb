/** graphile-worker: jobs of one queue in PostgreSQL; what a step is after is up to its job, which adds the next one. */
import { join } from 'node:path';
import type { Ground } from '../../ground.ts';
import type { Subject } from '../../subject.ts';
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
  const program = await ground.compile(join(import.meta.dirname, 'program.ts'), join(installed, 'node_modules'));
  const conversation = await ground.converse({ program: process.execPath, arguments: [program, url, manner] });
  return { roots: ground.roots, run: (workload) => conversation.ask(workload) };
}
