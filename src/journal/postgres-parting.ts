/** The end of a connection whose other side may say nothing any more, so that it never comes. */
import { Socket } from 'node:net';
import type { Client, PoolClient } from 'pg';

/** It is not waited for, and the process ends without it. */
export function part(client: Pick<Client | PoolClient, 'connection'>): void {
  const { stream } = client.connection;
  if (stream instanceof Socket) stream.unref();
}
