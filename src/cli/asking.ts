/**
 * Asks something of a run: the server beside this command where there is one, else by a row in the journal, which whoever
 * carries the run out looks for. Either way it is kept when this ends.
 */
import { askOf } from '../conductor/requests.ts';
import { loadConfig, type Config } from '../config.ts';
import type { RunRequest } from '../engine/request.ts';
import { createIds } from '../ids.ts';
import type { Journal, RunRow } from '../journal/journal.ts';
import { openSqliteBeside } from '../journal/sqlite-reader.ts';
import { ProblemError } from '../std/problem.ts';
import { unreachable } from '../std/unreachable.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { findRun, withReading } from './reading.ts';
import { readServerAddress } from './server-address.ts';
import { connectServer, type ServerClient } from './server-client.ts';

export function ask(directory: string, name: string, request: RunRequest): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  return withReading(directory, async ({ journal }) => {
    const row = await findRun(journal, name);
    if (row.finishedAt !== null) throw ended(row, `is ${row.state} already`);
    const url = await readServerAddress(config.stateDirectory);
    if (url === null) await askInJournal(config, journal, row, request);
    else await askServer(await connectServer(config, url), row, request);
    const taker =
      url === null
        ? 'It stands in the journal: whoever carries the run out takes it in within seconds, else the next server that starts here.'
        : `The server at ${url} takes it in.`;
    process.stdout.write(`Asked to ${wordOf(request)} ${nameOf(row)}. ${taker}\n`);
    return exitStatus.success;
  });
}

async function askServer(server: ServerClient, row: RunRow, request: RunRequest): Promise<void> {
  switch (request.type) {
    case 'cancel':
      return server.cancelRun(row.id, request.by, request.reason);
    default:
      return unreachable(request.type);
  }
}

async function askInJournal(config: Config, reading: Journal, row: RunRow, request: RunRequest): Promise<void> {
  const clock = { now: Date.now };
  const asked = { id: createIds(clock)(), runId: row.id, request, at: clock.now() };
  const beside = config.store.kind === 'sqlite' ? await openSqliteBeside({ directory: config.stateDirectory }) : null;
  try {
    if ((await askOf(beside ?? reading, asked)) === 'ended') throw ended(row, 'has just ended');
  } finally {
    await beside?.close();
  }
}

function wordOf(request: RunRequest): string {
  return request.type;
}

function nameOf({ opened, number }: RunRow): string {
  return `${opened.pipeline}#${number}`;
}

function ended(row: RunRow, how: string): ProblemError {
  return new ProblemError({
    code: 'run-ended',
    message: `${nameOf(row)} ${how}`,
    where: null,
    help: '`contender runs --state running` lists the runs that go on.',
  });
}
