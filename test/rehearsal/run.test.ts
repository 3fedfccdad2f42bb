import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Binding } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { mistakeIn, rehearse, startsOf, stateOf, stepIn } from './rehearse.ts';

const minute = 60_000;
const retry = { count: 2, delayMs: 10 * minute, factor: 1, delayMaxMs: 60 * minute };
const chain = pipelineOf([
  stepOf({ name: 'features' }),
  stepOf({ name: 'train', upstream: ['features'], retry }),
  stepOf({ name: 'deploy', upstream: ['train'] }),
]);

const overOutputOf = (output: string, path: readonly string[] = []): Binding => ({ reference: { output, path } });
const mappedOver = (...over: readonly Binding[]): ReturnType<typeof mapOver> => ({
  ...mapOver(null),
  axes: over.map((binding, place) => ({ name: `axis${place}`, over: binding })),
});

test('nothing said: each step succeeds, one minute after the other', () => {
  const run = rehearse(chain);
  assert.deepEqual(
    run.steps.map(({ name, state, startMs, endMs }) => [name, state, startMs, endMs]),
    [
      ['features', 'success', 0, minute],
      ['train', 'success', minute, 2 * minute],
      ['deploy', 'success', 2 * minute, 3 * minute],
    ],
  );
  assert.deepEqual([run.state, run.reason, run.durationMs], ['success', null, 3 * minute]);
});

test('a step that fails at every attempt is tried again after its back-off, then the run fails', () => {
  const run = rehearse(chain, { outcomes: ['train=failed'] });
  assert.deepEqual(startsOf(run, 'train'), [1, 12, 23]);
  assert.equal(stateOf(run, 'train'), 'failed: pretended: its code fails');
  assert.equal(stateOf(run, 'deploy'), 'upstream_failed: all_success: train is failed');
  assert.equal(stepIn(run, 'deploy').startMs, null);
  assert.deepEqual([run.state, run.reason], ['failed', 'train failed: pretended: its code fails']);
});

test('the outcomes of the attempts come one after the other, and the last of them stays', () => {
  assert.deepEqual(startsOf(rehearse(chain, { outcomes: ['train=failed,success'] }), 'train'), [1, 12]);
  assert.deepEqual(startsOf(rehearse(chain, { outcomes: ['train=failed*2,success'] }), 'train'), [1, 12, 23]);
  assert.equal(rehearse(chain, { outcomes: ['train=failed*2,success'] }).state, 'success');
  assert.equal(rehearse(chain, { outcomes: ['train=failed*3,success'] }).state, 'failed');
});

test('each cause has the retries that the engine gives it', () => {
  const attempts = (word: string): number =>
    stepIn(rehearse(chain, { outcomes: [`features=${word}`] }), 'features').instances[0]?.attempts.length ?? 0;
  assert.deepEqual(['failed', 'out-of-memory', 'output', 'timeout', 'invalid'].map(attempts), [1, 1, 1, 1, 1]);
  assert.deepEqual(['lost', 'evicted', 'start', 'registry'].map(attempts), [4, 4, 4, 4]);
  // Up to a quarter is taken off its five seconds.
  const [first = -1, second = -1] = startsOf(rehearse(chain, { outcomes: ['features=lost,success'] }), 'features');
  assert.ok(first === 0 && second > 1 + 3 / 60 && second <= 1 + 5 / 60, String(second));
});

test('an attempt that runs out of memory gives the next one more, up to the limit', () => {
  const memory = { bytes: 2 ** 31, growth: { factor: 2, limitBytes: 2 ** 32 } };
  const grows = pipelineOf([stepOf({ name: 'train', retry, memory })]);
  const given = (outcome: string): readonly (number | null)[] =>
    (stepIn(rehearse(grows, { outcomes: [`train=${outcome}`] }), 'train').instances[0]?.attempts ?? []).map(
      ({ memoryBytes }) => memoryBytes,
    );
  assert.deepEqual(given('out-of-memory,success'), [2 ** 31, 2 ** 32]);
  assert.deepEqual(given('out-of-memory'), [2 ** 31, 2 ** 32]);
  assert.deepEqual(given('failed'), [2 ** 31, 2 ** 31, 2 ** 31]);
});

