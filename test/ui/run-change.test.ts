import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evolve, open } from '../../src/engine/engine.ts';
import { drive, openedOf, outcomes } from '../support/drive.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { applyChange, changeBetween } from '../../src/ui/run-change.ts';
import { viewOf } from './views.ts';

const definition = pipelineOf([
  stepOf({ name: 'load', retry: { count: 1, delayMs: 1000, factor: 1, delayMaxMs: 1000 } }),
  stepOf({ name: 'each', upstream: ['load'], map: mapOver([1, 2, 3]) }),
  stepOf({ name: 'train', upstream: ['each'] }),
  stepOf({ name: 'report', upstream: ['train'] }),
]);

test('a view with the changes applied is the view after them, for every event of a run', () => {
  const { events } = drive(definition, ({ step, attempt }) =>
    step === 'load' && attempt === 1
      ? outcomes.failed()
      : step === 'train'
        ? outcomes.failed()
        : outcomes.succeeded({ n: 1 }),
  );
  const run = open(definition, openedOf());
  let seen = viewOf(run);
  for (const event of events) {
    evolve(run, event);
    const after = viewOf(run);
    seen = applyChange(seen, JSON.parse(JSON.stringify(changeBetween(seen, after))));
    assert.deepEqual(seen, after);
  }
  assert.ok(events.length > 15);
});

test('only the steps that changed are sent', () => {
  const run = open(definition, openedOf());
  const before = viewOf(run);
  evolve(run, { type: 'step-scheduled', at: 1, step: 'load', index: 0 });
  const { steps, fields } = changeBetween(before, viewOf(run));
  assert.deepEqual(
    steps.map((step) => step.name),
    ['load'],
  );
  assert.equal('challenges' in fields, false);
});
