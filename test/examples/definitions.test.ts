/** What the pipelines of docs/examples say of themselves, as they are compiled from a commit. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { firingsBetween, intervalOf, parseSchedule, type Schedule } from '../../src/calendar/calendar.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import { commitOf } from '../compile/sources.ts';

const examples = join(import.meta.dirname, '../../docs/examples');
const compiler = await createCompiler();
after(() => compiler.close());

async function compiled(example: string): Promise<ReadonlyMap<string, PipelineDefinition>> {
  const folder = join(examples, example);
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path)]));
  const versions = (await compiler.compile(commitOf(files))).map(({ version, problems }) => {
    assert.deepEqual(problems, []);
    assert.ok(version !== null);
    return version.definition;
  });
  return new Map(versions.map((definition) => [definition.name, definition]));
}

function scheduleOf({ on, name }: PipelineDefinition): Schedule {
  const parsed = on.schedule === null ? null : parseSchedule(on.schedule.cron, on.schedule.timeZone);
  assert.ok(parsed?.ok === true, `${name} has a schedule`);
  return parsed.value;
}

const weekly = await compiled('weekly-churn');
const full = await compiled('full-training');
const churn = weekly.get('weekly-churn');
const features = weekly.get('daily-features');
const training = full.get('full-training');
assert.ok(churn !== undefined && features !== undefined && training !== undefined);

function stepOf(definition: PipelineDefinition, name: string): StepDefinition {
  const found = definition.steps.find((step) => step.name === name);
  assert.ok(found !== undefined, `${definition.name} has a step ${name}`);
  return found;
}

test('weekly churn runs on Mondays at 02:00, one run at a time, and is missed after six hours', () => {
  assert.deepEqual(churn.on.schedule, { cron: '0 2 * * 1', timeZone: 'Europe/Berlin', catchup: 'none' });
  assert.equal(churn.maxActiveRuns, 1);
  assert.equal(churn.deadlineMs, 6 * 3_600_000);
  assert.deepEqual(churn.notify, { deadline: ['ml-team'], failure: ['ml-team'], approval: ['ml-team'] });
});

test('weekly churn waits for a Sunday that daily-features will have in time, in summer and in winter', () => {
  const { work } = stepOf(churn, 'wait-for-daily-features');
  assert.ok(work.kind === 'wait' && work.for.condition === 'pipeline');
  const { shiftMs } = work.for;
  const [start, end] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)];
  const daily = scheduleOf(features);
  const dailyTicks = firingsBetween(daily, start, end + 7 * 86_400_000, 1000);
  const tickByDate = new Map(dailyTicks.map((tick) => [dateOf(intervalOf(daily, tick).start), tick]));

  const ticks = firingsBetween(scheduleOf(churn), start, end, 100);
  assert.equal(ticks.length, 52);
  for (const tick of ticks) {
    const waited = dateOf(Date.parse(dateOf(intervalOf(scheduleOf(churn), tick).start)) + shiftMs);
    assert.equal(new Date(waited).getUTCDay(), 0, `${waited} is a Sunday`);
    const loaded = tickByDate.get(waited) ?? Number.POSITIVE_INFINITY;
    assert.ok(
      Math.abs(loaded - tick) <= 3_600_000,
      `the features of ${waited} come about ${new Date(tick).toISOString()}`,
    );
  }
});

test('weekly churn trains in a container with its own resources, and elsewhere by a command', () => {
  const { work, pod } = stepOf(churn, 'train');
  assert.ok(work.kind === 'container');
  assert.notEqual(work.localCommand, null);
  assert.deepEqual(work.resources.requests, { cpu: '200m', memory: '128Mi' });
  assert.ok(pod !== undefined);
});

test('a full training is judged by a gain of 0.005 and an accuracy of 0.90', () => {
  const { work } = stepOf(training, 'evaluate');
  assert.ok(work.kind === 'challenge');
  const { metric, threshold, minAbsoluteChange } = work;
  assert.deepEqual(
    { metric, threshold, minAbsoluteChange },
    { metric: 'accuracy', threshold: 0.9, minAbsoluteChange: 0.005 },
  );
});

test('a full training is mapped over what a step before it makes', () => {
  const axes = stepOf(training, 'train').map?.axes ?? [];
  assert.match(JSON.stringify(axes), /"output":"search","path":\["settings"\]/);
});

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
