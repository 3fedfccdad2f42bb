import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJob, partsOf } from '../../src/conductor/jobs.ts';

test('a hint is a job of a server, or of a repository whose name may hold anything', () => {
  for (const word of ['news', 'events', 'events:shop', 'poll:a:b', 'schedules:']) assert.ok(isJob(word), word);
  // A newer server on the same database may hint at what this one has no word for.
  for (const word of ['', 'newest', 'news:shop', 'sweep:shop', 'poll']) assert.ok(!isJob(word), word);
});

test('a job of a repository is split at its first colon', () => {
  assert.deepEqual(partsOf('poll:a:b'), ['poll', 'a:b']);
  assert.deepEqual(partsOf('schedules:shop'), ['schedules', 'shop']);
});
