import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAttemptRecords, type AttemptRecord } from '../../src/executor/local/records.ts';

const begun = (attemptId: string): AttemptRecord => ({ attemptId, boot: 'boot', process: null, finished: null });
const ended = (attemptId: string): AttemptRecord => ({
  ...begun(attemptId),
  finished: { type: 'finished', attemptId, at: 1, outcome: { kind: 'skipped', reason: 'x'.repeat(100) }, usage: null },
});

test('an attempt is begun once, also after a restart, and its newest record counts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  const records = openAttemptRecords(folder);
  assert.equal(records.begin(begun('a')), true);
  assert.equal(records.begin(begun('a')), false);
  records.write(ended('a'));
  records.close();
  const after = openAttemptRecords(folder);
  assert.equal(after.begin(begun('a')), false);
  assert.deepEqual(after.read('a'), ended('a'));
  assert.equal(after.read('b'), null);
  after.close();
  rmSync(folder, { recursive: true });
});

test('a line that a dying server wrote by half harms no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  const records = openAttemptRecords(folder);
  records.begin(begun('a'));
  records.close();
  appendFileSync(join(folder, 'attempts.jsonl'), '{"attemptId":"b","bo');
  const after = openAttemptRecords(folder);
  assert.equal(after.begin(begun('c')), true);
  after.close();
  const last = openAttemptRecords(folder);
  assert.deepEqual([last.read('a'), last.read('b'), last.read('c')], [begun('a'), null, begun('c')]);
  last.close();
  rmSync(folder, { recursive: true });
});

test('the files stay small: what ended long ago is forgotten, what still runs never', () => {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  const records = openAttemptRecords(folder, 2000);
  records.begin(begun('still running'));
  for (let count = 0; count < 100; count += 1) {
    records.begin(begun(`a${count}`));
    records.write(ended(`a${count}`));
  }
  assert.deepEqual(records.read('still running'), begun('still running'));
  assert.deepEqual(records.read('a99'), ended('a99'));
  assert.equal(records.read('a0'), null);
  records.close();
  for (const name of ['attempts.jsonl', 'attempts-before.jsonl']) assert.ok(statSync(join(folder, name)).size < 4000);
  const after = openAttemptRecords(folder, 2000);
  assert.deepEqual(after.read('still running'), begun('still running'));
  after.close();
  rmSync(folder, { recursive: true });
});
