/** Airflow's settings, as it takes them from the environment. */
import { join } from 'node:path';
import { freePort } from '../../../test/support/postgres.ts';
import type { Ground } from '../../ground.ts';
import { nameOf, type Workload } from '../../subject.ts';

export interface Place {
  readonly ground: Ground;
  readonly installed: string;
  readonly database: string;
  readonly port: number;
  /** The file in which the step of a trigger says when it began. */
  readonly clock: string;
  readonly workloads: readonly Workload[];
}

export async function environmentOf(place: Place): Promise<Readonly<Record<string, string>>> {
  const { ground, installed, port, clock, workloads } = place;
  const database = new URL(place.database);
  database.protocol = 'postgresql+psycopg2:';
  const [workerLogPort, triggerLogPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  return {
    AIRFLOW_HOME: ground.folder,
    AIRFLOW__CORE__DAGS_FOLDER: join(import.meta.dirname, 'dags'),
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__CORE__EXECUTOR: 'LocalExecutor',
    AIRFLOW__CORE__PARALLELISM: '8',
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'False',
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `${url}/execution/`,
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS: 'True',
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: database.href,
    AIRFLOW__API__HOST: '127.0.0.1',
    AIRFLOW__API__PORT: String(port),
    AIRFLOW__API__BASE_URL: url,
    AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT: String(workerLogPort),
    AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT: String(triggerLogPort),
    AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK: 'False',
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED: 'False',
    BENCH_WORKLOADS: JSON.stringify(workloads.map((workload) => ({ ...workload, name: nameOf(workload) }))),
    BENCH_CLOCK: clock,
    NO_PROXY: '127.0.0.1,localhost',
    PATH: `${join(installed, 'bin')}:${process.env['PATH'] ?? ''}`,
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
