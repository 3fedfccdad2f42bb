/** What every executor with files promises of checkpoints: the next try finds them, wherever it is; nobody else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { AttemptSpec, Executor } from '../../src/executor/executor.ts';
import { until } from '../executor/workshop.ts';

/** What one try does. It finds the number of files, and what is in the one that others leave. */
export type CheckpointStep = 'leaves half and fails' | 'leaves more when it is warned' | 'says what it finds';

export interface StepsUnderTest<Step> {
  readonly executor: Executor;
  /** A new attempt that does so. */
  readonly spec: (step: Step) => AttemptSpec;
  readonly finished: (attemptId: string) => Promise<{ readonly outcome: AttemptOutcome }>;
  readonly log: (attemptId: string) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

export function checkpointsFollow(name: string, create: () => Promise<StepsUnderTest<CheckpointStep>>): void {
  test(`${name}: a checkpoint is found by the next try, by no other, and goes with a success`, async () => {
    const { executor, spec, finished, log, close } = await create();
    try {
      const run = async (one: AttemptSpec): Promise<AttemptOutcome> => {
        await executor.start(one);
        return (await finished(one.attemptId)).outcome;
      };
      const first = spec('leaves half and fails');
      const tryOf = (number: number, as: CheckpointStep): AttemptSpec => ({
        ...first,
        attemptId: first.attemptId.replace(/1$/, String(number)),
        context: { ...first.context, attempt: number },
        work: spec(as).work,
      });
      assert.equal(causeOf(await run(first)), 'code');
      // Left as it was found by a try that is warned, and goes on writing.
      const slow = tryOf(2, 'leaves more when it is warned');
      await executor.start(slow);
      await until('it listens', async () => ((await log(slow.attemptId)).includes('ready') ? true : undefined));
      await executor.stop(slow.attemptId, 'timeout', 60_000);
      assert.equal(causeOf((await finished(slow.attemptId)).outcome), 'timeout');
      assert.equal(lineOf(await run(tryOf(3, 'says what it finds'))), '1: half more ');
      // The end is told before the files are gone, so that a try may see them go.
      let number = 3;
      await until('the checkpoint to be removed', async () => {
        number += 1;
        const outcome = await run(tryOf(number, 'says what it finds'));
        return outcome.kind === 'succeeded' && lineOf(outcome) === '0: ' ? true : undefined;
      });
      assert.equal(lineOf(await run(spec('says what it finds'))), '0: ');
    } finally {
      await close();
    }
  });
}

function causeOf(outcome: AttemptOutcome): string {
  return outcome.kind === 'failed' ? outcome.cause : outcome.kind;
}

function lineOf(outcome: AttemptOutcome): unknown {
  assert.ok(outcome.kind === 'succeeded', outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : '');
  return 'inline' in outcome.output ? outcome.output.inline : null;
}
