/** Statuses of runs that nobody asked for: there may be any number of them for one commit, and GitHub takes 1000. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunReport } from '../../../src/forge/forge.ts';
import { emptyReport } from '../reports.ts';
import { valueOf } from './forge-under-test.ts';
import { startHub, type Hub } from './hub.ts';

let hub: Hub;

before(async () => {
  hub = await startHub('token');
});
after(() => hub.close());

/** What GitHub has, after each report: state and sentence. */
async function said(pipeline: string, ...reports: readonly Partial<RunReport>[]): Promise<readonly string[]> {
  for (const [number, report] of reports.entries()) {
    const base = {
      ...emptyReport,
      pipeline,
      sha: hub.sha,
      runNumber: number + 1,
      url: `https://ci.example/runs/${number}`,
    };
    valueOf(await hub.forge.setStatus({ ...base, isAsked: false, ...report }));
  }
  const own = hub.fake.statuses(hub.sha).filter(({ context }) => context === `contender/${pipeline}`);
  return own.map(({ state, description }) => `${state}: ${description}`);
}

const took = (time: string): Partial<RunReport> => ({ state: 'success', summary: `All steps ended well in ${time}` });
const failed = (summary: string): Partial<RunReport> => ({ state: 'failure', summary });

test('what is under way is not told, and the same end once', async () => {
  const running = { state: 'running', summary: 'Running: 0 of 2 steps done' } as const;
  const waiting = { state: 'waiting', summary: 'Waiting for the approval of "ship"' } as const;
  assert.deepEqual(await said('hourly', running, waiting, took('2 min 3 s'), running, took('58 s'), took('1 h')), [
    'success: All steps ended well in 2 min 3 s',
  ]);
});

test('each change of the state or of what it means is told', async () => {
  const better = { state: 'success', summary: 'Champion v7: auc 0.81 is better' } as const;
  assert.deepEqual(
    await said(
      'nightly',
      took('3 s'),
      failed('load failed with code 3'),
      failed('load failed with code 4'),
      failed('gate failed'),
      took('4 s'),
      better,
      { ...better, summary: 'Champion v8: auc 0.9 is better' },
      { ...better, summary: 'Champion v8: auc 0.9 is no better' },
    ),
    [
      'success: All steps ended well in 3 s',
      'failure: load failed with code 3',
      'failure: gate failed',
      'success: All steps ended well in 4 s',
      'success: Champion v7: auc 0.81 is better',
      'success: Champion v8: auc 0.9 is no better',
    ],
  );
});

test('it counts what GitHub shows, and not who has said it or when', async () => {
  const asked = { isAsked: true, ...took('5 s') };
  const pending = { isAsked: true, state: 'running', summary: 'Running' } as const;
  assert.deepEqual(await said('shared', asked, took('6 s'), pending, took('7 s')), [
    'success: All steps ended well in 5 s',
    'pending: Running',
    'success: All steps ended well in 7 s',
  ]);
});

test('however many runs of one commit came to the same, one that fails is seen', async () => {
  const many = Array.from({ length: 20 }, (_, number) => took(`${number} s`));
  assert.deepEqual(await said('often', ...many, failed('load failed')), [
    'success: All steps ended well in 0 s',
    'failure: load failed',
  ]);
});

test('a commit that GitHub does not know yet is worth another try', async () => {
  const report = { ...emptyReport, pipeline: 'early', sha: 'd'.repeat(40), isAsked: true };
  const said = await hub.forge.setStatus({ ...report, ...took('1 s') });
  assert.deepEqual([said.ok, said.ok || said.error.kind], [false, 'early']);
});

test('a status behind the first hundred contexts of its commit is found', async () => {
  const once = ['success: All steps ended well in 1 s'];
  assert.deepEqual(await said('first', took('1 s')), once);
  for (let number = 0; number < 120; number += 1) await set(`other/${number}`, 'success');
  assert.deepEqual(await said('last', took('1 s')), once);
  for (const pipeline of ['first', 'last']) assert.deepEqual(await said(pipeline, took('2 s')), once);
});

test('a status that was set is set again where GitHub has lost it or shows another, and not where it shows it', async () => {
  const report = { ...emptyReport, pipeline: 'kept', sha: hub.sha };
  const shown = (): readonly string[] =>
    hub.fake.statuses(hub.sha).flatMap(({ context, state }) => (context === 'contender/kept' ? [state] : []));
  valueOf(await hub.forge.setStatus(report, true));
  assert.deepEqual(shown(), ['success'], 'lost');
  // A server that has started since remembers nothing.
  const restarted = hub.anotherForge();
  valueOf(await restarted.setStatus(report, true));
  assert.deepEqual(shown(), ['success']);
  await set('contender/kept', 'failure');
  valueOf(await restarted.setStatus(report, true));
  assert.deepEqual(shown(), ['success', 'failure', 'success'], 'overwritten');
});

/** As somebody else does. */
async function set(context: string, state: string): Promise<void> {
  const answer = await fetch(`${hub.fake.url}/repos/octo/churn/statuses/${hub.sha}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.fake.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ state, context }),
  });
  assert.equal(answer.status, 201);
}
