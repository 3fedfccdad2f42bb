import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyLogText } from '../../src/ui/empty-log.ts';

test('an attempt that has ended and whose log was never closed is not said to be writing still', () => {
  assert.equal(emptyLogText({ closed: true, state: 'failed' }), 'It wrote nothing.');
  assert.equal(emptyLogText({ closed: false, state: 'failed' }), 'It wrote nothing that is kept here.');
  assert.equal(emptyLogText({ closed: false, state: 'running' }), 'Nothing written yet.');
});
