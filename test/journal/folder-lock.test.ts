import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFolderLocked, lockFolder } from '../../src/journal/folder-lock.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { firstLine, kill, startChild, temporaryFolder } from './children.ts';

const clock = { now: () => 5 };

test('a hundred second opens are a hundred refusals that name the holder', async (context) => {
  const directory = temporaryFolder(context);
  const holder = startChild(context, 'hold', directory);
  assert.equal(await firstLine(holder), 'opened');
  for (let attempt = 0; attempt < 100; attempt += 1) {
    await assert.rejects(openSqliteJournal({ directory, clock }), (error) => {
      assert.ok(error instanceof ProblemError);
      assert.equal(error.problem.code, 'folder-locked');
      assert.equal(error.problem.message, `${directory} is in use by process ${holder.process.pid} on ${hostname()}`);
      return true;
    });
  }
});

test('the same process cannot open a folder twice either, and can once it is closed', async (context) => {
  const directory = temporaryFolder(context);
  const first = await openSqliteJournal({ directory, clock });
  await assert.rejects(openSqliteJournal({ directory, clock }), ProblemError);
  await first.close();
  const second = await openSqliteJournal({ directory, clock });
  await second.close();
});

test('the folder of a killed server can be opened at once', async (context) => {
  const directory = temporaryFolder(context);
  const holder = startChild(context, 'hold', directory);
  assert.equal(await firstLine(holder), 'opened');
  await kill(holder);
  const journal = await openSqliteJournal({ directory, clock });
  await journal.close();
});

test('of servers that start at once exactly one opens the folder', async (context) => {
  const directory = temporaryFolder(context);
  for (let round = 0; round < 3; round += 1) {
    const servers = Array.from({ length: 4 }, () => startChild(context, 'hold', directory));
    const answers = await Promise.all(servers.map((server) => firstLine(server)));
    assert.deepEqual(answers.map((answer) => answer.replace(/: .*/, '')).sort(), [
      'folder-locked',
      'folder-locked',
      'folder-locked',
      'opened',
    ]);
    await Promise.all(servers.filter((_, index) => answers[index] === 'opened').map((server) => kill(server)));
  }
});

test('a broken note of who holds the folder keeps nobody in or out', (context) => {
  const directory = temporaryFolder(context);
  writeFileSync(join(directory, 'server.json'), '{"pid":');
  const first = lockFolder(directory);
  assert.ok(first.ok);
  writeFileSync(join(directory, 'server.json'), 'null');
  const second = lockFolder(directory);
  assert.ok(!second.ok);
  assert.match(second.error.message, /in use by another server that is just starting/);
  first.value.release();
  const third = lockFolder(directory);
  assert.ok(third.ok);
  assert.equal(JSON.parse(readFileSync(join(directory, 'server.json'), 'utf8')).pid, process.pid);
  third.value.release();
  third.value.release();
});

test('whether a folder is held can be seen from outside, and seeing it keeps nobody out', async (context) => {
  const directory = temporaryFolder(context);
  assert.equal(isFolderLocked(directory), false);
  const holder = startChild(context, 'hold', directory);
  assert.equal(await firstLine(holder), 'opened');
  assert.equal(isFolderLocked(directory), true);
  await kill(holder);
  assert.equal(isFolderLocked(directory), false);
  const lock = lockFolder(directory);
  assert.ok(lock.ok);
  lock.value.release();
});
