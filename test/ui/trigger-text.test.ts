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
