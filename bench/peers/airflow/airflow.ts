/** Apache Airflow as a whole: API server, scheduler with the LocalExecutor, DAG processor and triggerer, PostgreSQL. */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, runSql } from '../../../test/support/postgres.ts';
import type { Ground } from '../../ground.ts';
import { nameOf, type Subject, type Workload } from '../../subject.ts';
import { minuteMs, slowWorkloads, type Peer } from '../peer.ts';
import { until } from '../until.ts';
import { environmentOf } from './environment.ts';

export const airflow: Peer = {
  name: 'airflow',
  registry: 'PyPI',
  packages: { 'apache-airflow': '3.3.2', 'psycopg2-binary': '2.9.13', asyncpg: '0.32.0' },
  ways: [
    {
      how: 'a process a step (LocalExecutor, parallelism 8), PostgreSQL; the whole system',
      workloads: slowWorkloads,
      triggers: 5,
      repetitions: 1,
      timeLimitMs: 15 * minuteMs,
      open,
    },
  ],
};

const often = { everyMs: 50, patienceMs: 10 * minuteMs };

async function open(ground: Ground, installed: string, workloads: readonly Workload[]): Promise<Subject> {
  const database = await ground.postgres();
  const port = await freePort();
  const clock = join(ground.folder, 'clock');
  const environment = await environmentOf({ ground, installed, database, port, clock, workloads });
  const airflow = join(installed, 'bin', 'airflow');
  const migration = ground.start({ program: airflow, arguments: ['db', 'migrate'], environment });
  const [status] = await once(migration, 'exit');
  if (status !== 0) throw new Error(`airflow db migrate ended with ${status}: ${ground.log()}`);
  ground.start({ program: airflow, arguments: ['standalone'], environment });
  const api = `http://127.0.0.1:${port}`;
  await until('every DAG and a healthy scheduler', () => ready(api, database, workloads), {
    everyMs: 1000,
    patienceMs: 5 * minuteMs,
  });
  const token = await tokenOf(api);
  return {
    roots: ground.roots,
    async run(workload) {
      const startedAt = Date.now();
      const count = workload.shape === 'burst' ? workload.runs : 1;
      const trigger = (): Promise<string> => triggerRun(api, token, nameOf(workload));
      const ids = await Promise.all(Array.from({ length: count }, trigger));
      const states = await until(`the end of ${nameOf(workload)}`, () => finalStates(database, ids), often);
      if (states.some((state) => state !== 'success')) throw new Error(`${nameOf(workload)}: ${states.join(', ')}`);
      const endedAt = workload.shape === 'trigger' ? Number(readFileSync(clock, 'utf8')) : Date.now();
      return endedAt - startedAt;
    },
  };
}

async function ready(api: string, database: string, workloads: readonly Workload[]): Promise<true | null> {
  const health = await (await fetch(`${api}/api/v2/monitor/health`)).text();
  if (/"unhealthy"/.test(health)) return null;
  const names = workloads.map(nameOf);
  const known = await runSql(database, 'select dag_id from dag where dag_id = any($1) and not is_stale', [names]);
  return known.length === names.length ? true : null;
}

async function tokenOf(api: string): Promise<string> {
  return textOf(await fetch(`${api}/auth/token`), 'access_token');
}

async function triggerRun(api: string, token: string, dag: string): Promise<string> {
  const answer = await fetch(`${api}/api/v2/dags/${dag}/dagRuns`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ logical_date: null }),
  });
  return textOf(answer, 'dag_run_id');
}

async function textOf(answer: Response, field: string): Promise<string> {
  const body: unknown = await answer.json();
  const text =
    typeof body === 'object' && body !== null ? Object.entries(body).find(([name]) => name === field)?.[1] : null;
  if (typeof text !== 'string') throw new Error(`Airflow answered ${answer.status}: ${JSON.stringify(body)}`);
  return text;
}

/** Null until all have ended. */
async function finalStates(database: string, ids: readonly string[]): Promise<readonly string[] | null> {
  const ended = "select state from dag_run where run_id = any($1) and state in ('success', 'failed')";
  const states = (await runSql<{ state: string }>(database, ended, [[...ids]])).map(({ state }) => state);
  return states.length === ids.length ? states : null;
}
