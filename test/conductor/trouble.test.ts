/** Repositories that cannot be read: how often they are tried, and what is said of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trouble } from '../../src/conductor/trouble.ts';
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
