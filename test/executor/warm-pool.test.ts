import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWarmPool, warmPoolLimits, type WarmProcess } from '../../src/executor/local/warm-pool.ts';
import { runnerLimits } from '../../src/executor/local/runner-process.ts';
import { hasRoom } from '../../src/executor/local/runner-work.ts';
import { until } from './workshop.ts';

interface Fake extends WarmProcess {
  serve(): void;
}

function start(started: Fake[]): Fake {
  const state = { alive: true, served: 0 };
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const fake: Fake = {
    get served() {
      return state.served;
    },
    get alive() {
      return state.alive;
    },
    kill() {
      state.alive = false;
      end();
    },
    ended,
    serve: () => void (state.served += 1),
  };
  started.push(fake);
  return fake;
}

function pool(idleMs?: number): { pool: ReturnType<typeof createWarmPool<Fake>>; started: Fake[] } {
  const started: Fake[] = [];
  return { pool: createWarmPool(() => start(started), idleMs), started };
}

test('a process goes back to the attempts of its key, and to no other', async () => {
  const { pool: runners } = pool();
  const one = runners.take('a');
  runners.giveBack('a', one, true);
  assert.notEqual(runners.take('b'), one);
  assert.equal(runners.take('a'), one);
  assert.notEqual(runners.take('a'), one);
  await runners.close();
});

test('a key that asks for a process of its own is never given the one kept ready', async () => {
  const { pool: runners, started } = pool();
  runners.giveBack('any', runners.take('any'), true);
  await until('one to be kept ready', () => started.length === 2);
  const others: Fake[] = [];
  const own = (): Fake => start(others);
  const one = runners.take('own', own);
  assert.deepEqual(others, [one]);
  runners.giveBack('own', one, true);
  assert.equal(runners.take('own', own), one);
  await runners.close();
});

test('a process is ended after its last attempt, when it is of no use, and when nobody wanted it for a while', async () => {
  const { pool: runners } = pool(1);
  const used = runners.take('a');
  for (let count = 0; count < warmPoolLimits.attemptsMax; count += 1) used.serve();
  runners.giveBack('a', used, true);
  assert.equal(used.alive, false);
  const spoilt = runners.take('a');
  runners.giveBack('a', spoilt, false);
  assert.equal(spoilt.alive, false);
  const idle = runners.take('a');
  runners.giveBack('a', idle, true);
  await until('the idle process to end', () => !idle.alive);
  await runners.close();
});

test('a process of functions that has grown serves a thousand attempts, another ten times as many', () => {
  const usage = (mebibytes: number) => ({ usage: { cpuMs: 1, memoryBytesMax: mebibytes * 2 ** 20 } });
  assert.ok(hasRoom({ served: 999 }, usage(257), null));
  assert.ok(!hasRoom({ served: 1000 }, usage(257), null));
  assert.ok(hasRoom({ served: 9999 }, usage(256), null));
  const own = createWarmPool(() => start([]), 1000, false, runnerLimits.attemptsMax);
  const used = own.take('a');
  for (let count = 0; count < 9999; count += 1) used.serve();
  own.giveBack('a', used, true);
  assert.ok(used.alive);
  own.take('a').serve();
  own.giveBack('a', used, true);
  assert.ok(!used.alive);
});

test('there are never more idle processes than are allowed, and none after the end', async () => {
  const { pool: runners, started } = pool();
  const taken = Array.from(
    { length: warmPoolLimits.idleMax + 5 },
    (_, key) => [String(key), runners.take(String(key))] as const,
  );
  for (const [key, runner] of taken) runners.giveBack(key, runner, true);
  assert.equal(taken.filter(([, runner]) => runner.alive).length, warmPoolLimits.idleMax);
  await runners.close();
  assert.equal(started.filter((one) => one.alive).length, 0);
});
