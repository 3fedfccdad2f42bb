/** Pipelines that follow the end of another: each gets one run for it, or a record of why not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndTrigger, PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { silentGit, Stage } from '../simulation/stage.ts';
import type { GitRepository } from '../../src/git/git.ts';
import { failure } from '../../src/std/result.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { digest, finish, openRun, runId, versionsWrite } from '../support/journal-values.ts';

const onPush = {
  schedule: null,
  push: { branches: ['**'], tags: [], paths: [] },
  pullRequest: { branches: [], paths: [] },
};

function upstream(more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return pipelineOf([stepOf({ name: 'only' })], { name: 'upstream', on: onPush, ...more });
}

function follower(by: Partial<EndTrigger> = {}, more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  const end: EndTrigger = { name: 'upstream', states: ['success'], branches: [], ...by };
  return pipelineOf([stepOf({ name: 'only' })], {
    name: 'follower',
    on: { schedule: null, push: null, pullRequest: null, pipelines: [end] },
    ...more,
  });
}

async function open(...pipelines: readonly PipelineDefinition[]): Promise<Stage> {
  return Stage.open({ pipelines, slots: 16 });
}

function runsOf(stage: Stage, pipeline: string): readonly KeptRun[] {
  return [...stage.world.history.runs.values()].filter(({ opened }) => opened.pipeline === pipeline);
}

async function ended(stage: Stage, count = 1): Promise<void> {
  await stage.until('the upstream has ended', () => {
    const runs = runsOf(stage, 'upstream');
    return runs.length >= count && runs.every(({ state }) => state !== 'running' && state !== 'cancelling');
  });
  await stage.rest();
}

async function reason(stage: Stage, pipeline = 'follower'): Promise<string | null | undefined> {
  const [first] = runsOf(stage, 'upstream');
  return (await stage.world.journal.trigger(`pipeline:${first?.opened.runId}:${pipeline}`))?.reason;
}

test('a success on the default branch is followed at the same commit, for the same date', async () => {
  const stage = await open(upstream(), follower());
  const sha = stage.push();
  await ended(stage);
  const [first] = runsOf(stage, 'upstream');
  const [second, ...more] = runsOf(stage, 'follower');
  assert.deepEqual(second?.opened.trigger, {
    kind: 'pipeline',
    pipeline: 'upstream',
    upstream: first?.opened.runId,
    state: 'success',
    branch: 'main',
    depth: 1,
  });
  assert.deepEqual([second.opened.sha, second.opened.logicalDate], [sha, first?.opened.logicalDate]);
  assert.deepEqual(more, []);
});

test('what follows a follower knows how many stand before it', async () => {
  const third = pipelineOf([stepOf({ name: 'only' })], { ...follower({ name: 'follower' }), name: 'third' });
  const stage = await open(upstream(), follower(), third);
  stage.push();
  await ended(stage);
  const [last] = runsOf(stage, 'third');
  assert.equal(last?.opened.trigger.kind === 'pipeline' ? last.opened.trigger.depth : 0, 2);
});

test('a run of another branch is followed only where its branch is listened to', async () => {
  const stage = await open(upstream(), follower(), { ...follower({ branches: ['feature-*'] }), name: 'branches' });
  stage.push('feature-1');
  await ended(stage);
  assert.equal(await reason(stage), 'it was for feature-1, which it does not listen to');
  assert.equal(runsOf(stage, 'follower').length, 0);
  assert.equal(runsOf(stage, 'branches').length, 1);
});

test('an end in another state is none of its business, and any state may be', async () => {
  const stage = await open(upstream(), follower(), { ...follower({ states: ['cancelled'] }), name: 'mourner' });
  stage.world.attemptMs = 60_000;
  stage.push();
  await stage.until('the upstream runs', () => runsOf(stage, 'upstream').length === 1);
  stage.cancel(stage.run('upstream'));
  await ended(stage);
  assert.equal(runsOf(stage, 'follower').length, 0);
  assert.equal(await reason(stage), undefined);
  assert.equal(runsOf(stage, 'mourner').length, 1);
});

test('a run of a pull request starts nothing', async () => {
  const stage = await open(upstream({ on: { ...onPush, push: null } }), follower({ branches: ['**'] }));
  const headSha = stage.commit('feature-1');
  const baseSha = stage.world.remote.branches.get('main');
  assert.ok(baseSha !== undefined);
  stage.world.remote.pullRequestHeads.add(headSha);
  const names = { headBranch: 'feature-1', baseBranch: 'main', author: 'grace', title: 'x' };
  const state = { state: 'open', merged: false, mergeSha: null, fork: false } as const;
  const pullRequest = { number: 1, ...state, headSha, baseSha, ...names };
  stage.world.forge.pullRequests.set(1, pullRequest);
  stage.hook({ type: 'pull-request', action: 'opened', pullRequest, actor: 'grace' });
  await ended(stage);
  assert.equal(await reason(stage), 'it was for pull request #1, which is not merged');
  assert.equal(runsOf(stage, 'follower').length, 0);
});

test('a run that a person starts at a commit of the default branch is followed', async () => {
  const stage = await open(upstream({ on: { ...onPush, push: null } }), follower());
  stage.ask('upstream');
  await ended(stage);
  assert.equal(runsOf(stage, 'follower').length, 1);
});

test('a run that a person starts at another commit is not, though its branch is gone meanwhile', async () => {
  const stage = await open(upstream({ on: { ...onPush, push: null } }), follower());
  const { remote, server } = stage.world;
  const sha = stage.push('feature-1');
  await stage.rest();
  const actor = { actor: 'ada', logicalDate: null, parameters: {}, key: 'ada' };
  void server?.conductor.runManually({ repository: 'shop/models', pipeline: 'upstream', sha, ...actor });
  await stage.until('it was opened', () => runsOf(stage, 'upstream').length === 1);
  remote.branches.delete('feature-1');
  await ended(stage);
  assert.equal(await reason(stage), `it was started by hand at ${sha.slice(0, 7)}, which is not on main`);
});

test('a re-run that ends well is an end of its own', async () => {
  const stage = await open(upstream(), follower());
  stage.push();
  await ended(stage);
  const { runId } = stage.run('upstream').opened;
  void stage.world.server?.conductor.rerun({ runId, steps: 'all', atHead: false, actor: 'ada', key: 'again' });
  await ended(stage, 2);
  assert.deepEqual(
    runsOf(stage, 'follower').map(({ opened }) => (opened.trigger.kind === 'pipeline' ? opened.trigger.upstream : '')),
    runsOf(stage, 'upstream').map(({ opened }) => opened.runId),
  );
});

test('where a run of the follower is under way and none may be beside it, the record says so', async () => {
  const stage = await open(upstream(), follower({}, { overlap: 'forbid' }));
  stage.world.attemptMs = 30_000;
  stage.push();
  const isAtWork = (): boolean =>
    runsOf(stage, 'follower').some(({ events }) => events.some(({ type }) => type === 'attempt-running'));
  await stage.until('the follower runs', isAtWork);
  stage.world.attemptMs = 100;
  stage.push();
  await stage.until('the second has ended', () => runsOf(stage, 'upstream')[1]?.state === 'success');
  await stage.rest();
  const [, second] = runsOf(stage, 'upstream');
  const record = await stage.world.journal.trigger(`pipeline:${second?.opened.runId}:follower`);
  assert.match(record?.reason ?? '', /A run of follower is under way/);
  assert.equal(runsOf(stage, 'follower').length, 1);
});

test('a parameter that has to be given is a reason', async () => {
  const rows = { type: 'number', default: null, description: null, choices: null } as const;
  const stage = await open(upstream(), follower({}, { parameters: { rows } }));
  stage.push();
  await ended(stage);
  assert.match((await reason(stage)) ?? '', /parameter "rows" \(number\) has no default/);
});

test('a chain that the compiler could not see ends by itself', async () => {
  const again = follower({ name: 'follower' });
  const stage = await open(
    upstream(),
    follower(
      {},
      {
        on: {
          ...again.on,
          pipelines: [
            { name: 'upstream', states: ['success'], branches: [] },
            { name: 'follower', states: ['success'], branches: [] },
          ],
        },
      },
    ),
  );
  stage.push();
  await ended(stage);
  const runs = runsOf(stage, 'follower');
  assert.equal(runs.length, 16);
  const record = await stage.world.journal.trigger(`pipeline:${runs.at(-1)?.opened.runId}:follower`);
  assert.equal(record?.reason, '16 runs have started one another already');
});

test('an end that nobody could follow for more than a day is too old', async () => {
  const stage = await open(upstream(), follower());
  stage.interfereOnce('run-finished', 'unanswered');
  stage.push();
  await stage.until(
    'the end was kept',
    () => stage.world.history.unfinished.size === 0 && runsOf(stage, 'upstream').length === 1,
  );
  stage.world.crash(25 * 3_600_000);
  await stage.until('a server is up again', () => stage.world.server?.conducts === true, 26 * 3_600_000);
  const [first] = runsOf(stage, 'upstream');
  const key = `pipeline:${first?.opened.runId}:follower`;
  await stage.until('it was looked at', () => stage.world.history.triggers.has(key));
  assert.equal(await reason(stage), 'it ended more than a day before anybody could follow it');
});

/** Runs of another repository that have ended, and that a pipeline of it follows. */
async function endElsewhere({ world: { journal } }: Stage, repository: string, count: number): Promise<void> {
  const versions = [{ file: '.pipelines/follower.ts', pipeline: 'follower', digest, problems: [] }];
  const definitions = new Map([[digest, follower()]]);
  await journal.commit([[{ ...versionsWrite, repository, versions, definitions }]]);
  for (let number = 0; number < count; number += 1) {
    const id = runId(number);
    const opened = openRun(id, { repository, pipeline: 'upstream' });
    await journal.commit([[opened, finish(id, 1), { write: 'run-end', runId: id, at: number }]]);
  }
}

