/** Repositories that cannot be read, and a journal that does not answer: how often they are tried, and what is said of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trouble } from '../../src/conductor/trouble.ts';

import { JournalMistake } from '../../src/journal/journal.ts';
import { noFaults } from '../simulation/faults.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

test('what goes wrong is tried again after 2 s, then ever more rarely, never more rarely than otherwise', () => {
  const trouble = new Trouble();
  const waits = Array.from({ length: 7 }, () => trouble.meet('models', 'no answer', 60_000).againMs);
  assert.deepEqual(waits, [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  assert.equal(trouble.meet('other', 'no answer', 2000).againMs, 2000);
  assert.equal(trouble.end('models'), true);
  assert.equal(trouble.end('models'), false);
  assert.equal(trouble.meet('models', 'no answer', 60_000).againMs, 2000);
});

test('it is news when it begins and when it changes', () => {
  const trouble = new Trouble();
  const reasons = ['no answer', 'no answer', 'no such repository', 'no such repository', 'no answer'];
  assert.deepEqual(
    reasons.map((reason) => trouble.meet('models', reason, 60_000).isNews),
    [true, false, true, false, true],
  );
});

test('a remote that does not answer for an hour is said once, and once that it is back', async () => {
  const said: string[] = [];
  const stage = await Stage.open({
    pipelines: [pipelineOf([stepOf({ name: 'only' })], { name: 'quiet' })],
    tell: (line) => said.push(line),
  });
  const { world } = stage;
  const count = (words: string): number => said.filter((line) => line.includes(words)).length;
  world.faults = { ...noFaults, git: 1 };
  const until = world.time.now + 60 * 60_000;
  await stage.until('an hour', () => world.time.now > until, 61 * 60_000);
  assert.equal(count('could not be looked at'), 1);
  assert.equal(count('can be looked at again'), 0);
  world.faults = noFaults;
  await stage.until('it is back', () => count('can be looked at again') === 1);
  stage.push();
  await stage.until('a push is seen', () => world.history.heads.get('main') === world.remote.branches.get('main'));
});

/** Runs that wait for their attempts, on a server that has slots for all of them, and what is said. */
async function busy(runs: number): Promise<{ readonly stage: Stage; readonly said: string[] }> {
  const names = Array.from({ length: runs }, (_, index) => 'busy'.padEnd(4 + index, 'y'));
  const on = { schedule: null, push: { branches: [], tags: [], paths: [] }, pullRequest: null };
  const said: string[] = [];
  const stage = await Stage.open({
    pipelines: names.map((name) => pipelineOf([stepOf({ name: 'only' })], { name, on })),
    slots: runs,
    tell: (line) => said.push(line),
  });
  stage.world.attemptMs = 5000;
  stage.push();
  const running = (): number => stage.world.servers.flatMap(({ executor }) => executor.running()).length;
  await stage.until('all of them run', () => running() === runs);
  said.length = 0;
  return { stage, said };
}

/** Each line has its number and the time of day before it. */
function timeOf(line: string): number {
  return Date.parse(`2026-01-01T${line.split(' ')[1]}Z`);
}

test('a journal that refuses for 20 s while 50 runs are at work is said once, and once that it answers', async () => {
  const { stage, said } = await busy(50);
  const { world } = stage;
  world.faults = { ...noFaults, 'journal-refused': 1 };
  const until = world.time.now + 20_000;
  await stage.until('20 s', () => world.time.now > until);
  const failed = said.filter((line) => line.includes('error'));
  assert.equal(failed.length, 1, failed.join('\n'));
  assert.match(failed[0] ?? '', /the journal does not answer; .* See that .*the database does not answer/);
  world.faults = noFaults;
  const answers = (): readonly string[] => said.filter((line) => line.includes('the journal answers again'));
  await stage.until('it is said that the journal answers', () => answers().length > 0);
  await stage.rest();
  const later = answers();
  assert.equal(later.length, 1);
  assert.match(later[0] ?? '', /"failures":\d{2,}/);
  assert.equal(said.filter((line) => line.includes('error')).length, 1);
});

test('a journal that fails now and then is said no oftener than each second', async () => {
  const { stage, said } = await busy(20);
  const { world } = stage;
  world.faults = { ...noFaults, 'journal-refused': 0.5 };
  await stage.until('all runs ended', () => world.history.unfinished.size === 0);
  world.faults = noFaults;
  await stage.rest();
  const times = said.filter((line) => line.includes('the journal')).map(timeOf);
  assert.ok(times.length >= 1);
  for (const [index, at] of times.entries()) assert.ok(index === 0 || at - (times[index - 1] ?? 0) >= 1000);
});

test('what is wrong with two runs alone is said of each of them, once', async () => {
  const { stage, said } = await busy(3);
  const { world } = stage;
  const broken = new Set([...world.history.runs.keys()].slice(0, 2));
  world.interfere = (commits) => {
    const wrong = commits.flat().find((write) => write.write === 'append' && broken.has(write.runId));
    if (wrong !== undefined) throw new JournalMistake('a constraint does not hold');
    return null;
  };
  const until = world.time.now + 60_000;
  await stage.until('a minute', () => world.time.now > until);
  for (const run of broken)
    assert.equal(said.filter((line) => line.includes('could not be kept') && line.includes(run)).length, 1);
  assert.equal(said.filter((line) => line.includes('the journal')).length, 0);
  world.interfere = () => null;
  await stage.rest();
  assert.equal(said.filter((line) => line.includes('the run goes on again')).length, 2);
});
