/** Times that no timer of Node's holds. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { afterLong } from '../../src/executor/local/long-timer.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Hour by hour: in a longer leap, a timer that is set meanwhile would count from the end of it. */
function pass(context: TestContext, hours: number): void {
  for (let hour = 0; hour < hours; hour += 1) context.mock.timers.tick(hourMs);
}

test('a time above 24.8 days is waited for to its end', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  for (const days of [1, 24, 25, 30, 90]) {
    let calls = 0;
    afterLong(days * dayMs, () => (calls += 1));
    pass(context, days * 24 - 1);
    assert.equal(calls, 0, `${days} days are not over`);
    // An hour for each timer that was set late, because the clock of the test leaps.
    pass(context, 5);
    assert.equal(calls, 1);
    pass(context, 90 * 24);
    assert.equal(calls, 1, 'once');
  }
});

test('what is taken back never comes, in whichever part of the time', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  for (const passed of [0, 1, 26, 59]) {
    const takeBack = afterLong(60 * dayMs, () => assert.fail('it was taken back'));
    pass(context, passed * 24);
    takeBack();
    pass(context, 90 * 24);
  }
});
