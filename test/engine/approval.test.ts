import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approvalsAwaited, nextWakeAt } from '../../src/engine/engine.ts';
import type { ApprovalWork, PipelineDefinition } from '../../src/pipeline/definition.ts';
import { pipelineOf, stepOf, works } from '../support/definitions.ts';
import { openedAt, outcomes } from '../support/drive.ts';
import { Scenario } from '../support/scenario.ts';

function releasing(given: Partial<ApprovalWork> = {}, more: Partial<PipelineDefinition> = {}): Scenario {
  const steps = [
    stepOf({ name: 'train' }),
    stepOf({
      name: 'release',
      upstream: ['train'],
      retry: { count: 5, delayMs: 0, factor: 1, delayMaxMs: 0 },
      work: works.approval({ timeoutMs: 60_000, ...given }),
    }),
    stepOf({ name: 'deploy', upstream: ['release'] }),
  ];
  const scenario = new Scenario(pipelineOf(steps, more), 1);
  scenario.proceed(0);
  return scenario;
}

/** The approval waits since second 10. */
function waiting(given: Partial<ApprovalWork> = {}, more: Partial<PipelineDefinition> = {}): Scenario {
  const scenario = releasing(given, more);
  scenario.finished(10, 'train', outcomes.succeeded({ auc: 0.91 }));
  assert.equal(scenario.run.steps.get('release')?.state, 'deferred');
  return scenario;
}

test('an approval asks with what the steps before found, and holds no slot', () => {
  const scenario = releasing({ message: ['Release a model of ', { output: 'train', path: ['auc'] }, '?'] });
  assert.deepEqual(scenario.finished(10, 'train', outcomes.succeeded({ auc: 0.91 })), [
    'train success',
    'ask about release: Release a model of 0.91? until 70',
  ]);
  assert.equal(scenario.run.active.size, 0);
  assert.equal(nextWakeAt(scenario.run), openedAt + 70_000);
  const [asked] = approvalsAwaited(scenario.run);
  assert.deepEqual([asked?.step, asked?.message], ['release', 'Release a model of 0.91?']);
});

test('a message over values that only a runner could read names them', () => {
  const artifact = { $artifact: 'a'.repeat(64), name: 'model.json', bytes: 5 };
  const scenario = releasing({ message: ['Release ', { output: 'train', path: ['model'] }, '?'] });
  scenario.finished(10, 'train', outcomes.succeeded({ model: artifact }));
  assert.equal(approvalsAwaited(scenario.run)[0]?.message, 'Release model.json?');
});

test('a message that cannot be made fails the step with the reason', () => {
  const scenario = releasing({ message: [{ output: 'train', path: ['loss'] }] });
  const [, said] = scenario.finished(10, 'train', outcomes.succeeded({ auc: 1 }));
  assert.match(said ?? '', /^release failed \(the output of step "train" has no key "loss"/);
});

test('approved, it gives who, why and when, and the run goes on', () => {
  const scenario = waiting();
  assert.deepEqual(scenario.decide(20, 'release', 'approve', 'ada', 'looks good'), [
    'ada: approve release',
    'release success',
  ]);
  assert.deepEqual(scenario.proceed(20), ['start deploy']);
  const at = new Date(openedAt + 20_000).toISOString();
  assert.deepEqual(scenario.run.steps.get('release')?.instances?.[0]?.output, {
    inline: { by: 'ada', reason: 'looks good', at },
  });
});

test('rejected, it fails with who and why, or is skipped; it is not tried again', () => {
  const failed = waiting();
  assert.deepEqual(failed.decide(20, 'release', 'reject', 'eve', 'too slow'), [
    'eve: reject release',
    'release failed (rejected by eve: too slow)',
  ]);
  assert.deepEqual(failed.proceed(20), [
    'deploy upstream_failed (all_success: release is failed)',
    'run failed (release failed: rejected by eve: too slow)',
  ]);
  const skipped = waiting({ onReject: 'skip' });
  assert.deepEqual(skipped.decide(20, 'release', 'reject', 'eve').at(-1), 'release skipped (rejected by eve)');
  assert.deepEqual(skipped.proceed(20).at(-1), 'run success');
});

test('the first decision counts; another, or one about nothing that waits, changes nothing', () => {
  const early = releasing();
  assert.deepEqual(early.decide(1, 'release', 'approve'), [], 'it does not wait yet');
  const scenario = waiting();
  assert.deepEqual(scenario.decide(20, 'train', 'approve'), []);
  assert.deepEqual(scenario.decide(20, 'nowhere', 'approve'), []);
  scenario.decide(20, 'release', 'approve');
  assert.deepEqual(scenario.decide(21, 'release', 'reject', 'eve'), []);
});

test('undecided, it fails at the end of its time, or is skipped', () => {
  const scenario = waiting();
  assert.deepEqual(scenario.proceed(69.9), []);
  assert.equal(scenario.proceed(70)[0], 'release failed (timeout: nobody decided within 1 min 0 s)');
  assert.deepEqual(scenario.decide(71, 'release', 'approve'), []);
  assert.equal(
    waiting({ softFail: true }).proceed(70)[0],
    'release skipped (timeout: nobody decided within 1 min 0 s)',
  );
});

test('a decision that comes to the turn before the time limit does counts, however late the turn', () => {
  const scenario = waiting();
  assert.equal(scenario.decide(500, 'release', 'approve').at(-1), 'release success');
  assert.deepEqual(scenario.proceed(500), ['start deploy']);
});

test('a cancel, and the time limit of the run, end the waiting', () => {
  const cancelled = waiting();
  assert.deepEqual(cancelled.cancel(20), [
    'cancelled by ada',
    'release cancelled (cancelled by ada: wrong data)',
    'deploy cancelled (cancelled by ada: wrong data)',
    'run cancelled (cancelled by ada: wrong data)',
  ]);
  assert.deepEqual(cancelled.decide(21, 'release', 'approve'), []);
  const timedOut = waiting({}, { runTimeoutMs: 30_000 });
  assert.equal(timedOut.proceed(30)[0], 'run-timed-out');
  assert.equal(timedOut.run.state, 'failed');
});

test('an approval that is last ends the run with its decision', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'release', work: works.approval() })]), 1);
  scenario.proceed(0);
  assert.equal(scenario.decide(1, 'release', 'approve').at(-1), 'run success');
});

test('a run that waits is the same as its journal gives it back', () => {
  const scenario = waiting({ message: 'Go?' });
  assert.deepEqual(approvalsAwaited(scenario.folded()), approvalsAwaited(scenario.run));
  scenario.decide(20, 'release', 'approve');
  const folded = scenario.folded();
  assert.deepEqual(folded.steps.get('release')?.instances, scenario.run.steps.get('release')?.instances);
});
