import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunnerPool, runnerPoolLimits } from '../../src/executor/local/runner-pool.ts';
import type { RunnerProcess } from '../../src/executor/local/runner-process.ts';
import { until } from './workshop.ts';

interface Fake extends RunnerProcess {
  serve(): void;
}

function pool(idleMs?: number): { pool: ReturnType<typeof createRunnerPool>; started: Fake[] } {
  const started: Fake[] = [];
  const start = (): Fake => {
    const state = { alive: true, served: 0 };
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const fake: Fake = {
      pid: started.length + 1,
      startedAt: '',
      scratch: '',
      leaveScratch: () => '',
      get served() {
        return state.served;
      },
      get alive() {
        return state.alive;
      },
      run: async () => ({ type: 'died', code: 0, signal: null }),
      abort() {},
      kill() {
        state.alive = false;
        end();
      },
      ended,
      serve: () => void (state.served += 1),
    };
    started.push(fake);
    return fake;
  };
  return { pool: createRunnerPool(start, idleMs), started };
}

test('a process goes back to the attempts of its key, and to no other', async () => {
  const { pool: runners } = pool();
  const one = runners.take('a', null);
  runners.giveBack('a', one, true);
  assert.notEqual(runners.take('b', null), one);
  assert.equal(runners.take('a', null), one);
  assert.notEqual(runners.take('a', null), one);
  await runners.close();
});

test('a process is ended after its last attempt, when it is of no use, and when nobody wanted it for a while', async () => {
  const { pool: runners } = pool(1);
  const used = runners.take('a', null) as Fake;
  for (let count = 0; count < runnerPoolLimits.attemptsMax; count += 1) used.serve();
  runners.giveBack('a', used, true);
  assert.equal(used.alive, false);
  const spoilt = runners.take('a', null);
  runners.giveBack('a', spoilt, false);
  assert.equal(spoilt.alive, false);
  const idle = runners.take('a', null);
  runners.giveBack('a', idle, true);
  await until('the idle process to end', () => !idle.alive);
  await runners.close();
});

test('there are never more idle processes than are allowed, and none after the end', async () => {
  const { pool: runners, started } = pool();
  const taken = Array.from(
    { length: runnerPoolLimits.idleMax + 5 },
    (_, key) => [String(key), runners.take(String(key), null)] as const,
  );
  for (const [key, runner] of taken) runners.giveBack(key, runner, true);
  assert.equal(taken.filter(([, runner]) => runner.alive).length, runnerPoolLimits.idleMax);
  await runners.close();
  assert.equal(started.filter((one) => one.alive).length, 0);
});
