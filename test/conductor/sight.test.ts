/** What a wait for another pipeline, or a step of it, sees: over a real journal in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Project } from '../../src/conductor/ports.ts';
import { awaitedBy } from '../../src/conductor/waits/awaited.ts';
import { Sight } from '../../src/conductor/waits/sight.ts';
import { decide, looksAwaited, open } from '../../src/engine/engine.ts';
import type { LookOutcome, RunEvent, RunOpened, Trigger } from '../../src/engine/event.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import type { PipelineDefinition, WaitWork } from '../../src/pipeline/definition.ts';
import { success } from '../../src/std/result.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { at, openRun, opened, repository, runId, versionsWrite } from '../support/journal-values.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const day = Date.UTC(2026, 2, 29);

const daily = pipelineOf(
  [
    stepOf({ name: 'load' }),
    stepOf({ name: 'each', upstream: ['load'], map: mapOver([1, 2]) }),
    stepOf({ name: 'tidy', upstream: ['each'], triggerRule: 'all_failed' }),
  ],
  { name: 'churn' },
);

interface Earlier extends Partial<RunOpened> {
  /** How each step's attempts end, in the order of their starts; those beyond go on. */
  readonly ends?: readonly ('success' | 'failed')[];
  readonly cancelled?: boolean;
}

/** Runs of the pipeline, in the order of their opening. */
async function journalOf(runs: readonly Earlier[]): Promise<Journal> {
  const journal = await openSqliteJournal({ directory: null, clock: { now: () => 0 } });
  const definitions = new Map<string, PipelineDefinition>(
    [...versionsWrite.definitions.keys()].map((key) => [key, daily]),
  );
  await journal.commit([[{ ...versionsWrite, definitions }]]);
  for (const [number, { ends = [], cancelled = false, ...changes }] of runs.entries()) {
    await journal.commit([[openRun(runId(number), changes)]]);
    const run = open(daily, opened(runId(number), changes));
    const events: RunEvent[] = decide(run, { type: 'proceed', at, admit: () => true });
    for (const end of ends) {
      const [instance, step] = [...run.active][0] ?? [];
      assert.ok(instance !== undefined && step !== undefined);
      const key = { step: step.definition.name, index: instance.index, attempt: 1 };
      const outcome =
        end === 'success'
          ? ({ kind: 'succeeded', output: { inline: null }, control: null } as const)
          : ({ kind: 'failed', cause: 'code', message: 'it broke', exitCode: 1 } as const);
      events.push(...decide(run, { type: 'report-finished', at, key, outcome, usage: null, admit: () => true }));
    }
    if (cancelled) {
      events.push(...decide(run, { type: 'cancel', at, by: 'ada', reason: '' }));
    }
    const becomes = { state: run.state, reason: run.reason, finishedAt: run.finishedAt };
    await journal.commit([[{ write: 'append', runId: runId(number), position: 1, events, becomes }]]);
  }
  return journal;
}

/** What a wait in a run of that date sees. */
async function look(
  runs: readonly Earlier[],
  given: Partial<Extract<WaitWork['for'], { condition: 'pipeline' }>> & { readonly logicalDate?: number } = {},
  git: object | null = null,
): Promise<LookOutcome> {
  const { logicalDate = day, ...changes } = given;
  const base = { condition: 'pipeline', pipeline: 'churn', date: [{ context: 'date' as const }], shiftMs: 0 } as const;
  return lookFor(runs, { ...base, states: ['success'], ...changes }, logicalDate, git);
}

