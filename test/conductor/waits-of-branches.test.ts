/** Which runs a wait for another pipeline sees: those of what is merged, and of the branch that it is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRun } from '../../src/conductor/read.ts';
import type { Sha } from '../../src/git/git.ts';
import type { WaitWork } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { noRetry, pipelineOf, stepOf } from '../support/definitions.ts';
import { outcomes } from '../support/drive.ts';

const onPush = { schedule: null, push: { branches: ['**'], tags: [], paths: [] }, pullRequest: null };
const base = pipelineOf([stepOf({ name: 'load', retry: noRetry })], { name: 'base', on: onPush });

const ofToday: WaitWork['for'] = {
  condition: 'pipeline',
  pipeline: 'base',
  date: [{ context: 'date' }],
  shiftMs: 0,
  states: ['success'],
};
const work: WaitWork = { kind: 'wait', for: ofToday, intervalMs: 60_000, timeoutMs: 3_600_000, softFail: false };
const waiting = stepOf({ name: 'wait', work });

const byHand = pipelineOf([waiting], { name: 'waiting', on: { schedule: null, push: null, pullRequest: null } });

function runsOf(stage: Stage, pipeline: string): readonly KeptRun[] {
  return [...stage.world.history.runs.values()].filter(({ opened }) => opened.pipeline === pipeline);
}

async function opened(stage: Stage, pipeline: string, begin: () => void): Promise<KeptRun> {
  const before = runsOf(stage, pipeline).length;
  begin();
  await stage.until('it was opened', () => runsOf(stage, pipeline).length > before);
  const run = runsOf(stage, pipeline).at(-1);
  assert.ok(run !== undefined);
  return run;
}

async function ended(stage: Stage, pipeline: string, begin: () => void): Promise<string> {
  const run = await opened(stage, pipeline, begin);
  await stage.until('it has ended', () => run.state !== 'running');
  return run.opened.runId;
}

/** The run that the wait of a run saw. */
async function seen(stage: Stage, { opened: { runId } }: KeptRun): Promise<unknown> {
  const run = await readRun(stage.world.journal, runId);
  const output = run?.steps.get('wait')?.instances?.[0]?.output ?? null;
  return output !== null && 'inline' in output ? output.inline : null;
}

async function passes(stage: Stage, ms: number): Promise<void> {
  const until = stage.world.time.now + ms;
  await stage.until('time has passed', () => stage.world.time.now >= until);
}

test('what a branch made that is not merged satisfies no wait elsewhere', async () => {
  const stage = await Stage.open({ pipelines: [base, byHand] });
  await ended(stage, 'base', () => stage.push('experiment'));
  const aside = stage.commit('aside');
  await ended(stage, 'base', () => stage.ask('base', aside));
  const wait = await opened(stage, 'waiting', () => stage.ask('waiting'));
  await passes(stage, 5 * 60_000);
  assert.equal(wait.state, 'running');
  const merged = await ended(stage, 'base', () => stage.ask('base'));
  await stage.rest();
  assert.deepEqual(await seen(stage, wait), { runId: merged, state: 'success' });
});

test('what fails on a branch that is not merged hides no success', async () => {
  const stage = await Stage.open({ pipelines: [base, byHand] });
  const merged = await ended(stage, 'base', () => stage.push());
  stage.world.attemptMs = 5000;
  const executor = stage.world.server?.executor;
  await ended(stage, 'base', () => {
    stage.push('experiment');
    stage.world.time.later(3000, () => executor?.finish(executor.running()[0] ?? '', outcomes.failed('code')));
  });
  const states = runsOf(stage, 'base').map(({ state }) => state);
  assert.deepEqual(states, ['success', 'failed']);
  const wait = await opened(stage, 'waiting', () => stage.ask('waiting'));
  await stage.rest();
  assert.deepEqual(await seen(stage, wait), { runId: merged, state: 'success' });
});

test('a wait of a branch sees the runs of that branch too', async () => {
  const together = pipelineOf([waiting], { name: 'waiting', on: onPush });
  const stage = await Stage.open({ pipelines: [base, together] });
  let sha: Sha | null = null;
  const wait = await opened(stage, 'waiting', () => {
    sha = stage.push('experiment');
  });
  await stage.rest();
  const own = runsOf(stage, 'base').find(({ opened: { sha: at } }) => at === sha);
  assert.deepEqual(await seen(stage, wait), { runId: own?.opened.runId, state: 'success' });
});

test('a repository that does not answer is waited out, for no longer than the wait has', async () => {
  const stage = await Stage.open({ pipelines: [base, byHand] });
  await ended(stage, 'base', () => stage.push());
  stage.world.faults = { ...stage.world.faults, git: 1 };
  const wait = await opened(stage, 'waiting', () => stage.ask('waiting', stage.world.remote.branches.get('main')));
  await stage.until('its time is over', () => wait.state === 'failed', 2 * 3_600_000);
});
