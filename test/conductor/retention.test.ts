/** What is removed for its age: by the time, by what the journal says of the run, and a little in each turn. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { conductorLimits } from '../../src/conductor/ports.ts';
import { Retention, type Removed } from '../../src/conductor/retention.ts';
import { createDirectoryStores } from '../../src/outputs/directory.ts';

const dayMs = 24 * 3_600_000;
const now = 1_700_000_000_000;
const clock = { now: () => now };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'retention-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Given {
  /** Days since the end of the run, by its id. */
  readonly ended?: Readonly<Record<string, number>>;
  readonly said?: string[];
}

function open({ ended = {}, said = [] }: Given = {}): Retention {
  const say = (_fields: object, message: string): void => void said.push(message);
  return new Retention({
    clock,
    journal: {
      runsEndedBefore: (ids, before) =>
        Promise.resolve(ids.filter((id) => now - (ended[id] ?? -Infinity) * dayMs < before)),
    },
    oldLogs: createDirectoryStores({ directory, clock }).oldLogs,
    kept: { logsMs: 30 * dayMs },
    log: { info: say, warn: say, error: say },
  });
}

async function writeLog(run: string, ageDays: number, text: string): Promise<void> {
  const { logs } = createDirectoryStores({ directory, clock });
  const writer = logs.writer(`${run}/train/0/1`);
  writer.write('out', text);
  await writer.close();
  const at = now / 1000 - ageDays * 86_400;
  for (const name of readdirSync(join(directory, 'logs'))) {
    const path = join(directory, 'logs', name);
    if (name === run || name === `closed-empty~${run.slice(0, 7)}`) utimesSync(path, at, at);
  }
}

function names(): readonly string[] {
  return readdirSync(join(directory, 'logs')).sort();
}

async function workOut(retention: Retention): Promise<number> {
  let turns = 0;
  while ((await retention.work()) === 0) turns += 1;
  return turns;
}

async function collect(retention: Retention, dryRun: boolean): Promise<readonly Removed[]> {
  const all: Removed[] = [];
  for await (const removed of retention.sweep({ dryRun })) all.push(removed);
  return all;
}

test('the logs of runs that ended long enough ago go, and no others', async () => {
  await writeLog('old', 40, 'a\n');
  await writeLog('ended-late', 40, 'b\n');
  await writeLog('unfinished', 40, 'c\n');
  await writeLog('unknown', 40, 'd\n');
  await writeLog('written-late', 10, 'e\n');
  const said: string[] = [];
  const retention = open({ ended: { old: 31, 'ended-late': 29, 'written-late': 31 }, said });
  await workOut(retention);
  assert.deepEqual(names(), ['ended-late', 'unfinished', 'unknown', 'written-late']);
  assert.equal(said.length, 1);
  assert.deepEqual(await createDirectoryStores({ directory, clock }).logs.read('old/train/0/1', 1, 9), {
    lines: [],
    total: 0,
    closed: false,
  });
});

test('the note of logs without a line goes when all of its runs have ended long enough ago', async () => {
  for (const run of ['0000000-a', '0000000-b', '1111111-a', '1111111-b']) await writeLog(run, 40, '');
  await workOut(open({ ended: { '0000000-a': 31, '0000000-b': 31, '1111111-a': 31 } }));
  assert.deepEqual(names(), ['closed-empty~1111111']);
});

test('a dry run tells files and bytes, and removes nothing', async () => {
  await writeLog('old', 40, 'a\n');
  const before = names();
  const retention = open({ ended: { old: 31 } });
  const told = await collect(retention, true);
  assert.deepEqual(names(), before);
  assert.deepEqual(await collect(retention, false), told);
  assert.deepEqual(
    told.map(({ what, files }) => [what, files]),
    [['logs', 1]],
  );
  assert.ok((told[0]?.bytes ?? 0) > 0);
  assert.deepEqual(names(), []);
});

test('what a server that died had begun to remove goes with the next look', async () => {
  mkdirSync(join(directory, 'logs', 'removing~x'), { recursive: true });
  writeFileSync(join(directory, 'logs', 'removing~x', 'train~0~1.log'), 'half');
  await workOut(open());
  assert.deepEqual(names(), []);
});

test('a turn removes a limited number, and where nothing can be removed it is said and tried again later', async () => {
  const count = conductorLimits.logsPerTurnMax + 1;
  const ended: Record<string, number> = {};
  for (let number = 0; number < count; number += 1) {
    ended[`run${number}`] = 31;
    await writeLog(`run${number}`, 40, 'x\n');
  }
  const retention = open({ ended });
  assert.equal(await retention.work(), 0);
  assert.equal(names().length, 1);
  assert.equal(await workOut(retention), 1);
  assert.deepEqual(names(), []);
  rmSync(join(directory, 'logs'), { recursive: true });
  writeFileSync(join(directory, 'logs'), 'no folder');
  const said: string[] = [];
  assert.equal(await open({ said }).work(), conductorLimits.removeOldMs);
  assert.match(said.join(), /could not be removed/);
  assert.ok(existsSync(join(directory, 'logs')));
});
