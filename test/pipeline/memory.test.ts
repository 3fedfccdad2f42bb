/** What `memory` and `memoryGrowth` say of a step: by themselves, over those of the pipeline, and of containers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { container, pipeline, step } from '../../src/pipeline/index.ts';
import type { MemoryDefinition } from '../../src/pipeline/definition.ts';
import type { EffortOptions } from '../../src/pipeline/step-options.ts';

const gib = 1024 ** 3;

function memoryOf(define: () => unknown, options: EffortOptions = {}): readonly (MemoryDefinition | undefined)[] {
  const { definition } = pipeline('a', options, () => void define());
  return definition.steps.map(({ memory }) => memory);
}

const command = ['true'];

test('a step without memory has no limit, and the definition that it always had', () => {
  const { definition } = pipeline('a', {}, () => void step('one', { command }));
  assert.equal('memory' in (definition.steps[0] ?? {}), false);
});

test('memory doubles unless another factor is given', () => {
  const given = memoryOf(() => {
    step('one', { command, memory: '2Gi' });
    step('two', { run: () => 1, memory: 2 * gib, retries: 3, memoryGrowth: { limit: '16Gi' } });
    step('three', { run: () => 1, memory: '2Gi', retries: 3, memoryGrowth: { limit: '2Gi', factor: 1.5 } });
  });
  assert.deepEqual(given, [
    { bytes: 2 * gib },
    { bytes: 2 * gib, growth: { factor: 2, limitBytes: 16 * gib } },
    { bytes: 2 * gib, growth: { factor: 1.5, limitBytes: 2 * gib } },
  ]);
});

test('the pipeline gives both to its steps, which may say otherwise', () => {
  const growth = { factor: 2, limitBytes: 16 * gib };
  const given = memoryOf(
    () => {
      step('as-it-says', { command });
      step('other', { command, memory: '4Gi', retries: 0 });
      step('same', { command, memoryGrowth: null });
      step('none', { command, memory: null });
      step('more', { command, memory: '32Gi', memoryGrowth: { limit: '64Gi' } });
    },
    { retries: 2, memory: '2Gi', memoryGrowth: { limit: '16Gi' } },
  );
  assert.deepEqual(given, [
    { bytes: 2 * gib, growth },
    { bytes: 4 * gib, growth },
    { bytes: 2 * gib },
    undefined,
    { bytes: 32 * gib, growth: { factor: 2, limitBytes: 64 * gib } },
  ]);
});

test('the limit among the resources of a container is its memory, whatever the pipeline says', () => {
  const image = 'registry.example/trainer:v3';
  const given = memoryOf(
    () => {
      container('one', { image, resources: { limits: { memory: '4Gi' } } });
      container('two', { image, resources: { requests: { memory: '2Gi' } } });
      container('three', { image, memory: '8Gi' });
      container('four', {
        image,
        resources: { limits: { memory: '4Gi' } },
        retries: 1,
        memoryGrowth: { limit: '8Gi' },
      });
    },
    { memory: '2Gi' },
  );
  assert.deepEqual(given, [
    { bytes: 4 * gib },
    { bytes: 2 * gib },
    { bytes: 8 * gib },
    { bytes: 4 * gib, growth: { factor: 2, limitBytes: 8 * gib } },
  ]);
});
