import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyLogText, logSizeText } from '../../src/ui/log-size.ts';

test('an attempt that has ended and whose log was never closed is not said to be writing still', () => {
  assert.equal(emptyLogText({ closed: true, state: 'failed', removed: null }), 'It wrote nothing.');
  assert.equal(emptyLogText({ closed: false, state: 'failed', removed: null }), 'It wrote nothing that is kept here.');
  assert.equal(emptyLogText({ closed: false, state: 'running', removed: null }), 'Nothing written yet.');
});

const removed = 'removed 30d after the end of the run';

test('a log that was removed for its age is said so, and one of which anything is known is not', () => {
  assert.equal(emptyLogText({ closed: false, state: 'failed', removed }), `This log was ${removed}.`);
  assert.equal(emptyLogText({ closed: true, state: 'failed', removed }), 'It wrote nothing.');
  assert.equal(logSizeText({ total: 0, closed: false, state: 'success', removed }), removed);
  assert.equal(logSizeText({ total: 1, closed: true, state: 'success', removed }), '1 line');
});

test('a log whose attempt has ended, and which was never closed, may lack its end', () => {
  assert.equal(logSizeText({ total: 1, closed: true, state: 'success', removed: null }), '1 line');
  assert.equal(
    logSizeText({ total: 2, closed: false, state: 'running', removed: null }),
    '2 lines, still being written',
  );
  assert.match(logSizeText({ total: 2, closed: false, state: 'success', removed: null }), /^2 lines, and perhaps more/);
});
