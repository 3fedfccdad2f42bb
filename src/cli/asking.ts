/**
 * Asks something of a run: the server beside this command where there is one, else by a row in the journal, which whoever
 * carries the run out looks for. Either way it is kept when this ends.
 */
import { askIn } from '../conductor/requests.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { createIds } from '../ids.ts';
import type { Journal, RunRow } from '../journal/journal.ts';
import { openSqliteBeside } from '../journal/sqlite-reader.ts';
import type { ProblemCode } from '../std/problem-codes.ts';
import { ProblemError } from '../std/problem.ts';
import { unreachable } from '../std/unreachable.ts';
import { commandHelps } from './command-helps.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { findRun, withReading } from './reading.ts';
import { readServerAddress } from './server-address.ts';
import { connectServer, type AskedOfRun } from './server-client.ts';

export function ask(directory: string, name: string, request: AskedOfRun): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  return withReading(directory, async ({ journal }) => {
    const row = await findRun(journal, name);
    if (row.finishedAt !== null) throw notAsked(row, `it ended already: ${row.state}`);
    const url = await readServerAddress(config.stateDirectory);
    if (url === null) await askInJournal(config, journal, row, request);
    else await (await connectServer(config, url)).ask(row.id, request);
    const taker =
      url === null
        ? 'It stands in the journal: whoever carries the run out takes it in within seconds, else the next server that starts here.'
        : `The server at ${url} takes it in.`;
    process.stdout.write(`Asked to ${wordsOf(request, row)}. ${taker}\n`);
    return exitStatus.success;
  });
}

async function askInJournal(config: Config, reading: Journal, row: RunRow, request: AskedOfRun): Promise<void> {
  const clock = { now: Date.now };
  const beside = config.store.kind === 'sqlite' ? await openSqliteBeside({ directory: config.stateDirectory }) : null;
  try {
    const asked = { id: createIds(clock)(), runId: row.id, request, at: clock.now() };
    const result = await askIn(beside ?? reading, asked);
    if (result.ok) return;
    const { kind, message } = result.error;
    throw notAsked(row, message, kind === 'step-unknown' ? kind : 'run-not-asked');
  } finally {
    await beside?.close();
  }
}

function wordsOf(request: AskedOfRun, row: RunRow): string {
  const run = nameOf(row);
  switch (request.type) {
    case 'cancel':
      return row.state === 'cancelling' ? `end the finally-steps of ${run}` : `cancel ${run}`;
    case 'decide':
      return `${request.decision} ${request.step} of ${run}`;
    default:
      return unreachable(request);
  }
}

function nameOf({ opened, number }: RunRow): string {
  return `${opened.pipeline}#${number}`;
}

function notAsked(row: RunRow, why: string, code: ProblemCode = 'run-not-asked'): ProblemError {
  return new ProblemError({
    code,
    message: `${nameOf(row)}: ${why}`,
    where: null,
    help: commandHelps['run-not-asked'],
  });
}
