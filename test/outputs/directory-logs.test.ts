import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDirectoryLogStore } from '../../src/outputs/directory.ts';
import { logPathsOf, positionOf } from '../../src/outputs/log-file.ts';
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
  const store = createDirectoryLogStore({
    directory,
    clock,
    limits: { lineBytesMax: 7, logBytesMax: 1000, tailBytesMax: 9 },
  });
  const writer = store.writer('run/a/0/1');
  writer.write('out', '€€€€\n1234567\nabcdef😀\n');
  await writer.close();
  assert.deepEqual(
    (await store.read('run/a/0/1', 1, 10)).lines.map((line) => line.text),
    ['€€ … [cut]', '1234567', 'abcdef … [cut]'],
  );
  await rm(directory, { recursive: true });
});

const short = { lineBytesMax: 100, logBytesMax: 1000, tailBytesMax: 200 };

test('a log beyond its limit keeps its beginning and its end, and says how much is missing between', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const store = createDirectoryLogStore({ directory, clock, limits: short });
  const key = 'run/a/0/1';
  const texts = async (): Promise<string[]> => (await store.read(key, 1, 1000)).lines.map(({ text }) => text);
  const writer = store.writer(key);
  for (let line = 1000; line < 2000; line += 1) writer.write(line % 2 === 0 ? 'out' : 'err', `line ${line}\n`);
  writer.write('err', 'Error: the reason');
  const live = await texts();
  const full =
    'This log has reached its limit of 1000 B: of what follows, the last lines are kept, and stand here when it ends.';
  assert.deepEqual(live.slice(0, 2), ['line 1000', 'line 1001']);
  assert.equal(live.at(-1), full);
  await writer.close();
  const whole = await texts();
  assert.deepEqual(whole.slice(0, live.length), live, 'what a reader has seen stays');
  assert.equal(whole.at(-1), 'Error: the reason');
  const [leftOut = '', ...last] = whole.slice(live.length);
  assert.match(leftOut, /^\d+ lines are left out here \(\d+(\.\d)? KiB\)\.$/);
  const first = live.length - 1;
  assert.equal(first + Number.parseInt(leftOut, 10) + last.length, 1001);
  assert.deepEqual(
    last.slice(0, -1),
    Array.from({ length: last.length - 1 }, (_, at) => `line ${2001 - last.length + at}`),
  );
  assert.ok(last.length > 3, String(last.length));
  await rm(directory, { recursive: true });
});

test('a log that is opened again and again stays within its limit, and has its newest lines', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const key = 'run/a/0/1';
  let [size, isNewest] = [0, true];
  for (let round = 1; round <= 50; round += 1) {
    const store = createDirectoryLogStore({ directory, clock, limits: short });
    const writer = store.writer(key);
    for (let line = 1; line <= 100; line += 1) writer.write('out', `${round}: ${line}\n`);
    await writer.close();
    const { lines } = await store.read(key, 1, 1000);
    if (round <= 3) isNewest &&= lines.at(-1)?.text === `${round}: 100`;
    size = (await stat(join(directory, 'run', 'a~0~1.log'))).size;
    assert.equal(lines.filter(({ text }) => text.startsWith('This log has reached')).length, 1);
  }
  assert.ok(isNewest);
  assert.ok(size < 1100, String(size));
  await rm(directory, { recursive: true });
});

test('a log that was brought within its limit elsewhere is copied line by line, but not without end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const [from, to] = ['from', 'to'].map((name) =>
    createDirectoryLogStore({ directory: join(directory, name), clock, limits: short }),
  );
  assert.ok(from !== undefined && to !== undefined);
  const key = 'run/a/0/1';
  const writer = from.writer(key);
  for (let line = 1; line <= 1000; line += 1) writer.write('out', `line ${line}\n`);
  await writer.close();
  const { lines, total } = await from.read(key, 1, 1000);
  const copy = to.writer(key);
  for (const line of lines) copy.copy(line);
  assert.equal(to.size(key), total);
  copy.write('contender', 'the pod is gone\n');
  await copy.close();
  const copied = (await to.read(key, 1, 1000)).lines.map(({ text }) => text);
  assert.deepEqual(copied, [...lines.map(({ text }) => text), 'the pod is gone']);
  const endless = to.writer('run/b/0/1');
  for (let line = 1; line <= 1000; line += 1) endless.copy({ at: 1, stream: 'out', text: `line ${line}` });
  await endless.close();
  assert.ok((await stat(join(directory, 'to', 'run', 'b~0~1.log'))).size < 1300);
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
  assert.deepEqual(await positionOf(logPathsOf(directory, 'run/a/0/1'), 999_999), {
    line: 999_001,
    offset: 999_000 * 9,
  });
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

for (const { title, written } of [
  { title: 'before its first line', written: [] },
  { title: 'after lines of its own', written: ['mine'] },
]) {
  test(`a server that wakes up in the middle of a write, ${title}, takes nothing from the log that another has gone on with`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'logs-'));
    const troubles: (string | undefined)[] = [];
    const key = 'run/a/0/1';
    const frozen = createDirectoryLogStore({ directory, clock, trouble: (found) => troubles.push(found?.reason) });
    const writer = frozen.writer(key);
    for (const line of written) writer.write('out', `${line}\n`);
    assert.equal(frozen.size(key), written.length);
    // It has gathered, and is not written when the server freezes.
    writer.write('out', 'again\n');
    const next = createDirectoryLogStore({ directory, clock });
    next.writer(key).write('out', 'again\nlast\n');
    await next.writer(key).close();
    frozen.release(key);
    assert.deepEqual(troubles, ['another server has written to it']);
    const { lines, closed } = await next.read(key, 1, 10);
    assert.deepEqual([lines.map(({ text }) => text), closed], [[...written, 'again', 'last'], true]);
    await rm(directory, { recursive: true });
  });
}

test('logs of a burst of runs that say nothing share one file, and make no folder', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  const store = createDirectoryLogStore({ directory, clock });
  const [first, second, later] = ['01KB3M0A7XAAAA', '01KB3M0A7XBBBB', '01KB3M0B00CCCC'];
  for (const run of [first, second, later]) await store.writer(`${run}/step/0/1`).close();
  assert.deepEqual((await readdir(directory)).toSorted(), ['closed-empty~01KB3M0']);
  for (const run of [first, second, later]) assert.equal((await store.read(`${run}/step/0/1`, 1, 1)).closed, true);
  assert.equal((await store.read(`${second}/other/0/1`, 1, 1)).closed, false);
  await rm(directory, { recursive: true });
});
