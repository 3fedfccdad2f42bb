/** A new server takes up what an earlier one left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const manual = pipelineOf([stepOf({ name: 'only' })], { name: 'manual' });

test('a server does not start where the journal does not tell what runs', async () => {
  const stage = await Stage.open({ pipelines: [manual] });
  const { world } = stage;
  world.attemptMs = 60_000;
  stage.ask('manual');
  await stage.until('an attempt runs', () => (world.server?.executor.running().length ?? 0) > 0);
  world.crash(1000);
  world.refuseReads = 1;
  await stage.until('the run was not read', () => world.refuseReads === 0);
  await stage.until('that server gave up', () => world.server === null, 1000);
  world.attemptMs = 1000;
  await stage.rest();
  assert.equal(stage.run('manual').state, 'success');
});
