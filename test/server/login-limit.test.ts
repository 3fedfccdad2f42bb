import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginLimit, loginLimits } from '../../src/server/login-limit.ts';

test('an address has so many tries in a minute, each of its own, and one that was right counts no longer', () => {
  let time = 0;
  const limit = new LoginLimit({ now: () => time });
  for (let tried = 0; tried < 20; tried += 1) {
    assert.equal(limit.allows('right'), true);
    limit.succeeded('right');
  }
  for (let tried = 0; tried < loginLimits.tries; tried += 1) assert.equal(limit.allows('wrong'), true);
  assert.equal(limit.allows('wrong'), false);
  assert.equal(limit.allows('other'), true);
  time += loginLimits.withinMs;
  assert.equal(limit.allows('wrong'), true);
});