async function lookFor(
  runs: readonly Earlier[],
  condition: WaitWork['for'],
  logicalDate = day,
  git: object | null = null,
): Promise<LookOutcome> {
  const journal = await journalOf(runs);
  const work: WaitWork = { kind: 'wait', for: condition, intervalMs: 1000, timeoutMs: 10_000, softFail: false };
  const run = open(
    pipelineOf([stepOf({ name: 'wait', work })]),
    opened(runId(9999), { pipeline: 'example', logicalDate }),
  );
  decide(run, { type: 'proceed', at, admit: () => false });
  const [awaitedLook] = looksAwaited(run);
  assert.ok(awaitedLook !== undefined);
  const awaited = awaitedBy(run, awaitedLook);
  assert.ok(awaited.ok);
  const never = (): never => assert.fail('nothing else is looked at');
  const sight = new Sight({
    journal,
    executor: { findFile: never, look: never },
    sensors: { look: never },
    // oxlint-disable-next-line typescript/consistent-type-assertions -- Git is all that is asked
    projects: new Map(git === null ? [] : [[repository, { git } as Project]]),
  });
  return awaited.value.judge(await sight.look(awaited.value.subject, 1, new AbortController().signal));
}

const all = ['success', 'success', 'success'] as const;
const seen = (number: number, state = 'success'): LookOutcome => {
  return { kind: 'seen', output: { inline: { runId: runId(number), state } } };
};
const notYet = (reason: string): LookOutcome => ({ kind: 'not-yet', reason });

test('a date without a time is any moment of that day', async () => {
  const run = { logicalDate: day + hourMs, ends: all };
  assert.deepEqual(await look([run], { logicalDate: day + 20 * hourMs }), seen(0));
  assert.deepEqual(await look([{ ...run, logicalDate: day - 1 }]), notYet('there is no run of churn for 2026-03-29'));
  assert.deepEqual(
    await look([{ ...run, logicalDate: day + dayMs }]),
    notYet('there is no run of churn for 2026-03-29'),
  );
  assert.deepEqual(await look([{ ...run, logicalDate: day - dayMs }], { shiftMs: -dayMs }), seen(0));
});

test('a date with a time is the logical date itself', async () => {
  const exact = { date: [{ context: 'timestamp' as const }] };
  const run = { logicalDate: day + hourMs, ends: all };
  assert.deepEqual(await look([run], { ...exact, logicalDate: day + hourMs }), seen(0));
  assert.deepEqual(await look([run], { ...exact, logicalDate: day + 2 * hourMs, shiftMs: -hourMs }), seen(0));
  assert.deepEqual(
    await look([run], { ...exact, logicalDate: day }),
    notYet('there is no run of churn for 2026-03-29T00:00:00.000Z'),
  );
});

test('the newest run of the date decides, and of a day the one of the latest date', async () => {
  const [good, bad] = [
    { logicalDate: day, ends: all },
    { logicalDate: day, ends: ['failed', 'failed'] as const },
  ];
  assert.deepEqual(await look([bad, good]), seen(1));
  assert.deepEqual(await look([good, bad]), notYet('churn#2 is failed, and success is waited for'));
  assert.deepEqual(await look([good, bad], { states: ['success', 'failed'] }), seen(1, 'failed'));
  assert.deepEqual(await look([{ ...good, logicalDate: day + hourMs }, bad]), seen(0));
});

test('a run or step that ended in one of the states that it may not end in is waited for no longer', async () => {
  const bad = { logicalDate: day, ends: ['failed', 'failed'] as const };
  const failStates = ['failed', 'cancelled'] as const;
  const otherwise = (reason: string): LookOutcome => ({ kind: 'ended-otherwise', reason });
  const why = 'churn#1 is failed, and success is waited for';
  assert.deepEqual(await look([bad], { failStates }), otherwise(why));
  assert.deepEqual(await look([bad], { failStates: ['cancelled'] }), notYet(why));
  assert.deepEqual(
    await look([bad, { logicalDate: day }], { failStates }),
    notYet(why.replace('1 is failed', '2 is running')),
  );
  assert.deepEqual(await look([bad, { logicalDate: day, ends: all }], { failStates }), seen(1));
  const ofStep = { condition: 'step', pipeline: 'churn', date: [{ context: 'date' as const }], shiftMs: 0 } as const;
  const states = ['success'] as const;
  assert.deepEqual(
    await lookFor([bad], { ...ofStep, step: 'each', states, failStates: ['upstream_failed'] }),
    otherwise('each in churn#1 is upstream_failed, and success is waited for'),
  );
  assert.equal((await lookFor([bad], { ...ofStep, step: 'each', states, failStates: ['failed'] })).kind, 'not-yet');
});

