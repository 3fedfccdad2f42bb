/** Prefect: flows in a process of the user's, each state of a task told to a server that keeps it in PostgreSQL. */
import { join } from 'node:path';
import { freePort } from '../../../test/support/postgres.ts';
import type { Ground } from '../../ground.ts';
import type { Subject } from '../../subject.ts';
import { pythonOf } from '../install.ts';
import { middleWorkloads, minuteMs, type Peer } from '../peer.ts';
import { until } from '../until.ts';

export const prefect: Peer = {
  name: 'prefect',
  registry: 'PyPI',
  packages: { prefect: '3.9.1' },
  ways: [
    {
      how: 'functions in process (8 threads), server with PostgreSQL; triggered in process',
      workloads: middleWorkloads,
      triggers: 20,
      repetitions: 1,
      timeLimitMs: 8 * minuteMs,
      open,
    },
  ],
};

async function open(ground: Ground, installed: string): Promise<Subject> {
  const port = await freePort();
  const database = new URL(await ground.postgres());
  database.protocol = 'postgresql+asyncpg:';
  const environment = {
    PREFECT_HOME: ground.folder,
    PREFECT_API_URL: `http://127.0.0.1:${port}/api`,
    PREFECT_API_DATABASE_CONNECTION_URL: database.href,
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    PREFECT_LOGGING_LEVEL: 'WARNING',
    PREFECT_SERVER_LOGGING_LEVEL: 'WARNING',
    PREFECT_CLI_PROMPT: 'false',
    DO_NOT_TRACK: '1',
    NO_PROXY: '127.0.0.1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONPATH: join(import.meta.dirname, '..'),
  };
  const server = ['server', 'start', '--host', '127.0.0.1', '--port', String(port)];
  ground.start({ program: join(installed, 'bin', 'prefect'), arguments: server, environment });
  await until(
    "Prefect's server",
    async () => ((await fetch(`${environment.PREFECT_API_URL}/health`)).ok ? true : null),
    {
      everyMs: 200,
      patienceMs: 3 * minuteMs,
    },
  );
  const program = join(import.meta.dirname, 'program.py');
  const conversation = await ground.converse({ program: pythonOf(installed), arguments: [program], environment });
  return { roots: ground.roots, run: (workload) => conversation.ask(workload) };
}
