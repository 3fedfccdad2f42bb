/** What every executor with files promises of checkpoints: the next try finds them, wherever it is; nobody else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { AttemptSpec, Executor } from '../../src/executor/executor.ts';

export interface CheckpointsUnderTest {
  readonly executor: Executor;
  /** A new attempt that carries out this script. */
  readonly spec: (script: string) => AttemptSpec;
  readonly finished: (attemptId: string) => Promise<{ readonly outcome: AttemptOutcome }>;
  readonly close: () => Promise<void>;
}

const leave = (end: string): string =>
  `mkdir -p "$CONTENDER_CHECKPOINT/a/b" && echo half > "$CONTENDER_CHECKPOINT/a/b/state" && ${end}`;
/** How many files there are, and what the one has. */
const find =
  `printf '"%s: %s"' $(find "$CONTENDER_CHECKPOINT" -type f | wc -l) ` +
  `"$(cat "$CONTENDER_CHECKPOINT/a/b/state" 2> /dev/null | tr '\\n' ' ')"`;

export function checkpointsFollow(name: string, create: () => Promise<CheckpointsUnderTest>): void {
  test(`${name}: a checkpoint is found by the next try, by no other, and goes with a success`, async () => {
    const { executor, spec, finished, close } = await create();
    try {
      const run = async (one: AttemptSpec): Promise<AttemptOutcome> => {
        await executor.start(one);
        return (await finished(one.attemptId)).outcome;
      };
      const first = spec(leave('exit 3'));
      const tryOf = (number: number, script: string): AttemptSpec => ({
        ...first,
        attemptId: first.attemptId.replace(/1$/, String(number)),
        context: { ...first.context, attempt: number },
        work: spec(script).work,
      });
      assert.equal(causeOf(await run(first)), 'code');
      // Left as it was found by a try that was longer than its time, warned, and goes on writing.
      const slow = {
        ...tryOf(2, `trap 'echo more >> "$CONTENDER_CHECKPOINT/a/b/state"; exit 0' TERM; sleep 60 & wait`),
        timeoutMs: 4000,
        graceMs: 5000,
      };
      assert.equal(causeOf(await run(slow)), 'timeout');
      assert.equal(lineOf(await run(tryOf(3, find))), '1: half more ');
      assert.equal(lineOf(await run(tryOf(4, find))), '0: ');
      assert.equal(lineOf(await run(spec(find))), '0: ');
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
