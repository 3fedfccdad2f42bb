import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChangesAsked, readEvent, readRunlessReport, storedEvent } from '../../src/conductor/stored.ts';
import { reportChanges, reportWithoutRun, type RunlessReport } from '../../src/conductor/reports/report-writes.ts';
import type { ForgeEvent } from '../../src/forge/forge.ts';
import { isJsonObject, type Json } from '../../src/std/json.ts';

const pullRequest = {
  number: 7,
  state: 'open',
  merged: false,
  mergeSha: null,
  headSha: 'a'.repeat(40),
  headBranch: 'x',
  baseBranch: 'main',
  baseSha: 'b'.repeat(40),
  fork: false,
  author: 'ada',
  title: 'A "title"\n',
} as const;

const events: readonly ForgeEvent[] = [
  { type: 'push', ref: 'refs/heads/main', before: null, after: 'a'.repeat(40), actor: 'ada' },
  { type: 'pull-request', action: 'opened', pullRequest, actor: 'ada' },
  { type: 'comment', pullRequest: 7, commentId: '1', body: '/retest', actor: 'ada', actorIsBot: false },
  { type: 'rerequested', sha: 'a'.repeat(40), runId: null, actor: 'ada' },
  { type: 'ping' },
  { type: 'ignored', reason: 'it means nothing' },
];

/** As the journal gives it back. */
function throughText(value: Json): Json {
  return JSON.parse(JSON.stringify(value));
}

test('every event of a forge comes back from the journal as it was', () => {
  for (const event of events) {
    const stored = throughText(storedEvent(event));
    assert.ok(isJsonObject(stored));
    assert.deepEqual(readEvent(stored), event);
  }
});

test('an event that another version wrote is none, rather than something else', () => {
  for (const body of [{}, { type: 'merge-group' }, { type: 'push', ref: 'refs/heads/main' }])
    assert.equal(readEvent(body), null);
});

test('a report without a run comes back with its problems', () => {
  const report: RunlessReport = {
    repository: 'shop/models',
    pipeline: 'churn',
    sha: 'a'.repeat(40),
    pullRequest: 7,
    baseSha: 'b'.repeat(40),
    state: 'error',
    summary: 'It is broken',
    problems: [
      { code: 'definition-syntax', message: 'm', where: { file: 'f', line: 1, column: 2 }, help: 'h' },
      { code: 'definition-threw', message: 'm', where: null, help: 'h' },
    ],
    coveredBy: null,
  };
  const bodies = reportWithoutRun(report, 1).flatMap((write) =>
    write.write === 'outbox' ? [throughText(write.body)] : [],
  );
  assert.equal(bodies.length, 3);
  for (const body of bodies) {
    assert.ok(isJsonObject(body));
    assert.deepEqual(readRunlessReport(body), report);
    const { baseSha: _notYet, ...older } = body;
    assert.deepEqual(readRunlessReport(older), { ...report, baseSha: null });
  }
});

test('what is asked for the pipelines without a comment of their own comes back', () => {
  const write = reportChanges('shop/models', pullRequest, 1);
  assert.ok(write.write === 'outbox');
  const body = throughText(write.body);
  assert.ok(isJsonObject(body));
  const { headSha, baseSha, baseBranch, fork } = pullRequest;
  assert.deepEqual(readChangesAsked(body), {
    repository: 'shop/models',
    pullRequest: 7,
    headSha,
    baseSha,
    baseBranch,
    fork,
  });
  assert.equal(readChangesAsked({}), null);
});
