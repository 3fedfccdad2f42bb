/** `contender event`: told to the server of the folder where there is one, else kept in the journal for the next. */
import { tellData, type Telling } from '../conductor/runs/told.ts';
import { loadConfig } from '../config/config.ts';
import { createIds } from '../ids.ts';
import type { DataEventRow } from '../journal/journal.ts';
import { openSqliteBeside } from '../journal/sqlite-reader.ts';
import { actorName } from './actor.ts';
import { eventLine } from './events.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { withReading } from './reading.ts';
import { readServerAddress } from './server-address.ts';
import { connectServer } from './server-client.ts';

export interface EventOptions {
  readonly dataset: string;
  readonly digest: string | null;
  readonly evenIfSame: boolean;
  /** Milliseconds; null: now. */
  readonly at: number | null;
  readonly json: boolean;
}

export function event(directory: string, options: EventOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  const { dataset, digest, evenIfSame, json } = options;
  const clock = { now: Date.now };
  const at = options.at ?? clock.now();
  const telling: Telling = { id: createIds(clock)(), dataset, digest, evenIfSame, by: actorName(), at };
  return withReading(directory, async ({ journal }) => {
    const url = await readServerAddress(config.stateDirectory);
    if (url !== null) {
      const told = await (await connectServer(config, url)).tellData(telling);
      say(told, `The server at ${url} takes it from here.`, json);
      return exitStatus.success;
    }
    const beside = config.store.kind === 'sqlite' ? await openSqliteBeside({ directory: config.stateDirectory }) : null;
    try {
      const told = await tellData(beside ?? journal, telling, clock.now());
      // Of several servers the one that conducts looks sooner.
      journal.hint('events');
      say(told, 'It stands in the journal: the server that watches, or the next one, takes it from there.', json);
    } finally {
      await beside?.close();
    }
    return exitStatus.success;
  });
}

function say(told: Pick<DataEventRow, 'dataset' | 'digest' | 'at' | 'state'>, taker: string, json: boolean): void {
  if (json) return void process.stdout.write(`${JSON.stringify(told)}\n`);
  const after = told.state === 'same' ? 'Its digest is that of the news before, so nothing starts.' : taker;
  process.stdout.write(
    `${eventLine({ ...told, runId: null, toldBy: null, reason: null }, process.stdout)}\n${after}\n`,
  );
}
