/** What every executor makes of the code that a program ends with, whatever it runs in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { StepsUnderTest } from './checkpoints.ts';

const rows: readonly [script: string, kind: string, exitCode: number | null][] = [
  ['exit 0', 'succeeded', null],
  ['exit 3', 'code', 3],
  ['exit 99', 'skipped', null],
];

/** The steps are scripts of a shell. */
export function exitsAreRead(name: string, create: () => Promise<StepsUnderTest<string>>): void {
  test(`${name}: the code that a program ends with says whether it failed, or had nothing to do`, async () => {
    const { executor, spec, finished, close } = await create();
    try {
      for (const [script, kind, exitCode] of rows) {
        const one = spec(script);
        await executor.start(one);
        const { outcome } = await finished(one.attemptId);
        assert.deepEqual(readOf(outcome), { kind, exitCode }, `${script}: ${JSON.stringify(outcome)}`);
        if (outcome.kind === 'skipped') assert.match(outcome.reason, /ended with code 99/);
      }
    } finally {
      await close();
    }
  });
}

function readOf(outcome: AttemptOutcome): { readonly kind: string; readonly exitCode: number | null } {
  return outcome.kind === 'failed'
    ? { kind: outcome.cause, exitCode: outcome.exitCode }
    : { kind: outcome.kind, exitCode: null };
}
