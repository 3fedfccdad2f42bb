import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf, replacementReason, replaces } from '../../src/admission/admission.ts';
import type { Trigger } from '../../src/engine/event.ts';
import { pipelineOf } from '../support/definitions.ts';

const tick: Trigger = { kind: 'schedule', tick: 0 };
const push: Trigger = { kind: 'push', branch: 'main', actor: 'ada' };
const sha = 'abcdef0123456789';

test('forbid refuses a run beside one that has not ended, and names the oldest', () => {
  const forbid = pipelineOf([], { overlap: 'forbid' });
  assert.equal(refusalOf(forbid, []), null);
  assert.deepEqual(refusalOf(forbid, ['run-1', 'run-2']), {
    underWay: 'run-1',
    reason: 'A run of example is under way, and its overlap policy is forbid',
  });
  assert.equal(refusalOf(pipelineOf([], { overlap: 'allow' }), ['run-1']), null);
  assert.equal(refusalOf(pipelineOf([], { overlap: 'replace' }), ['run-1']), null);
});

test('replace ends every run under way; cancelInProgress those of the same branch alone', () => {
  assert.equal(replaces(pipelineOf([], { overlap: 'replace' }), tick, push), true);
  const inProgress = pipelineOf([], { cancelInProgress: true });
  assert.equal(replaces(inProgress, push, push), true);
  assert.equal(replaces(inProgress, push, { ...push, branch: 'other' }), false);
  assert.equal(replaces(inProgress, tick, tick), false);
});

test('what is replaced is told by what', () => {
  assert.equal(replacementReason(push, sha), 'a newer commit, abcdef0, replaces it');
  assert.equal(replacementReason(tick, sha), 'the run of a newer tick replaces it');
  assert.equal(replacementReason({ kind: 'manual', actor: 'ada' }, sha), 'a newer run, started by hand, replaces it');
});
