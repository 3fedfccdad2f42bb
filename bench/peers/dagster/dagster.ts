/** Dagster: jobs run by its library, each event of a step in PostgreSQL; steps one after the other, or a process each. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ground } from '../../ground.ts';
import type { Subject, Workload } from '../../subject.ts';
import { pythonOf } from '../install.ts';
import { middleWorkloads, minuteMs, slowWorkloads, type Peer } from '../peer.ts';

type Executor = 'in_process' | 'multiprocess';

export const dagster: Peer = {
  name: 'dagster',
  registry: 'PyPI',
  packages: { dagster: '1.13.27', 'dagster-postgres': '0.29.27', 'psycopg2-binary': '2.9.13' },
  ways: [
    {
      how: 'functions in process, one after the other, PostgreSQL; the library alone, triggered in process',
      workloads: middleWorkloads,
      triggers: 20,
      repetitions: 1,
      timeLimitMs: 8 * minuteMs,
      open: (ground, installed, workloads) => open(ground, installed, workloads, 'in_process'),
    },
    {
      how: 'a process a step (8 at once), PostgreSQL; the library alone, runs of a burst one after the other',
      workloads: slowWorkloads,
      triggers: 3,
      repetitions: 1,
      timeLimitMs: 10 * minuteMs,
      open: (ground, installed, workloads) => open(ground, installed, workloads, 'multiprocess'),
    },
  ],
};

async function open(
  ground: Ground,
  installed: string,
  workloads: readonly Workload[],
  executor: Executor,
): Promise<Subject> {
  const database = new URL(await ground.postgres());
  database.protocol = 'postgresql+psycopg2:';
  writeFileSync(
    join(ground.folder, 'dagster.yaml'),
    `telemetry: { enabled: false }\nstorage: { postgres: { postgres_url: '${database.href}' } }\n`,
  );
  const environment = {
    DAGSTER_HOME: ground.folder,
    BENCH_WORKLOADS: JSON.stringify(workloads),
    BENCH_EXECUTOR: executor,
    BENCH_CLOCK: join(ground.folder, 'clock'),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONPATH: `${import.meta.dirname}:${join(import.meta.dirname, '..')}`,
  };
  const program = join(import.meta.dirname, 'program.py');
  const conversation = await ground.converse({ program: pythonOf(installed), arguments: [program], environment });
  return { roots: ground.roots, run: (workload) => conversation.ask(workload) };
}
