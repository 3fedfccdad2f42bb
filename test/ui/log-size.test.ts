import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyLogText, logSizeText } from '../../src/ui/log-size.ts';

test('an attempt that has ended and whose log was never closed is not said to be writing still', () => {
  assert.equal(emptyLogText({ closed: true, state: 'failed' }), 'It wrote nothing.');
  assert.equal(emptyLogText({ closed: false, state: 'failed' }), 'It wrote nothing that is kept here.');
  assert.equal(emptyLogText({ closed: false, state: 'running' }), 'Nothing written yet.');
});

test('a log whose attempt has ended, and which was never closed, may lack its end', () => {
  assert.equal(logSizeText({ total: 1, closed: true, state: 'success' }), '1 line');
  assert.equal(logSizeText({ total: 2, closed: false, state: 'running' }), '2 lines, still being written');
  assert.match(logSizeText({ total: 2, closed: false, state: 'success' }), /^2 lines, and perhaps more/);
});
