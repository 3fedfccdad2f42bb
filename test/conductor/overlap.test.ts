/** Runs of one pipeline beside each other: forbidden, replaced, one after the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullRequest } from '../../src/forge/forge.ts';
import type { Sha } from '../../src/git/git.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const everywhere = { branches: ['**'], tags: [], paths: [] };
const pullRequest = { branches: [], paths: [] };

function pipeline(more: Partial<PipelineDefinition>): PipelineDefinition {
  return pipelineOf(more.steps ?? [stepOf({ name: 'only' })], {
    name: 'own',
    on: { schedule: null, push: everywhere, pullRequest: null },
    ...more,
  });
}

function runs(stage: Stage): readonly KeptRun[] {
  return [...stage.world.history.runs.values()];
}

function states(stage: Stage): readonly string[] {
  return runs(stage).map(({ state }) => state);
}

async function pushAndOpen(stage: Stage, branch = 'main'): Promise<Sha> {
  const before = runs(stage).length;
  const sha = stage.push(branch);
  await stage.until('the run was opened', () => runs(stage).length > before);
  return sha;
}

function startManually(stage: Stage, actor: string) {
  const sha = stage.world.remote.branches.get('main');
  assert.ok(sha !== undefined);
  return (
    stage.world.server?.conductor.runManually({
      repository: 'shop/models',
      pipeline: 'own',
      sha,
      actor,
      logicalDate: null,
      parameters: {},
      key: `asked by ${actor}`,
    }) ?? Promise.resolve(null)
  );
}

function propose(stage: Stage, number: number, branch: string): void {
  const headSha = stage.commit(branch);
  const baseSha = stage.world.remote.branches.get('main') ?? headSha;
  const own: PullRequest = {
    number,
    state: 'open',
    merged: false,
    mergeSha: null,
    headSha,
    headBranch: branch,
    baseBranch: 'main',
    baseSha,
    fork: false,
    author: 'ada',
    title: branch,
  };
  stage.world.remote.pullRequestHeads.add(headSha);
  stage.world.forge.pullRequests.set(number, own);
  stage.hook({ type: 'pull-request', action: 'opened', pullRequest: own, actor: 'ada' }, `pull-request-${headSha}`);
}

async function answerOf(stage: Stage, asked: ReturnType<typeof startManually>): Promise<string> {
  const answers: string[] = [];
  asked.then(
    (answer) => answers.push(JSON.stringify(answer)),
    (error: unknown) => answers.push(String(error)),
  );
  await stage.until('it was answered', () => answers.length > 0);
  return answers.join('');
}

test('where overlap is forbidden, a second push runs nothing, and its commit is told', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ overlap: 'forbid' })] });
  stage.world.attemptMs = 60_000;
  await pushAndOpen(stage);
  const second = stage.push();
  await stage.until('the second push is known', () => stage.world.history.heads.get('main') === second);
  await stage.rest();
  assert.deepEqual(states(stage), ['success']);
  const told = stage.world.forge.statuses.get(`${second} contender/own`);
  assert.match(told?.summary ?? '', /its overlap policy is forbid/);
  assert.equal(told?.state, 'neutral');
  await pushAndOpen(stage);
});

test('where overlap is forbidden, of several causes at once one runs', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ overlap: 'forbid' })] });
  stage.world.attemptMs = 60_000;
  const answers: boolean[] = [];
  for (const actor of ['ada', 'bob', 'eve'])
    void startManually(stage, actor).then((answer) => answers.push(answer?.ok === true));
  await stage.until('all were answered', () => answers.length === 3);
  assert.equal(answers.filter((isRun) => isRun).length, 1);
  assert.equal(runs(stage).length, 1);
});

test('where overlap is forbidden, a push in the first moment of the next server finds what the last one left', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ overlap: 'forbid' })] });
  stage.world.attemptMs = 60_000;
  await pushAndOpen(stage);
  stage.world.crash(1000);
  await stage.until('the next server begins', () => stage.world.server !== null);
  const second = stage.push();
  void startManually(stage, 'ada');
  await stage.until('the second push is known', () => stage.world.history.heads.get('main') === second);
  assert.equal(runs(stage).length, 1);
});

test('where overlap is forbidden, a run whose opening was kept without an answer is in the way', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ overlap: 'forbid' })] });
  stage.world.attemptMs = 60_000;
  stage.interfereOnce('open-run', 'unanswered');
  void startManually(stage, 'ada').catch(() => undefined);
  await stage.until('a run was opened', () => runs(stage).length === 1);
  const second = await answerOf(stage, startManually(stage, 'bob'));
  assert.match(second, /its overlap policy is forbid.*contender runs --state running/);
  await stage.rest();
  assert.equal(runs(stage).length, 1);
});

test('a run that replaces cancels what is under way', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ overlap: 'replace' })] });
  stage.world.attemptMs = 60_000;
  await pushAndOpen(stage, 'a');
  await pushAndOpen(stage, 'b');
  await stage.rest();
  assert.deepEqual(states(stage), ['cancelled', 'success']);
});

test('a run that is replaced ends with its finally-steps, and what waits for its place begins then', async () => {
  const steps = [stepOf({ name: 'only' }), stepOf({ name: 'tidy', finally: true })];
  const stage = await Stage.open({ pipelines: [pipeline({ steps, overlap: 'replace', maxActiveRuns: 1 })] });
  stage.world.attemptMs = 60_000;
  await pushAndOpen(stage, 'a');
  const [older] = runs(stage);
  await stage.until('it runs', () => older?.events.some(({ type }) => type === 'attempt-running') === true);
  for (const branch of ['b', 'c']) await pushAndOpen(stage, branch);
  await stage.rest();
  assert.deepEqual(states(stage), ['cancelled', 'cancelled', 'success']);
  const [, , newest] = runs(stage);
  const begun = newest?.events.find(({ type }) => type === 'attempt-started')?.at ?? 0;
  const tidied = older?.events.find((event) => event.type === 'step-finished' && event.step === 'tidy');
  assert.ok(tidied?.type === 'step-finished' && tidied.state === 'success' && tidied.at <= begun);
});

test('a newer commit cancels the run of its own branch or pull request, and no other', async () => {
  const on = { schedule: null, push: everywhere, pullRequest };
  const stage = await Stage.open({ pipelines: [pipeline({ on, cancelInProgress: true })], slots: 8 });
  stage.world.attemptMs = 100_000;
  await pushAndOpen(stage, 'main');
  await pushAndOpen(stage, 'side');
  propose(stage, 1, 'one');
  propose(stage, 2, 'two');
  await stage.until('all were opened', () => runs(stage).length === 4, 50_000);
  await pushAndOpen(stage, 'side');
  propose(stage, 2, 'two');
  await stage.until('all were opened', () => runs(stage).length === 6, 50_000);
  await stage.rest();
  const outcome = runs(stage).map(({ opened: { trigger }, state }) => [
    trigger.kind === 'pull-request' ? trigger.number : trigger.kind === 'push' ? trigger.branch : trigger.kind,
    state,
  ]);
  const of = (place: string | number): unknown => outcome.filter(([each]) => each === place).map(([, state]) => state);
  assert.deepEqual(of('main'), ['success']);
  assert.deepEqual(of('side'), ['cancelled', 'success']);
  assert.deepEqual(of(1), ['success']);
  assert.deepEqual(of(2), ['cancelled', 'success']);
});

test('a run that a person starts does not cancel another one', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ cancelInProgress: true })] });
  stage.world.attemptMs = 60_000;
  for (const actor of ['ada', 'bob', 'ada']) void startManually(stage, actor);
  await stage.until('both were opened', () => runs(stage).length === 2);
  await stage.rest();
  assert.deepEqual(states(stage), ['success', 'success']);
});

test('as many runs go on as the pipeline allows, the others one after the other', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ maxActiveRuns: 2 })], slots: 8 });
  stage.world.attemptMs = 30_000;
  for (const branch of ['a', 'b', 'c', 'd', 'e']) stage.push(branch);
  let most = 0;
  await stage.until('all have ended', () => {
    most = Math.max(most, stage.world.server?.executor.running().length ?? 0);
    return runs(stage).length === 5 && states(stage).every((state) => state === 'success');
  });
  assert.equal(most, 2);
});

test('where newer commits cancel and one run goes on at a time, the newest of each branch runs, one after the other', async () => {
  const stage = await Stage.open({ pipelines: [pipeline({ maxActiveRuns: 1, cancelInProgress: true })], slots: 8 });
  stage.world.attemptMs = 60_000;
  for (const branch of ['a', 'b', 'a', 'b', 'a']) await pushAndOpen(stage, branch);
  let most = 0;
  await stage.until('all have ended', () => {
    most = Math.max(most, stage.world.server?.executor.running().length ?? 0);
    return states(stage).every((state) => state !== 'running' && state !== 'cancelling');
  });
  await stage.rest();
  assert.deepEqual(states(stage), ['cancelled', 'cancelled', 'cancelled', 'success', 'success']);
  assert.equal(most, 1);
  const begun = runs(stage).map(({ events }) => events.some(({ type }) => type === 'attempt-started'));
  assert.deepEqual(
    begun.slice(1),
    [false, false, true, true],
    'those that were cancelled while they waited never began',
  );
});
