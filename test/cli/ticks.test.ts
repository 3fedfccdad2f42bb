import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Write } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { failing, good } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
before(async () => {
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/failing.ts': failing });
  const journal = await openSqliteJournal({ directory: join(sandbox.folder, '.contender'), clock: { now: () => 5 } });
  const tick = (day: number): Pick<Extract<Write, { write: 'tick' }>, 'write' | 'tick' | 'at'> => {
    const time = Date.UTC(2026, 10, day, 2);
    return { write: 'tick', tick: time, at: time };
  };
  const place = { repository: 'work', pipeline: 'good' };
  const missed = { decision: 'missed', reason: 'late by 3 h: catch-up is off', runId: null } as const;
  await journal.commit([
    [{ ...tick(1), ...place, ...missed }],
    [{ ...tick(2), ...place, decision: 'run', reason: 'on time', runId: '01kc3v9q' }],
  ]);
  await journal.close();
});
after(() => sandbox.remove());

test('ticks lists each firing with what became of it, the newest first', async () => {
  const { status, out } = await sandbox.run(['ticks', 'good']);
  assert.equal(status, 0);
  assert.equal(
    out,
    '✓ 2026-11-02 02:00 UTC  fired   on time  01kc3v9q\n– 2026-11-01 02:00 UTC  missed  late by 3 h: catch-up is off\n',
  );
  const { out: lines } = await sandbox.run(['ticks', 'good', '--limit', '1', '--json']);
  assert.match(lines, /^\{"tick":\d+,.*"decision":"run","reason":"on time","runId":"01kc3v9q"\}\n$/);
});

test('a pipeline without ticks is said', async () => {
  const { status, out, err } = await sandbox.run(['ticks', 'failing']);
  assert.deepEqual({ status, out, err }, { status: 0, out: '', err: 'No tick of failing is on record in work.\n' });
  const unknown = await sandbox.run(['ticks', 'other']);
  assert.deepEqual([unknown.status, unknown.out], [2, '']);
  assert.match(unknown.err, /there is no pipeline "other" \[pipeline-unknown\]\n {2}There are: failing, good\./);
});
