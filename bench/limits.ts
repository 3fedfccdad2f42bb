/**
 * What this machine can do at best, of what carrying out steps is made of: a process, a dependency in a Makefile, a row
 * that is safe on disk, a message to a process and back.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { unreachable } from '../src/std/unreachable.ts';
import { postgresMissing } from '../test/support/postgres.ts';
import { slots } from './contender/subject.ts';
import { openGround } from './ground.ts';
import { medianMs, round, timed, type BenchOptions } from './measure.ts';
import type { Workload } from './subject.ts';

export async function benchLimits({ say, repetitions }: BenchOptions): Promise<void> {
  const count = repetitions === 1 ? 50 : 500;
  const folder = mkdtempSync(join(tmpdir(), 'contender-limits-'));
  const skipped = postgresMissing();
  try {
    say({
      workload: 'limits',
      fsync_ms: round(await medianMs(repetitions, () => fsyncMs(folder, count))),
      sqlite_full_commit_ms: round(await medianMs(repetitions, () => sqliteCommitMs(folder, count))),
      ...(skipped === false ? { postgres_commit_ms: round(await postgresCommitMs(repetitions, count)) } : { skipped }),
      child_round_trip_ms: round(await medianMs(repetitions, () => roundTripMs(folder, count))),
      spawn_ms: round((await spawnLoopMs({ shape: 'chain', steps: count / 5 }, repetitions)) / (count / 5)),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fsyncMs(folder: string, count: number): Promise<number> {
  const file = openSync(join(folder, 'appended'), 'w');
  const bytes = Buffer.alloc(4096, 1);
  const ms = await timed(async () => {
    for (let i = 0; i < count; i += 1) {
      writeSync(file, bytes);
      fsyncSync(file);
    }
  });
  closeSync(file);
  return ms / count;
}

/** As the journal writes: write-ahead log, safe on disk before the commit returns. */
async function sqliteCommitMs(folder: string, count: number): Promise<number> {
  const database = new DatabaseSync(join(folder, `appended-${performance.now()}.sqlite`));
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table rows (id integer primary key, text text)',
  );
  const insert = database.prepare('insert into rows (text) values (?)');
  const ms = await timed(async () => {
    for (let i = 0; i < count; i += 1) insert.run('appended');
  });
  database.close();
  return ms / count;
}

async function postgresCommitMs(repetitions: number, count: number): Promise<number> {
  const ground = openGround();
  try {
    const client = new Client({ connectionString: await ground.postgres() });
    await client.connect();
    await client.query('create table rows (id bigserial primary key, text text)');
    const ms = await medianMs(repetitions, () =>
      timed(async () => {
        for (let i = 0; i < count; i += 1)
          await client.query({ name: 'append', text: 'insert into rows (text) values ($1)', values: ['appended'] });
      }),
    );
    await client.end();
    return ms / count;
  } finally {
    await ground.close();
  }
}

async function roundTripMs(folder: string, count: number): Promise<number> {
  const program = join(folder, 'echo.mjs');
  writeFileSync(program, "process.on('message', (message) => process.send(message));\nprocess.send('ready');\n");
  const child = fork(program);
  await once(child, 'message');
  const ms = await timed(async () => {
    for (let i = 0; i < count; i += 1) {
      const answer = once(child, 'message');
      child.send(i);
      await answer;
    }
  });
  child.disconnect();
  await once(child, 'exit');
  return ms / count;
}

/** The command of each step, started and waited for by a loop. */
export function spawnLoopMs(workload: Workload, repetitions: number): Promise<number> {
  const stages = stagesOf(workload);
  return medianMs(repetitions, () =>
    timed(async () => {
      for (const { count, together } of stages) {
        let left = count;
        const work = async (): Promise<void> => {
          while (left > 0) {
            left -= 1;
            await once(spawn('true', { stdio: 'ignore' }), 'exit');
          }
        };
        await Promise.all(Array.from({ length: together }, work));
      }
    }),
  );
}

/** Commands that may run beside each other, stage after stage. */
function stagesOf(workload: Workload): readonly { readonly count: number; readonly together: number }[] {
  switch (workload.shape) {
    case 'chain':
      return [{ count: workload.steps, together: 1 }];
    case 'fan':
      return [
        { count: 1, together: 1 },
        { count: workload.steps, together: slots },
        { count: 1, together: 1 },
      ];
    case 'burst':
      return [{ count: workload.runs * workload.steps, together: slots }];
    case 'trigger':
      return [{ count: 1, together: 1 }];
    default:
      return unreachable(workload);
  }
}

/** The steps as targets of a Makefile with the same dependencies; null where there is no `make`. */
export async function makeMs(workload: Workload, repetitions: number): Promise<number | null> {
  const folder = mkdtempSync(join(tmpdir(), 'contender-make-'));
  try {
    const rules = rulesOf(workload);
    const names = rules.map(([name]) => name).join(' ');
    const lines = rules.map(([name, after]) => `${name}: ${after.join(' ')}\n\t@true`).join('\n');
    writeFileSync(join(folder, 'Makefile'), `.PHONY: all ${names}\nall: ${names}\n${lines}\n`);
    const make = (): Promise<unknown> =>
      once(spawn('make', ['-s', '-C', folder, `-j${slots}`, 'all'], { stdio: 'ignore' }), 'exit');
    return await medianMs(repetitions, () => timed(make));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Rule = readonly [name: string, after: readonly string[]];

function rulesOf(workload: Workload): readonly Rule[] {
  switch (workload.shape) {
    case 'chain':
      return chainRules('step', workload.steps);
    case 'fan': {
      const middle = Array.from({ length: workload.steps }, (_, index) => `middle-${index}`);
      return [['first', []], ...middle.map((name): Rule => [name, ['first']]), ['last', middle]];
    }
    case 'burst':
      return Array.from({ length: workload.runs }, (_, run) => chainRules(`run-${run}`, workload.steps)).flat();
    case 'trigger':
      return [['step', []]];
    default:
      return unreachable(workload);
  }
}

function chainRules(name: string, steps: number): readonly Rule[] {
  return Array.from({ length: steps }, (_, index) => [`${name}-${index}`, index === 0 ? [] : [`${name}-${index - 1}`]]);
}
