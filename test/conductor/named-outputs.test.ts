/** What a step names of an output that is stored: its digest is that of the part, whatever else the output holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNamedOutputs } from '../../src/conductor/runs/named-outputs.ts';
import type { ConductorPorts } from '../../src/conductor/ports.ts';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { Json } from '../../src/std/json.ts';
import { stepOf } from '../support/definitions.ts';

async function outcomeOf(stored: Json | null): Promise<AttemptOutcome> {
  const definition = stepOf({ name: 'load', updates: [{ dataset: 'rows', output: ['rows'] }] });
  const run = { steps: new Map([['load', { definition }]]) } as unknown as Run;
  const bytes = stored === null ? null : Buffer.from(JSON.stringify(stored));
  const artifacts = { getBytes: () => Promise.resolve(bytes) } as unknown as ConductorPorts['artifacts'];
  const output = { stored: { $artifact: 'abc', name: 'output.json', bytes: 1 }, lengths: {} };
  const outcome = { kind: 'succeeded', output, control: null } as const;
  const attemptId = 'run/load/0/1';
  const report = await withNamedOutputs({ type: 'finished', attemptId, at: 1, outcome, usage: null }, run, {
    artifacts,
  });
  assert.equal(report.type, 'finished');
  return report.type === 'finished' ? report.outcome : assert.fail();
}

async function digestOf(stored: Json): Promise<string | null | undefined> {
  const outcome = await outcomeOf(stored);
  assert.ok(outcome.kind === 'succeeded' && 'stored' in outcome.output, JSON.stringify(outcome));
  return outcome.output.digests?.['rows'];
}

test('the same part of two outputs has one digest, and another part another', async () => {
  const first = await digestOf({ rows: [1, 2], at: 'monday' });
  assert.equal(await digestOf({ rows: [1, 2], at: 'tuesday' }), first);
  assert.notEqual(await digestOf({ rows: [1, 3], at: 'monday' }), first);
  assert.equal(await digestOf({ rows: { $artifact: 'f00', name: 'rows.csv', bytes: 3 } }), 'f00');
});

test('a part that is missing, or an output that is gone, is a failure of the output', async () => {
  for (const [stored, message] of [
    [{ lines: 1 }, /the output "rows" is missing/],
    [[1], /the output "rows" is missing/],
    [
      null,
      /^the output of step "load", of which `updates` names "rows", cannot be read: output\.json \(SHA-256 abc\) is not in the artifact store any more\. Run it again: contender rerun run --from load$/,
    ],
  ] as const) {
    const outcome = await outcomeOf(stored);
    assert.ok(outcome.kind === 'failed' && outcome.cause === 'output', JSON.stringify(outcome));
    assert.match(outcome.message, message);
  }
});
