import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRun } from '../../src/conductor/read.ts';
import type { RunEvent } from '../../src/engine/event.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { openedOf, outcomes } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

test('a run of any length is read a thousand events at a time', async () => {
  const wide = Array.from({ length: 1000 }, (_, index) => index);
  const definition = pipelineOf([stepOf({ name: 'train', map: mapOver(wide) })]);
  const scenario = new Scenario(definition);
  scenario.proceed(0);
  for (const index of wide) scenario.finished(1, `train[${index}]`, outcomes.succeeded());
  scenario.proceed(2);
  const all: readonly RunEvent[] = [openedOf(), ...scenario.events];
  for (const length of [1, 2, 999, 1000, 1001, 2000, all.length]) {
    const asked: number[] = [];
    const read = await readRun(
      {
        events(_runId, { from, limit } = assert.fail('all at once')) {
          asked.push(from);
          assert.equal(limit, 1000);
          return Promise.resolve(all.slice(0, length).slice(from, from + limit));
        },
        definition: () => Promise.resolve(definition),
      },
      'run',
    );
    assert.equal(read?.position, length);
    assert.deepEqual(asked, [0, 1000, 2000, 3000, 4000].slice(0, 1 + Math.floor(length / 1000)));
    if (length === all.length) assert.deepEqual(read, scenario.folded());
  }
});
