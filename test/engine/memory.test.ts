import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memoryOf } from '../../src/engine/engine.ts';
import type { FailureCause } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { MemoryDefinition } from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';
import { drive, outcomes } from '../support/drive.ts';

const gib = 1024 ** 3;
const retry = { count: 10, delayMs: 1000, factor: 1, delayMaxMs: 1000 };
const growth = { factor: 2, limitBytes: 16 * gib };

/** The memory of each attempt of a step whose attempts end by `causes`, then well. */
function driven(
  memory: MemoryDefinition | null,
  causes: readonly FailureCause[],
): { run: Run; given: (number | null)[] } {
  const train = stepOf({ name: 'train', retry, ...(memory === null ? {} : { memory }) });
  const { run } = drive(pipelineOf([train]), ({ attempt }) => {
    const cause = causes[attempt - 1];
    return cause === undefined ? outcomes.succeeded() : outcomes.failed(cause, 'it broke');
  });
  const attempts = run.steps.get('train')?.instances?.[0]?.attempts ?? [];
  return { run, given: attempts.map(({ number }) => memoryOf(run, { step: 'train', index: 0, attempt: number })) };
}

test('each attempt that runs out of memory doubles that of the next, up to the limit', () => {
  const { run, given } = driven({ bytes: 3 * gib, growth }, ['out-of-memory', 'out-of-memory', 'out-of-memory']);
  assert.deepEqual(given, [3 * gib, 6 * gib, 12 * gib, 16 * gib]);
  assert.equal(run.state, 'success');
});

test('other failures neither give more memory nor take it away', () => {
  const causes = ['code', 'out-of-memory', 'lost', 'timeout', 'out-of-memory', 'evicted'] as const;
  const { given } = driven({ bytes: gib, growth }, causes);
  assert.deepEqual(
    given,
    [1, 1, 2, 2, 2, 4, 4].map((times) => times * gib),
  );
});

test('an attempt that runs out of memory at the limit is the last, and the reason says so', () => {
  const { run, given } = driven({ bytes: 8 * gib, growth }, Array<FailureCause>(5).fill('out-of-memory'));
  assert.deepEqual(given, [8 * gib, 16 * gib]);
  assert.equal(run.steps.get('train')?.reason, 'it broke; its memory may not grow beyond 16 GiB');
  assert.equal(run.state, 'failed');
});

test('at the limit, what fails otherwise is tried again as ever', () => {
  const { run, given } = driven({ bytes: 16 * gib, growth }, ['code', 'lost']);
  assert.deepEqual([run.state, given.length], ['success', 3]);
});

test('memory that does not grow stays the same, and so does none', () => {
  const causes = ['out-of-memory', 'out-of-memory'] as const;
  assert.deepEqual(driven({ bytes: gib }, causes).given, [gib, gib, gib]);
  assert.deepEqual(driven(null, causes).given, [null, null, null]);
});

test('the retries of the step count for those who run out of memory too', () => {
  const train = stepOf({ name: 'train', retry: { ...retry, count: 1 }, memory: { bytes: gib, growth } });
  const { run } = drive(pipelineOf([train]), () => outcomes.failed('out-of-memory', 'it broke'));
  assert.equal(run.steps.get('train')?.reason, 'it broke');
  assert.equal(run.steps.get('train')?.instances?.[0]?.attempts.length, 2);
});

test('instances of a mapped step grow each by itself', () => {
  const each = stepOf({ name: 'each', retry, map: mapOver([1, 2]), memory: { bytes: gib, growth } });
  const { run } = drive(pipelineOf([each]), ({ index, attempt }) =>
    index === 1 && attempt === 1 ? outcomes.failed('out-of-memory') : outcomes.succeeded(),
  );
  assert.equal(memoryOf(run, { step: 'each', index: 0, attempt: 1 }), gib);
  assert.equal(memoryOf(run, { step: 'each', index: 1, attempt: 2 }), 2 * gib);
});

test('no attempt may take more than the limit, or less than the one before', () => {
  const cause = fc.constantFrom<FailureCause>('out-of-memory', 'out-of-memory', 'code', 'lost');
  const memory = fc.record({
    bytes: fc.integer({ min: 2 ** 24, max: 2 ** 34 }),
    factor: fc.double({ min: 1.1, max: 100, noNaN: true }),
    more: fc.integer({ min: 0, max: 2 ** 40 }),
  });
  fc.assert(
    fc.property(memory, fc.array(cause, { maxLength: 14 }), ({ bytes, factor, more }, causes) => {
      const { given } = driven({ bytes, growth: { factor, limitBytes: bytes + more } }, causes);
      const numbers = given.map((each) => each ?? assert.fail('there is no limit'));
      for (const [place, each] of numbers.entries()) {
        assert.ok(Number.isSafeInteger(each) && each <= bytes + more && each >= (numbers[place - 1] ?? bytes));
      }
      const outOfMemory = (place: number): boolean => causes[place] === 'out-of-memory';
      for (const place of numbers.keys()) {
        if (place > 0 && outOfMemory(place - 1)) assert.ok((numbers[place] ?? 0) > (numbers[place - 1] ?? 0));
      }
    }),
  );
});
