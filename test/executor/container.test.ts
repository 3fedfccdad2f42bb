/** This executor has no containers: what a container step runs here is its local command. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AttemptWork } from '../../src/executor/executor.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const container = (changes: Partial<Extract<AttemptWork, { kind: 'container' }>>): AttemptWork => ({
  kind: 'container',
  image: 'trainer:1',
  command: ['false'],
  args: ['--never'],
  environment: {},
  resources: { requests: {}, limits: { memory: '8Gi' } },
  localCommand: null,
  ...changes,
});

test('the local command of a container runs in its place, with its environment', async () => {
  const localCommand = ['sh', '-c', 'echo "\\"$RATE\\""'];
  const outcome = await workshop.run(container({ localCommand, environment: { RATE: { $text: ['0.', 1] } } }));
  assert.deepEqual(outcome, { kind: 'succeeded', output: { inline: '0.1' }, control: null });
});

test('a container without a local command is refused with what to do', async () => {
  assert.deepEqual(await workshop.run(container({})), {
    kind: 'failed',
    cause: 'invalid',
    message:
      '"train" is a container, which the local executor cannot run: give it a local command (local: { command: [...] }) or a cluster',
    exitCode: null,
  });
});
