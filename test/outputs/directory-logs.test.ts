import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDirectoryLogStore } from '../../src/outputs/directory.ts';
import { positionOf } from '../../src/outputs/log-file.ts';
import { logStoreKeepsItsContract } from '../contract/log-store.ts';

logStoreKeepsItsContract('directory', async (directory, clock) => ({
  store: createDirectoryLogStore({ directory, clock }),
  reopen: async () => createDirectoryLogStore({ directory, clock }),
}));

const clock = { now: () => 1 };

test('a gigabyte in one line is cut at its limit and needs no memory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const store = createDirectoryLogStore({ directory, clock });
  const writer = store.writer('run/a/0/1');
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const before = process.memoryUsage();
  for (let count = 0; count < 1024; count += 1) writer.write('out', chunk);
  const after = process.memoryUsage();
  writer.write('out', '\nnext\n');
  await writer.close();
  assert.ok(after.external + after.heapUsed - before.external - before.heapUsed < 32 * 1024 * 1024);
  const { lines } = await store.read('run/a/0/1', 1, 10);
  assert.equal(lines[0]?.text, `${'x'.repeat(16 * 1024)} … [cut]`);
  assert.equal(lines[1]?.text, 'next');
  await rm(directory, { recursive: true });
});

test('a line is cut between characters', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const store = createDirectoryLogStore({ directory, clock, limits: { lineBytesMax: 7, logBytesMax: 1000 } });
  const writer = store.writer('run/a/0/1');
  writer.write('out', '€€€€\n1234567\nabcdef😀\n');
  await writer.close();
  assert.deepEqual(
    (await store.read('run/a/0/1', 1, 10)).lines.map((line) => line.text),
    ['€€ … [cut]', '1234567', 'abcdef … [cut]'],
  );
  await rm(directory, { recursive: true });
});

test('a log ends at its limit with one line that says so, also after it was opened again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const store = createDirectoryLogStore({ directory, clock, limits: { lineBytesMax: 100, logBytesMax: 60 } });
  for (let round = 0; round < 2; round += 1) {
    const writer = store.writer('run/a/0/1');
    for (let line = 1; line <= 100; line += 1) writer.write('out', `line number ${line}\n`);
    await writer.close();
  }
  const { lines } = await store.read('run/a/0/1', 1, 100);
  assert.deepEqual(
    lines.map((line) => line.stream),
    ['out', 'out', 'out', 'contender'],
  );
  assert.match(lines.at(-1)?.text ?? '', /limit of 60 bytes/);
  await rm(directory, { recursive: true });
});

test('a line deep in a log of a million lines is found without reading what stands before it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const store = createDirectoryLogStore({ directory, clock });
  const writer = store.writer('run/a/0/1');
  const thousand = 'line\n'.repeat(1000);
  for (let round = 0; round < 1000; round += 1) writer.write('out', thousand);
  writer.write('out', 'the last\n');
  await writer.close();
  const paths = { log: join(directory, 'run', 'a~0~1.log'), index: join(directory, 'run', 'a~0~1.index') };
  assert.deepEqual(await positionOf(paths, 999_999), { line: 999_001, offset: 999_000 * 9 });
  const page = await store.read('run/a/0/1', 999_999, 2_000_000);
  assert.deepEqual(
    page.lines.map((line) => [line.number, line.text]),
    [
      [999_999, 'line'],
      [1_000_000, 'line'],
      [1_000_001, 'the last'],
    ],
  );
  assert.equal(page.total, 1_000_001);
  await rm(directory, { recursive: true });
});
