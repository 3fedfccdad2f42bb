import assert from 'node:assert/strict';
import { test } from 'node:test';
import { triggerOf } from '../../src/ui/ui.ts';
import { opened } from '../support/journal-values.ts';

const links = { commitUrl: () => null, pullRequestUrl: (number: number) => `https://forge/pulls/${number}` };

test('a run of a backfill says for which date it is, and who asked for it', () => {
  const trigger = { kind: 'backfill', backfill: '01kc3v9q', actor: 'mona' } as const;
  const run = opened('x', { trigger, logicalDate: Date.UTC(2026, 10, 1, 2) });
  assert.deepEqual(triggerOf(run, links), { text: 'backfill of 2026-11-01 by mona', branch: null, pullRequest: null });
});

test('a run that follows another, or is for news of data, says so', () => {
  const after = { pipeline: 'features', upstream: 'x', state: 'success', branch: 'main', depth: 1 } as const;
  assert.deepEqual(triggerOf(opened('y', { trigger: { kind: 'pipeline', ...after } }), links), {
    text: 'after a run of features: success',
    branch: 'main',
    pullRequest: null,
  });
  const event = { id: 'e', dataset: 'lake', digest: null, at: 1, runId: null };
  const trigger = { kind: 'data', events: [event, { ...event, id: 'f' }], count: 2, depth: 1 } as const;
  assert.equal(triggerOf(opened('z', { trigger }), links).text, 'started by news of lake');
});
