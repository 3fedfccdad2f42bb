/**
 * A server that is killed: `append <folder>` opens the journal there and appends without end, `open <folder>` opens new
 * journals in numbered folders without end, `hold <folder>` only opens. Each acknowledgement is a line that is written
 * at once, so that whoever reads it knows that the promise was given.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { append, openRun, runId, scheduled, versionsWrite } from '../support/journal-values.ts';

const clock = { now: () => 5 };

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function appendForever(directory: string): Promise<never> {
  const journal = await openSqliteJournal({ directory, clock });
  if ((await journal.run(runId(1))) === null) await journal.commit([[versionsWrite, openRun(runId(1))]]);
  let position = (await journal.events(runId(1))).length;
  for (;;) {
    const [result] = await journal.commit([
      [append(runId(1), position, [scheduled('a', position), scheduled('b', position)])],
    ]);
    if (result?.ok !== true) throw new Error('the only writer has a conflict');
    position += 2;
    say(String(position));
  }
}

async function openForever(directory: string): Promise<never> {
  for (let number = 0; ; number += 1) {
    const journal = await openSqliteJournal({ directory: join(directory, String(number)), clock });
    say(String(number));
    await journal.close();
  }
}

async function hold(directory: string): Promise<void> {
  try {
    await openSqliteJournal({ directory, clock });
    say('opened');
    process.stdin.resume();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    say(`${error.problem.code}: ${error.problem.message}`);
  }
}

const [mode, directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('which folder?');
if (mode === 'append') await appendForever(directory);
else if (mode === 'open') await openForever(directory);
else await hold(directory);
