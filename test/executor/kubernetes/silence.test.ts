/** When an agent counts as silent. */
import assert from 'node:assert/strict';
import { podPatience } from '../../../src/executor/kubernetes/pod-end.ts';
import { until } from '../workshop.ts';
import { checkHeld, running, said } from './under-faults.ts';

let isAway = false;

checkHeld(
  'an agent that no server could hear is not silent before the next one has waited for it',
  () => isAway,
  async (given) => {
    const { fake, harbour, leap } = given;
    const { id } = await running(given);
    isAway = true;
    fake.disturbances.loseNode();
    leap(10 * podPatience.nodeMs);
    const watches = fake.count('watch', 'pods');
    const next = await harbour.next();
    await next.executor.recover([id]);
    await until('its watch', () => fake.count('watch', 'pods') > watches);
    fake.disturbances.findNode();
    await next.executor.stop(id, 'cancelled', 0);
    assert.match(said((await harbour.finished(id)).outcome), /^cancelled: /);
  },
);
