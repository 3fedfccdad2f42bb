/** DBOS: a workflow is a function of the process, each of its steps a row of PostgreSQL when it is done. */
import type { Ground } from '../../ground.ts';
import type { Subject } from '../../subject.ts';
import { openNodeProgram } from '../node-program.ts';
import { minuteMs, wholeWorkloads, type Peer } from '../peer.ts';

export const dbos: Peer = {
  name: 'dbos',
  registry: 'npm',
  packages: { '@dbos-inc/dbos-sdk': '5.3.0' },
  ways: [
    {
      how: 'functions in process, PostgreSQL, a fan in batches of eight, a burst at once',
      workloads: wholeWorkloads,
      triggers: 20,
      repetitions: 3,
      timeLimitMs: 5 * minuteMs,
      open,
    },
  ],
};

async function open(ground: Ground, installed: string): Promise<Subject> {
  const url = await ground.postgres();
  return openNodeProgram(ground, import.meta.dirname, installed, [url]);
}
