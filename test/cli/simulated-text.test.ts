import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { simulatedEndLines, simulatedRunLines } from '../../src/cli/simulated-run-text.ts';
import { stopwatchText, utcText } from '../../src/cli/time-text.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { rehearse, type Given } from '../rehearsal/rehearse.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';

const minute = 60_000;
const retry = { count: 2, delayMs: 10 * minute, factor: 1, delayMaxMs: 60 * minute };
const chain = pipelineOf([
  stepOf({ name: 'features' }),
  stepOf({ name: 'train', upstream: ['features'], retry }),
  stepOf({ name: 'deploy', upstream: ['train'] }),
]);

function linesOf(definition: PipelineDefinition, given: Given, columns: number | null = null): readonly string[] {
  return simulatedRunLines(rehearse(definition, given), columns).map(stripVTControlCharacters);
}

test('on a wide terminal the time is drawn: what runs, what waits for its next attempt', () => {
  // The bars take what the terminal leaves: 93 columns less 8 of the names, 17 of the times and 40 of the words.
  assert.deepEqual(linesOf(chain, { outcomes: ['train=failed,success'] }, 93), [
    '  ✓ features  ██                            0:00:00 – 0:01:00  success',
    '  ✓ train       ██····················██    0:01:00 – 0:13:00  success',
    '      0:01:00 failed, 0:12:00 success',
    '  ✓ deploy                              ██  0:13:00 – 0:14:00  success',
  ]);
});

test('what an attempt may take stands beside it', () => {
  const memory = { bytes: 2 ** 31, growth: { factor: 2, limitBytes: 2 ** 34 } };
  const grows = pipelineOf([stepOf({ name: 'train', retry, memory })]);
  const lines = linesOf(grows, { outcomes: ['train=out-of-memory,success'] });
  assert.equal(lines[1], '      0:00:00 out-of-memory (2 GiB), 0:11:00 success (4 GiB)');
});

test('on a narrow terminal, and where there is none, nothing is drawn', () => {
  assert.deepEqual(linesOf(chain, {}, 70), linesOf(chain, {}));
  assert.equal(linesOf(chain, {})[0], '  ✓ features  0:00:00 – 0:01:00  success');
});

test('of many attempts and instances some are shown, and the rest is counted', () => {
  const waiting = pipelineOf([
    stepOf({ name: 'data', work: works.wait({ intervalMs: minute, timeoutMs: 600 * minute, softFail: false }) }),
  ]);
  assert.equal(
    linesOf(waiting, { outcomes: ['data=not-yet*20,success'] })[1],
    '      0:00:00 not-yet, 0:01:00 not-yet, 0:02:00 not-yet, 0:03:00 not-yet, 0:04:00 not-yet, … 15 more …, 0:20:00 success',
  );
  const mapped = pipelineOf([stepOf({ name: 'train', map: mapOver([1, 2, 3, 4, 5, 6, 7, 8]) })]);
  const lines = linesOf(mapped, { outcomes: ['train=failed', 'train[0]=success'] });
  assert.equal(lines.length, 1 + 5 + 1);
  assert.equal(lines[1], '      [1] failed: 0:00:00 failed');
  assert.equal(lines.at(-1), '      … 2 more instances that did not succeed at once');
});

test('a missed deadline is told beside the end', () => {
  const lines = simulatedEndLines(rehearse(pipelineOf(chain.steps, { deadlineMs: 2 * minute })), 2 * minute);
  assert.deepEqual(lines.map(stripVTControlCharacters), [
    'The deadline of 0:02:00 is missed.',
    '✓ success after 0:03:00',
  ]);
});

test('times are in hours, minutes and seconds, and moments have seconds where there are some', () => {
  assert.deepEqual([0, 61_400, 26 * 3_600_000].map(stopwatchText), ['0:00:00', '0:01:01', '1 d 2:00:00']);
  assert.deepEqual([0, 20_000].map(utcText), ['1970-01-01 00:00', '1970-01-01 00:00:20']);
});