test('an attempt takes as long as is said, and never longer than its timeout', () => {
  const given = { durations: ['5m', 'train=20m'] };
  assert.equal(rehearse(chain, given).durationMs, 30 * minute);
  const tooLong = rehearse(chain, { durations: ['features=2h'] });
  assert.equal(stepIn(tooLong, 'features').endMs, 60 * minute);
  assert.equal(stateOf(tooLong, 'features'), 'failed: pretended: it runs longer than its timeout of 1 h 0 min');
  assert.equal(stepIn(rehearse(chain, { outcomes: ['features=timeout'] }), 'features').endMs, 60 * minute);
});

test('a step that skips itself skips what comes after it', () => {
  const run = rehearse(chain, { outcomes: ['features=skipped'] });
  assert.equal(stateOf(run, 'features'), 'skipped: pretended: there is nothing to do');
  assert.equal(stateOf(run, 'train'), 'skipped: all_success: features is skipped');
  assert.equal(run.state, 'success');
});

test('a closed gate fails the run, and what comes after it is skipped', () => {
  const gated = pipelineOf([
    stepOf({ name: 'validate', work: works.gate() }),
    stepOf({ name: 'train', upstream: ['validate'] }),
  ]);
  assert.equal(rehearse(gated).state, 'success');
  const run = rehearse(gated, { outcomes: ['validate=closed'] });
  assert.deepEqual(
    [run.state, stepIn(run, 'validate').state, stepIn(run, 'train').state],
    ['failed', 'failed', 'skipped'],
  );
});

test('a short circuit that stops skips what comes after it, and the run succeeds', () => {
  const checked = pipelineOf([
    stepOf({ name: 'check', work: works.shortCircuit() }),
    stepOf({ name: 'train', upstream: ['check'] }),
  ]);
  const run = rehearse(checked, { outcomes: ['check=stop'] });
  assert.deepEqual(
    [run.state, stepIn(run, 'check').state, stepIn(run, 'train').state],
    ['success', 'success', 'skipped'],
  );
});

test('a branch follows what is said; nothing said, the first of its choices', () => {
  const choices = ['deploy', 'notify', 'report'];
  const branched = pipelineOf([
    stepOf({ name: 'decide', work: works.branch(choices) }),
    ...choices.map((name) => stepOf({ name, upstream: ['decide'] })),
  ]);
  const followed = (outcomes: readonly string[]): readonly string[] =>
    rehearse(branched, { outcomes }).steps.flatMap(({ name, state }) =>
      choices.includes(name) && state === 'success' ? name : [],
    );
  assert.deepEqual(followed([]), ['deploy']);
  assert.deepEqual(followed(['decide=follow:deploy+report']), ['deploy', 'report']);
  assert.deepEqual(followed(['decide=follow:']), []);
});

test('a sensor looks at its interval, takes no time for it, and fails at its timeout', () => {
  const waiting = (softFail: boolean): Parameters<typeof rehearse>[0] =>
    pipelineOf([
      stepOf({
        name: 'features',
        work: works.wait({ intervalMs: 5 * minute, timeoutMs: 12 * minute, softFail }),
      }),
    ]);
  const seen = rehearse(waiting(false), { outcomes: ['features=not-yet*2,success'] });
  assert.deepEqual([startsOf(seen, 'features'), seen.state, seen.durationMs], [[0, 5, 10], 'success', 10 * minute]);
  const never = rehearse(waiting(false), { outcomes: ['features=not-yet'] });
  assert.deepEqual([startsOf(never, 'features'), never.state], [[0, 5, 10, 12], 'failed']);
  assert.equal(stepIn(rehearse(waiting(true), { outcomes: ['features=not-yet'] }), 'features').state, 'skipped');
});

test('what a sensor saw stays when a person would have decided after the end of the run', () => {
  const definition = pipelineOf(
    [
      stepOf({ name: 'here', work: works.wait({ intervalMs: 2 * minute, timeoutMs: 60 * minute, softFail: false }) }),
      stepOf({ name: 'ok', work: works.approval({ timeoutMs: 120 * minute }) }),
    ],
    { runTimeoutMs: 10 * minute },
  );
  const run = rehearse(definition, { outcomes: ['here=not-yet,success'], durations: ['ok=60m'] });
  assert.deepEqual([startsOf(run, 'here'), run.state, run.durationMs], [[0, 2], 'failed', 10 * minute]);
});

