/** A disk that fills up: nothing is started on it any more, and all goes on by itself when there is room again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room } from '../../src/conductor/room.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const on = { schedule: null, push: { branches: [], tags: [], paths: [] }, pullRequest: null };
const steps = [stepOf({ name: 'first' }), stepOf({ name: 'second', upstream: ['first'] })];
const pair = pipelineOf(steps, { name: 'pair', on });

test('on a full disk what runs ends, nothing more is started, and all goes on when there is room', async () => {
  const said: string[] = [];
  const stage = await Stage.open({ pipelines: [pair], tell: (line) => said.push(line) });
  const { world } = stage;
  world.attemptMs = 30_000;
  stage.push();
  await stage.until('the first step runs', () => world.begun.size === 1);
  world.freeBytes = 2 ** 20;
  await stage.until('it has ended', () => stage.run('pair').events.some(({ type }) => type === 'step-finished'));
  const until = world.time.now + 5 * 60_000;
  await stage.until('some minutes', () => world.time.now > until);
  assert.equal(world.begun.size, 1);
  const reason = 'waits for room on the disk of the state folder (1 MiB free, 1 GiB needed)';
  const second = steps[1];
  assert.ok(second !== undefined);
  assert.equal(world.server?.conductor.whyWaiting(second), reason);
  assert.equal(world.server?.conductor.lackOfRoom(), reason);
  world.freeBytes = 2 ** 40;
  await stage.rest();
  assert.equal(stage.run('pair').state, 'success');
  assert.equal(world.server?.conductor.lackOfRoom(), null);
  assert.equal(said.filter((line) => line.includes('no step is started until there is room')).length, 1);
  assert.equal(said.filter((line) => line.includes('there is room on the disk again')).length, 1);
});

test('a server that begins on a full disk starts nothing', async () => {
  const stage = await Stage.open({ pipelines: [pair] });
  stage.world.freeBytes = 0;
  stage.world.crash(1000);
  await stage.until('the next server', () => stage.world.server?.conducts === true);
  stage.push();
  await stage.until('the run was opened', () => stage.world.history.runs.size === 1);
  const until = stage.world.time.now + 60_000;
  await stage.until('a minute', () => stage.world.time.now > until);
  assert.equal(stage.world.begun.size, 0);
  stage.world.freeBytes = 2 ** 40;
  await stage.rest();
  assert.equal(stage.run('pair').state, 'success');
});

test('of a small disk a twentieth is enough, and one that tells nothing holds nobody up', async () => {
  const said: string[] = [];
  const say = (_fields: object, message: string): void => void said.push(message);
  const disk = { freeBytes: 3 * 2 ** 20, totalBytes: 64 * 2 ** 20, fails: false };
  const room = new Room({
    log: { info: say, warn: say, error: say },
    diskSpace: () => (disk.fails ? Promise.reject(new Error('no such disk')) : Promise.resolve(disk)),
  });
  await room.look();
  assert.equal(room.lack, 'waits for room on the disk of the state folder (3 MiB free, 3.2 MiB needed)');
  disk.freeBytes = 4 * 2 ** 20;
  assert.equal(await room.look(), true);
  assert.equal(room.lack, null);
  disk.fails = true;
  await room.look();
  await room.look();
  assert.equal(room.lack, null);
  assert.equal(said.filter((line) => line.includes('cannot be told')).length, 1);
});
