/** Where things lie in a pod: the same for the server, which writes commands, and for who is in it. */
import { join } from 'node:path';

export const agentFolder = '/contender';

/** Below the folder that the container of a step and its helper share. */
export function placesIn(folder: string): {
  readonly source: string;
  readonly inputs: string;
  readonly scratch: string;
  readonly checkpoint: string;
  readonly outputs: string;
  readonly xcom: string;
  readonly ready: string;
  readonly agent: string;
} {
  return {
    source: join(folder, 'source'),
    inputs: join(folder, 'inputs'),
    scratch: join(folder, 'scratch'),
    checkpoint: join(folder, 'checkpoint'),
    outputs: join(folder, 'outputs.json'),
    xcom: join(folder, 'xcom'),
    /** Is there when the container may begin. */
    ready: join(folder, 'ready'),
    /** Who has begun it, for a helper that is started again. */
    agent: join(folder, 'agent'),
  };
}

/** A volume in memory: the only place of secrets. */
export const secretsFolder = '/contender-secrets';
