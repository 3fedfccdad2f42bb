/** What of the time counts as seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSight, sightLimits } from '../../../src/executor/kubernetes/sight.ts';

const minute = 60_000;

test('nothing has lasted before the cluster has been seen, and what was before that does not count', () => {
  const sight = createSight();
  assert.equal(sight.lasted(0, 10 * minute), 0);
  assert.deepEqual([sight.isFresh(10 * minute), sight.isQuiet(10 * minute)], [false, false]);
  sight.looked(10 * minute);
  assert.equal(sight.lasted(0, 11 * minute), minute);
  assert.equal(sight.lasted(10.5 * minute, 11 * minute), minute / 2);
});

test('what a watch that stands tells, or lists that follow each other, leaves no gap; what nobody saw is one', () => {
  const sight = createSight();
  sight.looked(0);
  sight.watched(5 * minute);
  sight.looked(6 * minute);
  assert.equal(sight.lasted(0, 6 * minute), 6 * minute);
  sight.looked(16 * minute);
  assert.equal(sight.lasted(0, 16 * minute), 6 * minute);
  assert.equal(sight.lasted(10 * minute, 17 * minute), minute);
});

test('the time in which the server was held up counts once, whatever else was not seen then', () => {
  const sight = createSight();
  sight.looked(0);
  sight.held(2 * minute, 5 * minute);
  assert.equal(sight.lasted(0, 6 * minute), 3 * minute);
  sight.held(4 * minute, 6 * minute);
  sight.looked(6 * minute);
  assert.equal(sight.lasted(0, 7 * minute), minute);
});

test('a word is fresh for some seconds, and long after it somebody has to ask', () => {
  const sight = createSight();
  sight.looked(0);
  assert.deepEqual([sight.isFresh(sightLimits.freshMs), sight.isFresh(sightLimits.freshMs + 1)], [true, false]);
  assert.deepEqual([sight.isQuiet(sightLimits.quietMs), sight.isQuiet(sightLimits.quietMs + 1)], [false, true]);
});

test('of very many gaps the oldest become one, which is none too short', () => {
  const sight = createSight();
  const gaps = 3 * sightLimits.gapsMax;
  for (let at = 0; at <= gaps; at += 1) {
    sight.looked(at * 10 * minute);
    sight.watched((at * 10 + 5) * minute);
  }
  const now = (gaps * 10 + 5) * minute;
  const recent = now - 100 * minute;
  assert.equal(sight.lasted(recent, now), 50 * minute);
  const all = sight.lasted(0, now);
  assert.ok(all > 0 && all <= (gaps + 1) * 5 * minute, String(all));
});