test('a repository whose Git hangs holds up no follower elsewhere', async () => {
  const stage = await Stage.open({ pipelines: [upstream(), follower()], beside: { 'shop/silent': silentGit } });
  await endElsewhere(stage, 'shop/silent', 1);
  stage.push();
  await stage.until('the follower has run', () => runsOf(stage, 'follower')[0]?.state === 'success', 120_000);
});

test('what a Git that cannot be reached keeps waiting is asked about once in a look, said once, and hides nothing', async () => {
  const said: string[] = [];
  const asked: number[] = [];
  const pipelines = [upstream(), follower()];
  const git: Partial<GitRepository> = {
    ...silentGit,
    defaultBranch: () => {
      asked.push(stage.world.time.now);
      return Promise.resolve(failure({ kind: 'unreachable', message: 'it is down' }));
    },
  };
  const stage = await Stage.open({ pipelines, beside: { 'shop/down': git }, tell: (line) => said.push(line) });
  await endElsewhere(stage, 'shop/down', 250);
  stage.push();
  await stage.until('the follower has run', () => runsOf(stage, 'follower')[0]?.state === 'success', 120_000);
  const later = stage.world.time.now + 20_000;
  await stage.until('it was asked again', () => stage.world.time.now > later);
  const apart = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
  assert.ok(asked.length > 2 && asked.length < 20, `asked ${asked.length} times, ${apart.join(' ')} ms apart`);
  assert.equal(said.filter((line) => /has to wait|have to wait/.test(line)).length, 1);
});

test('a server that dies at any moment loses no end and follows none twice', async () => {
  for (let moment = 0; moment < 60; moment += 5) {
    const stage = await open(upstream(), follower());
    stage.push();
    for (let steps = 0; steps < moment; steps += 1) await stage.world.step();
    stage.world.crash(500);
    await stage.until('the follower has run', () => runsOf(stage, 'follower')[0]?.state === 'success');
    await stage.rest();
    assert.equal(runsOf(stage, 'follower').length, 1, `dead after ${moment} steps`);
  }
});

test('a commit that is refused, or kept without an answer, makes no difference', async () => {
  for (const how of ['refused', 'unanswered'] as const) {
    for (const what of ['run-end', 'run-end-done'] as const) {
      const stage = await open(upstream(), follower());
      stage.push();
      stage.interfereOnce(what, how);
      await stage.until('the follower has run', () => runsOf(stage, 'follower')[0]?.state === 'success');
      await stage.rest();
      assert.equal(runsOf(stage, 'follower').length, 1, `${what} ${how}`);
    }
  }
});