test('a sensor whose look failed is looked at once at a time, also where it waits anew at once', () => {
  const work = works.until({ intervalMs: 10 * minute, timeoutMs: 60 * minute, softFail: false });
  const retry = { count: 1, delayMs: 0, factor: 1, delayMaxMs: 0 };
  const run = rehearse(pipelineOf([stepOf({ name: 'ready', work, retry })]), {
    outcomes: ['ready=failed,not-yet,success'],
  });
  assert.deepEqual([startsOf(run, 'ready'), run.state], [[0, 0, 10], 'success']);
});

test('a function that looks fails by the causes of an attempt, within its five minutes, and is looked at again', () => {
  const asked = (given: Parameters<typeof rehearse>[1]): ReturnType<typeof rehearse> =>
    rehearse(
      pipelineOf([
        stepOf({
          name: 'ready',
          work: works.until({ intervalMs: 10 * minute, timeoutMs: 60 * minute, softFail: false }),
          retry: { count: 1, delayMs: 20 * minute, factor: 1, delayMaxMs: 20 * minute },
        }),
      ]),
      given,
    );
  const mended = asked({ outcomes: ['ready=not-yet,failed,success'] });
  assert.deepEqual([startsOf(mended, 'ready'), mended.state], [[0, 10, 30], 'success']);
  const slow = asked({ outcomes: ['ready=not-yet'], durations: ['ready=7m'] });
  assert.deepEqual([startsOf(slow, 'ready'), slow.state, slow.durationMs], [[0, 25], 'failed', 30 * minute]);
  assert.match(stepIn(slow, 'ready').reason ?? '', /longer than its timeout of 5 min/);
});

test('one instance of a mapped step fails, the others do not', () => {
  const mapped = pipelineOf([stepOf({ name: 'train', map: mapOver([1, 2, 3]), retry })]);
  const run = rehearse(mapped, { outcomes: ['train[2]=failed', 'train[0]=failed,success'] });
  assert.deepEqual(
    stepIn(run, 'train').instances.map(({ state, attempts }) => [state, attempts.length]),
    [
      ['success', 2],
      ['success', 1],
      ['failed', 3],
    ],
  );
  assert.match(stateOf(run, 'train'), /^failed: 1 of 3 instances failed; instance 2: /);
});

test('a step that is mapped over an output has three instances, or as many as is said', () => {
  const mapped = pipelineOf([
    stepOf({ name: 'list' }),
    stepOf({
      name: 'train',
      upstream: ['list'],
      map: mappedOver(overOutputOf('list', ['parts']), overOutputOf('list')),
    }),
    stepOf({ name: 'score', upstream: ['train'], map: mappedOver(overOutputOf('train')) }),
    stepOf({ name: 'plot', upstream: ['train'], map: mappedOver(overOutputOf('train', ['1', 'rows'])) }),
  ]);
  const lengths = (given: readonly string[]): readonly number[] =>
    ['train', 'score', 'plot'].map((name) => stepIn(rehearse(mapped, { lengths: given }), name).instances.length);
  assert.deepEqual(lengths([]), [9, 9, 3]);
  assert.deepEqual(lengths(['train=2', 'plot=5']), [4, 4, 5]);
  const none = rehearse(mapped, { lengths: ['train=0'] });
  assert.equal(stateOf(none, 'train'), 'skipped: there is nothing to map over');
  assert.equal(
    stateOf(rehearse(mapped, { lengths: ['train=40'] }), 'train'),
    'failed: maps over 1600 elements (40 × 40), more than its limit of 1024: raise maxLength of the map (at most 10000), or map over fewer',
  );
});

test('what failed has no output to map over', () => {
  const mapped = pipelineOf([
    stepOf({ name: 'list' }),
    stepOf({ name: 'train', upstream: ['list'], triggerRule: 'all_done', map: mappedOver(overOutputOf('list')) }),
  ]);
  const run = rehearse(mapped, { outcomes: ['list=failed'] });
  assert.equal(
    stateOf(run, 'train'),
    'failed: cannot map "axis0": the output of step "list" is null, not a list or a record',
  );
});

test('slots are waited for', () => {
  const wide = pipelineOf(['a', 'b', 'c', 'd'].map((name) => stepOf({ name })));
  assert.equal(rehearse(wide).durationMs, minute);
  assert.equal(rehearse(wide, { slots: 1 }).durationMs, 4 * minute);
  assert.deepEqual(startsOf(rehearse(wide, { slots: 3 }), 'd'), [1]);
});

