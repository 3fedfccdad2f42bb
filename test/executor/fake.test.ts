import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptReport, Executor } from '../../src/executor/executor.ts';
import {
  createFakeExecutor,
  createFakeWorld,
  type FakeBehaviour,
  type FakeExecutor,
  type FakeLook,
} from '../../src/executor/fake.ts';
import {
  executorKeepsItsContract,
  type Behaviour,
  type ExecutorUnderTest,
  type LookBehaviour,
} from '../contract/executor.ts';
import { command, lookSpecOf, specOf } from './workshop.ts';

const succeeded = { kind: 'succeeded', output: { inline: null }, control: null } as const;
const behaviours: Readonly<Record<Behaviour, FakeBehaviour>> = {
  succeeds: { afterMs: 0, outcome: succeeded, heedsWarningAfterMs: 0 },
  fails: { afterMs: 0, outcome: { kind: 'failed', cause: 'code', message: 'no', exitCode: 1 }, heedsWarningAfterMs: 0 },
  'runs on': { afterMs: null, outcome: succeeded, heedsWarningAfterMs: 0 },
  'ignores the warning': { afterMs: null, outcome: succeeded, heedsWarningAfterMs: null },
};

const there = { kind: 'seen', output: { inline: { there: true } } } as const;
const looks: Readonly<Record<LookBehaviour, FakeLook>> = {
  sees: { afterMs: 0, outcome: there, heedsWarningAfterMs: 0 },
  'sees nothing': { afterMs: 0, outcome: { kind: 'not-yet', reason: 'no' }, heedsWarningAfterMs: 0 },
  fails: {
    afterMs: 0,
    outcome: { kind: 'failed', cause: 'code', message: 'Error: it broke' },
    heedsWarningAfterMs: 0,
  },
  'looks on': { afterMs: null, outcome: there, heedsWarningAfterMs: 0 },
  'ignores the warning': { afterMs: null, outcome: there, heedsWarningAfterMs: 60_000 },
};

for (const outlives of [false, true])
  executorKeepsItsContract(outlives ? 'fake that outlives its server' : 'fake', () => underTest(outlives));

async function underTest(outlives: boolean): Promise<ExecutorUnderTest> {
  const world = createFakeWorld(outlives);
  const planned = new Map<string, Behaviour>();
  const plannedLooks = new Map<string, LookBehaviour>();
  const opened: FakeExecutor[] = [];
  const files = new Map<string, { readonly bytes: number }>();
  const findFile: Executor['findFile'] = ({ path }) => Promise.resolve(files.get(path) ?? null);
  const open = (): { executor: FakeExecutor; reports: AttemptReport[] } => {
    const reports: AttemptReport[] = [];
    const behaviour = (spec: { attemptId: string }): FakeBehaviour =>
      behaviours[planned.get(spec.attemptId) ?? 'succeeds'];
    const report = (word: AttemptReport): void => void reports.push(word);
    const look = ({ attemptId }: { attemptId: string }): FakeLook => looks[plannedLooks.get(attemptId) ?? 'sees'];
    const clock = { now: () => 1 };
    const executor = createFakeExecutor({ slots: 4, clock, report, behaviour, world, findFile, look });
    opened.push(executor);
    return { executor, reports };
  };
  const first = open();
  return {
    ...first,
    spec(behaviour) {
      const spec = specOf(command(behaviour));
      planned.set(spec.attemptId, behaviour);
      return spec;
    },
    lookSpec(behaviour) {
      const spec = lookSpecOf('p.ts', null);
      plannedLooks.set(spec.attemptId, behaviour);
      return spec;
    },
    looksAtWork: () => opened.flatMap((each) => each.looking()).length,
    async put(path, text) {
      files.set(path, { bytes: text.length });
    },
    begun: async (attemptId) => world.begun.get(attemptId) ?? 0,
    outlives,
    async next() {
      first.executor.die();
      return open();
    },
    close: () => first.executor.close(),
  };
}

test('it refuses more attempts than it has slots, and what is no JSON', async () => {
  const executor = createFakeExecutor({
    slots: 1,
    clock: { now: () => 1 },
    report: () => {},
    behaviour: () => behaviours['runs on'],
  });
  await executor.start(specOf(command('one')));
  await assert.rejects(executor.start(specOf(command('two'))), /slots/);
  executor.finish(executor.running()[0] ?? '', succeeded);
  await assert.rejects(
    executor.start({ ...specOf(command('two')), timeoutMs: undefined as unknown as number }),
    /no JSON/,
  );
});
