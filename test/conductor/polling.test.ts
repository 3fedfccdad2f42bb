/** What is seen without a webhook. */
import { test } from 'node:test';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const push = { branches: ['main'], tags: [], paths: [] };
const one = pipelineOf([stepOf({ name: 'only' })], { name: 'one', on: { schedule: null, push, pullRequest: null } });

test('a push whose webhook was lost runs within a minute, while others arrive', async () => {
  const stage = await Stage.open({ pipelines: [one] });
  const { history, time } = stage.world;
  // The looks at the remote are due once a minute, and at the forge every two while webhooks arrive.
  for (let count = 0; count < 5; count += 1) {
    stage.hook({ type: 'ping' }, `ping ${count}`);
    const later = time.now + 50_000;
    await stage.until('it is a little later', () => time.now > later);
    stage.commit('main');
    await stage.until('it runs', () => history.runs.size === count + 1, 61_000);
  }
});
