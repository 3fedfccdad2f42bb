/** `contender backfill cancel`: told to the server of the folder where there is one, else kept in the journal for the next. */
import { cancelBackfill as keepCancel } from '../conductor/backfills/backfills.ts';
import { loadConfig } from '../config/config.ts';
import type { BackfillProgress } from '../journal/journal.ts';
import { openSqliteBeside } from '../journal/sqlite-reader.ts';
import { ProblemError } from '../std/problem.ts';
import { actorName } from './actor.ts';
import { findBackfill } from './backfills.ts';
import { commandHelps } from './command-helps.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { withReading } from './reading.ts';
import { readServerAddress } from './server-address.ts';
import { connectServer } from './server-client.ts';

export function cancelBackfill(directory: string, name: string): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  return withReading(directory, async ({ journal }) => {
    const row = await findBackfill(journal, name);
    if (row.state !== 'running') throw ended(row);
    const url = await readServerAddress(config.stateDirectory);
    if (url !== null) {
      await (await connectServer(config, url)).cancelBackfill(row.id, actorName());
      process.stdout.write(`Asked the server at ${url} to cancel the backfill ${row.id}.\n`);
      return exitStatus.success;
    }
    const beside = config.store.kind === 'sqlite' ? await openSqliteBeside({ directory: config.stateDirectory }) : null;
    try {
      if ((await keepCancel(beside ?? journal, row.id, actorName(), Date.now())) === 'ended') throw ended(row);
    } finally {
      await beside?.close();
    }
    process.stdout.write(`The backfill ${row.id} is cancelled; whoever carries it on ends its runs within seconds.\n`);
    return exitStatus.success;
  });
}

function ended({ id, state }: BackfillProgress): ProblemError {
  return new ProblemError({
    code: 'backfill-ended',
    message: `the backfill ${id} ${state === 'running' ? 'has just ended' : `is ${state} already`}`,
    where: null,
    help: commandHelps['backfill-ended'],
  });
}