test('a run that goes on is waited for, and so is one after a cancel', async () => {
  const wait = { states: ['success', 'failed'] as const };
  assert.deepEqual(
    await look([{ logicalDate: day, ends: ['success'] }], wait),
    notYet('churn#1 is running, and success or failed is waited for'),
  );
  const cancelled = { logicalDate: day, ends: ['success', 'success', 'success'] as const, cancelled: true };
  assert.deepEqual(await look([cancelled], wait), seen(0), 'it had ended before');
});

test('runs of pull requests try a change out, and count for nobody else', async () => {
  const first: Trigger = {
    kind: 'pull-request',
    number: 1,
    branch: 'try',
    baseBranch: 'main',
    baseSha: 'a'.repeat(40),
    actor: 'ada',
    fork: false,
  };
  const tried = { logicalDate: day, ends: ['failed', 'success'] as const, trigger: first };
  assert.deepEqual(await look([{ logicalDate: day, ends: all }, tried]), seen(0));
  const again: Trigger = { kind: 'rerun', of: runId(0), steps: 'all', actor: 'ada', first };
  assert.deepEqual(
    await look([tried, { logicalDate: day, ends: all, trigger: again }]),
    notYet('there is no run of churn for 2026-03-29'),
  );
});

test('Git is asked once in a look, however many runs of branches there are', async () => {
  const asked: string[] = [];
  const answer = (name: string, found: unknown) => () => {
    asked.push(name);
    return Promise.resolve(success(found));
  };
  const git = {
    defaultBranch: answer('defaultBranch', 'main'),
    fetch: answer('fetch', undefined),
    resolve: () => Promise.resolve(success('')),
    isAncestor: () => Promise.resolve(success(false)),
  };
  const pushed: Trigger = { kind: 'push', branch: 'try', actor: 'ada' };
  const byHand: Trigger = { kind: 'manual', actor: 'ada' };
  const runs = [pushed, byHand, pushed, byHand].map((trigger) => ({ logicalDate: day, ends: all, trigger }));
  const found = await look(runs, {}, git);
  assert.deepEqual(found, notYet('there is no run of churn for 2026-03-29'));
  assert.deepEqual(asked, ['defaultBranch', 'fetch']);
});

test('a step is looked at in the newest run, before that has ended too', async () => {
  const wait = (step: string, states: Extract<WaitWork['for'], { condition: 'step' }>['states']): WaitWork['for'] => {
    return { condition: 'step', pipeline: 'churn', step, date: '2026-03-29', shiftMs: 0, states };
  };
  const going = [{ logicalDate: day, ends: ['success', 'success'] as const }];
  const found = (step: string, state: string): LookOutcome => {
    return { kind: 'seen', output: { inline: { runId: runId(0), step, state } } };
  };
  assert.deepEqual(await lookFor(going, wait('load', ['success'])), found('load', 'success'));
  assert.deepEqual(
    await lookFor(going, wait('each', ['success', 'failed'])),
    notYet('each in churn#1 is queued, and success or failed is waited for'),
    'a mapped step has not ended before the last of its instances',
  );
  const failed = [{ logicalDate: day, ends: ['success', 'failed', 'success'] as const }];
  assert.deepEqual(await lookFor(failed, wait('each', ['failed'])), found('each', 'failed'));
  const broken = [{ logicalDate: day, ends: ['failed', 'success'] as const }];
  assert.deepEqual(
    await lookFor(broken, wait('each', ['success', 'upstream_failed'])),
    found('each', 'upstream_failed'),
  );
  const skipped = [{ logicalDate: day, ends: all }];
  assert.deepEqual(await lookFor(skipped, wait('tidy', ['skipped'])), found('tidy', 'skipped'));
  assert.deepEqual(await lookFor(skipped, wait('train', ['success'])), notYet('churn#1 has no step train'));
});