test('slots of a pool are waited for, and who waits for them is no hindrance to others', () => {
  const gpu = { name: 'gpu', slots: 1 };
  const mixed = pipelineOf([
    stepOf({ name: 'a', pool: gpu }),
    stepOf({ name: 'b', pool: gpu }),
    stepOf({ name: 'c', pool: gpu, priority: 5 }),
    stepOf({ name: 'other' }),
  ]);
  const run = rehearse(mixed, { slots: 2, pools: new Map([['gpu', 1]]) });
  assert.deepEqual(
    ['c', 'other', 'a', 'b'].map((name) => startsOf(run, name)),
    [[0], [0], [1], [2]],
  );
});

test('a pool that there is not fails its step at once, whatever is pretended', () => {
  const run = rehearse(pipelineOf([stepOf({ name: 'a', pool: { name: 'gpu', slots: 1 } })]), { slots: 1 });
  assert.equal(stateOf(run, 'a'), 'failed: there is no pool "gpu"; contender.yaml declares no pools');
  assert.equal(run.durationMs, 0);
});

test('the limits of the run hold: a deadline is told, a timeout ends it', () => {
  const late = rehearse(pipelineOf(chain.steps, { deadlineMs: 2 * minute }));
  assert.deepEqual([late.state, late.deadlineMissed], ['success', true]);
  const run = rehearse(pipelineOf(chain.steps, { runTimeoutMs: 90_000 }));
  assert.deepEqual([run.state, run.durationMs], ['failed', 90_000]);
  assert.deepEqual(
    run.steps.map(({ state }) => state),
    ['success', 'cancelled', 'cancelled'],
  );
  const tidying = pipelineOf([...chain.steps, stepOf({ name: 'tidy', finally: true })], {
    runTimeoutMs: 90_000,
    finallyTimeoutMs: 5 * minute,
  });
  const tidied = rehearse(tidying);
  assert.deepEqual([tidied.state, stateOf(tidied, 'tidy'), tidied.durationMs], ['failed', 'success', 150_000]);
  const endless = rehearse(tidying, { durations: ['tidy=1h'] });
  assert.equal(stateOf(endless, 'tidy'), 'cancelled: the finally-steps were longer than their time limit');
  assert.equal(endless.durationMs, 90_000 + 5 * minute);
});

test('a challenger that is worse leaves the run a success that is refused, one that is not proved better does not', () => {
  const work = works.challenge({
    challenger: { literal: null },
    predictions: { literal: 'rows.csv' },
    promote: 'on-merge',
  });
  const definition = pipelineOf([stepOf({ name: 'churn', work })]);
  const shown = (outcomes: readonly string[]): readonly unknown[] => {
    const run = rehearse(definition, { outcomes });
    return [run.state, run.refused, stepIn(run, 'churn').instances[0]?.verdict];
  };
  assert.deepEqual(shown([]), ['success', false, 'better']);
  assert.deepEqual(shown(['churn=worse']), ['success', true, 'worse']);
  assert.deepEqual(shown(['churn=below-threshold']), ['success', true, 'below-threshold']);
  assert.deepEqual(shown(['churn=inconclusive']), ['success', false, 'inconclusive']);
  assert.deepEqual(shown(['churn=failed']), ['failed', false, null]);
});

test('an approval takes as long as a person is pretended to take, and is decided as pretended', () => {
  const asking = pipelineOf([
    stepOf({ name: 'release', work: works.approval({ timeoutMs: 60 * minute }) }),
    stepOf({ name: 'deploy', upstream: ['release'] }),
  ]);
  const approved = rehearse(asking, { durations: ['release=5m'] });
  assert.deepEqual([approved.state, startsOf(approved, 'deploy')], ['success', [5]]);
  const rejected = rehearse(asking, { outcomes: ['release=reject'] });
  assert.equal(stateOf(rejected, 'release'), 'failed: rejected by simulate');
  const forgotten = rehearse(asking, { outcomes: ['release=timeout'] });
  assert.deepEqual([forgotten.state, forgotten.durationMs], ['failed', 60 * minute]);
  assert.match(
    mistakeIn(asking, { outcomes: ['release=lost'] }).message,
    /"lost" is nothing that the approval "release"/,
  );
});
