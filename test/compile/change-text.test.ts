import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeSentences, diffVersions } from '../../src/compile/compile.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

function sentencesOf(before: PipelineDefinition | null, after: PipelineDefinition | null): readonly string[] {
  return changeSentences(diffVersions(before, after), 100).sentences;
}

function running(command: readonly string[], given: Partial<StepDefinition> = {}): PipelineDefinition {
  return pipelineOf([stepOf({ name: 'train', ...given, work: { kind: 'command', command, environment: {} } })]);
}

test('steps, edges and fields are told with what was and what is', () => {
  const schedule = { cron: '0 2 * * 1', timeZone: 'UTC', catchup: 'none' } as const;
  const image = (tag: string, memory: string): StepDefinition =>
    stepOf({
      name: 'train',
      upstream: ['load'],
      timeoutMs: tag === '1' ? 3_600_000 : 7_200_000,
      ...(tag === '1' ? {} : { memory: { bytes: 2 ** 31 } }),
      work: {
        kind: 'container',
        image: `train:${tag}`,
        command: [],
        args: [],
        environment: {},
        resources: { requests: {}, limits: { memory } },
        localCommand: null,
      },
    });
  const on = { schedule, push: null, pullRequest: null };
  const before = pipelineOf(
    [stepOf({ name: 'load' }), image('1', '2Gi'), stepOf({ name: 'tell', upstream: ['train'] })],
    { on },
  );
  const after = pipelineOf(
    [
      stepOf({ name: 'load' }),
      stepOf({ name: 'clean', upstream: ['load'] }),
      { ...image('2', '4Gi'), upstream: ['clean'] },
    ],
    { on: { ...on, schedule: { ...schedule, cron: '0 3 * * 1' } } },
  );
  assert.deepEqual(sentencesOf(before, after), [
    'on.schedule.cron: "0 2 * * 1" → "0 3 * * 1"',
    'step "clean" is new',
    'step "train": timeoutMs: 1 h 0 min → 2 h 0 min',
    'step "train": image: "train:1" → "train:2"',
    'step "train": resources.limits.memory: "2Gi" → "4Gi"',
    'step "train": memory: none → {"bytes":2147483648}',
    'step "tell" is gone',
    'step "clean" now waits for load',
    'step "train" now waits for clean',
    'step "train" no longer waits for load',
    'step "tell" no longer waits for train',
  ]);
});

test('a pipeline that comes or goes is told by its steps', () => {
  const one = pipelineOf([stepOf({ name: 'a' }), stepOf({ name: 'b' })]);
  assert.deepEqual(sentencesOf(null, one), ['step "a" is new', 'step "b" is new']);
  assert.deepEqual(sentencesOf(one, null), ['step "a" is gone', 'step "b" is gone']);
});

test('of long values that part late, the place where they part is seen', () => {
  const padding = 'x'.repeat(5000);
  const [sentence = ''] = sentencesOf(
    running(['sh', '-c', `${padding} && train`]),
    running(['sh', '-c', `${padding} && steal`]),
  );
  assert.match(sentence, /^step "train": command: …x+ && train"\] → …x+ && steal"\]$/);
  assert.ok(sentence.length < 100, sentence);
});

test('a sentence is short whatever the values and their places are, and no more are made than are asked for', () => {
  const environment = (value: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`NAME_${at}_${'Y'.repeat(1000)}`, value.repeat(5000)]));
  const work = (value: string): StepDefinition['work'] => ({
    kind: 'command',
    command: ['true'],
    environment: environment(value),
  });
  const [before, after] = ['a', 'b'].map((value) => pipelineOf([stepOf({ name: 'train', work: work(value) })]));
  assert.ok(before !== undefined && after !== undefined);
  const { sentences, count } = changeSentences(diffVersions(before, after), 7);
  assert.deepEqual([sentences.length, count], [7, 500]);
  for (const sentence of sentences) assert.ok(sentence.length < 400, sentence);
});
