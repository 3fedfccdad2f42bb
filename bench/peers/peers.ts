/**
 * Who is compared. Temporal is not: its server is a binary that no package registry carries.
 */
import { airflow } from './airflow/airflow.ts';
import { bullmq } from './bullmq/bullmq.ts';
import { dagster } from './dagster/dagster.ts';
import { dbos } from './dbos/dbos.ts';
import { graphileWorker } from './graphile-worker/graphile-worker.ts';
import type { Peer } from './peer.ts';
import { prefect } from './prefect/prefect.ts';

/** The quick ones first. */
export const peers: readonly Peer[] = [graphileWorker, dbos, bullmq, prefect, dagster, airflow];

export const peerNames: readonly string[] = peers.map(({ name }) => name);
