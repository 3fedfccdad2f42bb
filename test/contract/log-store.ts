/** What every log store promises, as tests. `reopen` is the store after its server died and another began. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogStore } from '../../src/outputs/outputs.ts';
import type { Clock } from '../../src/std/clock.ts';

export interface LogStoreUnderTest {
  readonly store: LogStore;
  readonly reopen: () => Promise<LogStore>;
}

export function logStoreKeepsItsContract(
  name: string,
  create: (folder: string, clock: Clock) => Promise<LogStoreUnderTest>,
): void {
  const check = (
    title: string,
    body: (given: LogStoreUnderTest & { clock: { time: number } }) => Promise<void>,
  ): void => {
    test(`${name}: ${title}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'logs-'));
      const clock = { time: 1_700_000_000_000 };
      try {
        await body({ ...(await create(folder, { now: () => clock.time })), clock });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  };
  const texts = async (store: LogStore, key: string, from = 1, to = 1000): Promise<string[]> =>
    (await store.read(key, from, to)).lines.map((line) => line.text);

  check('lines are numbered from 1 and carry their time and stream', async ({ store, clock }) => {
    const writer = store.writer('run/train/0/1');
    writer.write('out', 'one\n');
    clock.time += 5;
    writer.write('err', 'two\n');
    writer.write('contender', 'three\n');
    assert.deepEqual(await store.read('run/train/0/1', 1, 10), {
      lines: [
        { number: 1, at: 1_700_000_000_000, stream: 'out', text: 'one' },
        { number: 2, at: 1_700_000_000_005, stream: 'err', text: 'two' },
        { number: 3, at: 1_700_000_000_005, stream: 'contender', text: 'three' },
      ],
      total: 3,
      closed: false,
    });
    await writer.close();
    assert.equal((await store.read('run/train/0/1', 1, 0)).closed, true);
  });

  check('parts become lines in each stream by itself, and the last one is completed by close', async ({ store }) => {
    const writer = store.writer('run/a/0/1');
    writer.write('out', 'he');
    writer.write('err', 'wor');
    writer.write('out', 'llo\nla');
    writer.write('err', 'ld\n');
    writer.write('out', 'st');
    await writer.close();
    assert.deepEqual(await texts(store, 'run/a/0/1'), ['hello', 'world', 'last']);
  });

  check(
    'a character in two chunks is whole, bytes that are no UTF-8 are replaced, empty lines are kept',
    async ({ store }) => {
      const writer = store.writer('run/a/0/1');
      const euro = Buffer.from('€');
      writer.write('out', euro.subarray(0, 1));
      writer.write('out', euro.subarray(1));
      writer.write('out', Buffer.from([10, 10, 0xff, 0xc3, 10]));
      writer.write('out', 'windows\r\n');
      await writer.close();
      assert.deepEqual(await texts(store, 'run/a/0/1'), ['€', '', '\ufffd\ufffd', 'windows']);
    },
  );

  check('any lines of a long log are found', async ({ store }) => {
    const writer = store.writer('run/a/0/1');
    for (let line = 1; line <= 5500; line += 1) writer.write('out', `line ${line}\n`);
    for (const [from, to] of [
      [1, 3],
      [999, 1002],
      [2000, 2001],
      [5499, 6000],
      [5501, 5600],
      [-4, 2],
      [7, 3],
    ] as const) {
      const expected = [];
      for (let line = Math.max(1, from); line <= Math.min(to, 5500); line += 1) expected.push(`line ${line}`);
      assert.deepEqual(await texts(store, 'run/a/0/1', from, to), expected);
    }
    await writer.close();
    assert.deepEqual(await texts(store, 'run/a/0/1', 4321, 4321), ['line 4321']);
    assert.equal((await store.read('run/a/0/1', 1, 0)).total, 5500);
  });

  check('a log that nobody wrote is empty and not closed', async ({ store }) => {
    assert.deepEqual(await store.read('run/none/0/1', 1, 10), { lines: [], total: 0, closed: false });
  });

  check('a log that was closed without a line is empty and closed, and can be continued', async ({ store, reopen }) => {
    for (const key of ['run/a/0/1', 'run/a/0/11']) await store.writer(key).close();
    for (const each of [store, await reopen()]) {
      assert.deepEqual(await each.read('run/a/0/11', 1, 10), { lines: [], total: 0, closed: true });
      assert.equal((await each.read('run/a/0', 1, 10)).closed, false);
    }
    const again = store.writer('run/a/0/1');
    again.write('out', 'after all\n');
    assert.equal((await store.read('run/a/0/1', 1, 10)).closed, false);
    await again.close();
    assert.deepEqual(await texts(await reopen(), 'run/a/0/1'), ['after all']);
  });

  check('keys do not meet, whatever is in them', async ({ store }) => {
    const keys = [
      'run/a/0/1',
      'run/a/0/11',
      'run/a/b/0/1',
      'run/a~b/0/1',
      'run/a%2Fb/0/1',
      'run/../x/0/1',
      '../run/0/1',
      `run/${'x'.repeat(300)}/0/1`,
      `run/${'x'.repeat(300)}/0/2`,
      'run/A/0/1',
    ];
    for (const key of keys) {
      const writer = store.writer(key);
      writer.write('out', `${key}\n`);
      await writer.close();
    }
    for (const key of keys) assert.deepEqual(await texts(store, key), [key]);
  });

  check('a watcher hears of new lines and of the end, until it ends', async ({ store }) => {
    const heard: string[] = [];
    let wake = (): void => {};
    const end = store.watch('run/a/0/1', () => {
      heard.push('a');
      wake();
    });
    store.watch('run/b/0/1', () => heard.push('b'));
    const writer = store.writer('run/a/0/1');
    const told = new Promise<void>((resolve) => (wake = resolve));
    writer.write('out', 'line\n');
    await told;
    assert.equal((await store.read('run/a/0/1', 1, 10)).total, 1);
    await writer.close();
    const before = heard.length;
    assert.ok(before >= 2 && !heard.includes('b'));
    end();
    const again = store.writer('run/a/0/1');
    again.write('out', 'more\n');
    await again.close();
    assert.equal(heard.length, before);
  });

  check('a log that is let go belongs to whoever writes it next, and nothing of the first is added', async (given) => {
    const { store, reopen } = given;
    const first = store.writer('run/a/0/1');
    first.write('out', 'one\n');
    store.release('run/a/0/1');
    const next = (await reopen()).writer('run/a/0/1');
    next.write('out', 'two\n');
    await next.close();
    first.write('out', 'too late\n');
    await first.close();
    assert.deepEqual(await texts(store, 'run/a/0/1'), ['one', 'two']);
    assert.deepEqual((await store.read('run/a/0/1', 1, 0)).closed, true);
    const again = store.writer('run/a/0/1');
    again.write('out', 'three\n');
    await again.close();
    assert.deepEqual(await texts(store, 'run/a/0/1'), ['one', 'two', 'three']);
  });

  check(
    'a log that a dying server left open is read to its last line and can be continued',
    async ({ store, reopen }) => {
      const writer = store.writer('run/a/0/1');
      for (let line = 1; line <= 2500; line += 1) writer.write('out', `line ${line}\n`);
      writer.write('out', 'half of a li');
      await store.read('run/a/0/1', 1, 1);
      const after = await reopen();
      assert.deepEqual(
        { ...(await after.read('run/a/0/1', 2500, 2600)), lines: [] },
        { lines: [], total: 2500, closed: false },
      );
      const next = after.writer('run/a/0/1');
      next.write('contender', 'The server ended.\n');
      for (let line = 2502; line <= 4100; line += 1) next.write('out', `line ${line}\n`);
      await next.close();
      assert.deepEqual(await texts(after, 'run/a/0/1', 2500, 2502), ['line 2500', 'The server ended.', 'line 2502']);
      assert.deepEqual(await texts(after, 'run/a/0/1', 3999, 4002), [
        'line 3999',
        'line 4000',
        'line 4001',
        'line 4002',
      ]);
      assert.deepEqual(
        { ...(await (await reopen()).read('run/a/0/1', 1, 0)) },
        { lines: [], total: 4100, closed: true },
      );
    },
  );
}
