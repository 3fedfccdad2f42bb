import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryQueue, memoryQueueLimits, systemTimer } from '../../src/queue/memory.ts';
import type { Timer } from '../../src/queue/queue.ts';

/** Time that moves only when told, and timers that keep Node's contract: those above 2^31-1 ms fire at once. */
class FakeTime implements Timer {
  #now = 1_000_000;
  readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();
  longestMs = 0;

  now(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): () => void {
    this.longestMs = Math.max(this.longestMs, delayMs);
    const timer = { at: this.#now + (delayMs > 2 ** 31 - 1 ? 1 : delayMs), call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Fires what is due on the way, in order, and lets the promises run between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].sort((left, right) => left.at - right.at);
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = end;
  }

  set(now: number): void {
    this.#now = now;
  }
}

/** A queue whose turns are written down and end when the test says so. */
function watched(time: FakeTime) {
  const turns: { readonly keys: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const errors: unknown[] = [];
  const queue = new MemoryQueue({ clock: time, timer: time, onError: (error) => errors.push(error) });
  const turn = (keys: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      turns.push({ keys, end: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  return { queue, turn, turns, errors, keys: () => turns.map(({ keys }) => keys) };
}

test('keys woken together are handed out together, each once', async () => {
  const time = new FakeTime();
  const { queue, turn, keys } = watched(time);
  queue.start(turn);
  queue.wake('a');
  queue.wake('b');
  queue.wake('a');
  await time.pass(0);
  assert.deepEqual(keys(), [['a', 'b']]);
});

test('what was woken before the start is handed out at the start', async () => {
  const time = new FakeTime();
  const { queue, turn, keys } = watched(time);
  queue.wake('a');
  await time.pass(1000);
  assert.deepEqual(keys(), []);
  queue.start(turn);
  await time.pass(0);
  assert.deepEqual(keys(), [['a']]);
});

test('a key woken during its turn gets exactly one more turn, after it', async () => {
  const time = new FakeTime();
  const { queue, turn, turns, keys } = watched(time);
  queue.start(turn);
  queue.wake('a');
  await time.pass(0);
  queue.wake('a');
  queue.wake('a');
  await time.pass(1000);
  assert.deepEqual(keys(), [['a']]);
  turns[0]?.end();
  await time.pass(0);
  assert.deepEqual(keys(), [['a'], ['a']]);
  turns[1]?.end();
  await time.pass(1000);
  assert.equal(turns.length, 2);
});

test('a key that joins a turn has no other one meanwhile, and one after it where it was woken', async () => {
  const time = new FakeTime();
  const { queue, turn, turns, keys } = watched(time);
  const joined: boolean[] = [];
  queue.start((taken, join) => {
    if (taken[0] === 'a') joined.push(join('b'), join('b'));
    return turn(taken);
  });
  queue.wake('a');
  queue.wake('b', time.now() + 10);
  await time.pass(0);
  assert.deepEqual(joined, [true, false]);
  await time.pass(1000);
  assert.deepEqual(keys(), [['a']]);
  turns[0]?.end();
  await time.pass(1000);
  assert.deepEqual(keys(), [['a'], ['b']]);
});

test('a key that has a turn of its own joins none, and has another one', async () => {
  const time = new FakeTime();
  const { queue, turn, turns, keys } = watched(time);
  const joined: boolean[] = [];
  queue.start((taken, join) => {
    if (taken[0] === 'a') joined.push(join('b'));
    return turn(taken);
  });
  queue.wake('b');
  await time.pass(0);
  queue.wake('a');
  await time.pass(0);
  assert.deepEqual(joined, [false]);
  turns[0]?.end();
  await time.pass(0);
  assert.deepEqual(keys(), [['b'], ['a'], ['b']]);
});

test('a slow turn of one key does not hold up another key', async () => {
  const time = new FakeTime();
  const { queue, turn, keys } = watched(time);
  queue.start(turn);
  queue.wake('slow');
  await time.pass(0);
  queue.wake('quick');
  await time.pass(0);
  assert.deepEqual(keys(), [['slow'], ['quick']]);
});

test('a key is woken at its time, not before', async () => {
  const time = new FakeTime();
  const { queue, turn, keys } = watched(time);
  queue.start(turn);
  queue.wake('a', time.now() + 5000);
  await time.pass(4999);
  assert.deepEqual(keys(), []);
  await time.pass(1);
  assert.deepEqual(keys(), [['a']]);
});

test('of several times the earliest counts, and it is one turn', async () => {
  const time = new FakeTime();
  const { queue, turn, turns, keys } = watched(time);
  queue.start(turn);
  queue.wake('a', time.now() + 9000);
  queue.wake('a', time.now() + 2000);
  queue.wake('a', time.now() + 4000);
  await time.pass(2000);
  assert.deepEqual(keys(), [['a']]);
  turns[0]?.end();
  await time.pass(20_000);
  assert.equal(turns.length, 1);
});

test('a wake-up in forty days comes in forty days, with no timer above a minute', async () => {
  const time = new FakeTime();
  const { queue, turn, keys } = watched(time);
  queue.start(turn);
  const day = 86_400_000;
  queue.wake('a', time.now() + 40 * day);
  await time.pass(day);
  assert.deepEqual(keys(), []);
  // The clock is set forward, as after a suspend: the next look finds it.
  time.set(time.now() + 39 * day);
  await time.pass(memoryQueueLimits.pollMs);
  assert.deepEqual(keys(), [['a']]);
  assert.equal(time.longestMs, memoryQueueLimits.pollMs);
});

test('a turn that throws is told, and the queue goes on', async () => {
  const time = new FakeTime();
  const { queue, turn, turns, errors, keys } = watched(time);
  queue.start(turn);
  queue.wake('a');
  await time.pass(0);
  turns[0]?.end(new Error('a bug'));
  await time.pass(0);
  assert.equal(errors.length, 1);
  queue.wake('a');
  await time.pass(0);
  assert.deepEqual(keys(), [['a'], ['a']]);
});

test('more keys than a turn takes are handed out in several turns', async () => {
  const time = new FakeTime();
  const { queue, turn, turns } = watched(time);
  queue.start(turn);
  const all = Array.from({ length: memoryQueueLimits.keysPerTurnMax + 10 }, (_, index) => `run-${index}`);
  for (const key of all) queue.wake(key);
  await time.pass(0);
  assert.deepEqual(
    turns.map(({ keys }) => keys.length),
    [memoryQueueLimits.keysPerTurnMax, 10],
  );
  assert.deepEqual(turns.flatMap(({ keys }) => keys).sort(), all.sort());
});

test('no more turns are under way at once than the limit; the others follow', async () => {
  const time = new FakeTime();
  const { queue, turn, turns } = watched(time);
  queue.start(turn);
  for (let index = 0; index < memoryQueueLimits.turnsTogetherMax + 3; index += 1) {
    queue.wake(`run-${index}`);
    await time.pass(0);
  }
  assert.equal(turns.length, memoryQueueLimits.turnsTogetherMax);
  turns[0]?.end();
  await time.pass(0);
  assert.equal(turns.length, memoryQueueLimits.turnsTogetherMax + 1);
  assert.equal(turns.at(-1)?.keys.length, 3);
});

test('stop waits for the current turns and takes no more', async () => {
  const time = new FakeTime();
  const { queue, turn, turns } = watched(time);
  queue.start(turn);
  queue.wake('a');
  await time.pass(0);
  queue.wake('a');
  queue.wake('b', time.now() + 10);
  let stopped = false;
  const stopping = queue.stop().then(() => (stopped = true));
  await time.pass(1000);
  assert.equal(stopped, false);
  turns[0]?.end();
  await stopping;
  queue.wake('c');
  await time.pass(100_000);
  assert.equal(turns.length, 1);
});

test('the real timers hand out what is woken now and what is woken soon', async () => {
  const queue = new MemoryQueue({ clock: Date, timer: systemTimer, onError: assert.fail });
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    queue.start((keys) => {
      seen.push(...keys);
      if (keys.includes('soon')) resolve();
      return Promise.resolve();
    });
    queue.wake('soon', Date.now() + 20);
    queue.wake('now');
  });
  await queue.stop();
  assert.deepEqual(seen, ['now', 'soon']);
});

test('what is woken after the clock was set forward does not wait for a timer from before', async () => {
  const time = new FakeTime();
  let aheadMs = 0;
  const handedOut: (readonly string[])[] = [];
  const queue = new MemoryQueue({
    clock: { now: () => time.now() + aheadMs },
    timer: time,
    onError: (error) => assert.fail(String(error)),
  });
  queue.start((keys) => Promise.resolve(void handedOut.push(keys)));
  queue.wake('later', time.now() + 30_000);
  await time.pass(0);
  aheadMs = 60_000;
  queue.wake('now');
  await time.pass(0);
  assert.deepEqual(handedOut, [['now', 'later']]);
  await queue.stop();
});
