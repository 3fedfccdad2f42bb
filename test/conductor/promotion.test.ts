/** The registry in bad moments: unreachable at the start of a challenge, another champion, a promotion without an answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvaluationState } from '../../src/journal/journal.ts';
import type { PipelineDefinition, PromotionPolicy } from '../../src/pipeline/definition.ts';
import type { Promotion } from '../../src/registry/registry.ts';
import { failure } from '../../src/std/result.ts';
import type { Sha } from '../../src/git/git.ts';
import { Stage } from '../simulation/stage.ts';
import { noRetry, pipelineOf, stepOf, works } from '../support/definitions.ts';

function churn(promote: PromotionPolicy = 'on-merge'): PipelineDefinition {
  const push = { branches: ['**'], tags: [], paths: [] };
  return pipelineOf(
    [
      stepOf({ name: 'train', outputs: { model: 'artifact' } }),
      stepOf({
        name: 'challenge',
        upstream: ['train'],
        retry: noRetry,
        work: works.challenge({ promote }),
      }),
    ],
    { name: 'churn', on: { schedule: null, push, pullRequest: null } },
  );
}

const somebodyElse: Promotion = {
  decision: 'somewhere/else',
  model: 'churn',
  artifact: { $artifact: 'e'.repeat(64), name: 'model.json', bytes: 1 },
  predictions: null,
  expectedChampion: null,
  evidence: {
    repository: 'shop/models',
    pipeline: 'churn',
    runId: 'elsewhere',
    sha: 'a'.repeat(40),
    digest: 'd'.repeat(64),
    verdict: {},
    comparedWith: null,
    decidedBy: 'somebody else',
  },
  at: 1,
};

function evaluations(stage: Stage): readonly { readonly state: EvaluationState; readonly reason: string | null }[] {
  return [...stage.world.history.evaluations.values()];
}

/** Causes of the failures of the challenge. */
function causes(stage: Stage): readonly string[] {
  return stage
    .run('churn')
    .events.flatMap((event) =>
      event.type === 'attempt-finished' && event.step === 'challenge' && event.outcome.kind === 'failed'
        ? [event.outcome.cause]
        : [],
    );
}

test('a registry that cannot be reached is asked again, with tries of its own, and never means "no champion"', async () => {
  const stage = await Stage.open({ pipelines: [churn()] });
  stage.world.registry.setUnreachable(true);
  stage.push();
  await stage.until('the first failure', () => stage.world.history.runs.size === 1 && causes(stage).length === 1);
  stage.world.registry.setUnreachable(false);
  await stage.rest();
  assert.equal(stage.run('churn').state, 'success', 'the step has no retry of its own');
  assert.deepEqual(causes(stage), ['registry']);
  assert.deepEqual(
    evaluations(stage).map(({ state }) => state),
    ['promoted'],
  );
});

test('a registry that stays away fails the run, and nothing is evaluated', async () => {
  const stage = await Stage.open({ pipelines: [churn()] });
  stage.world.registry.setUnreachable(true);
  stage.push();
  await stage.until('the end', () => stage.world.history.runs.size === 1 && stage.run('churn').state !== 'running');
  assert.equal(stage.run('churn').state, 'failed');
  assert.deepEqual(causes(stage), ['registry', 'registry', 'registry', 'registry']);
  assert.deepEqual(evaluations(stage), []);
  await stage.rest();
});

test('a champion that changed after the comparison refuses the promotion for good', async () => {
  const stage = await Stage.open({ pipelines: [churn()] });
  stage.push();
  await stage.until('the comparison', () => evaluations(stage).length === 1);
  assert.equal((await stage.world.registry.promote(somebodyElse)).ok, true);
  await stage.rest();
  const [refused] = evaluations(stage);
  assert.equal(refused?.state, 'refused');
  const [row] = await stage.world.journal.evaluations({ limit: 1 });
  assert.match(row?.reason ?? '', /compared with no champion, but the champion is v1 now: evaluate it again/);
});

test('a registry that may not be written is told once, in the report too, and asked until it may', async () => {
  const stage = await Stage.open({ pipelines: [churn()] });
  const { registry, history, told } = stage.world;
  const promote = registry.promote.bind(registry);
  const message = 'the registry cannot be written (the branch is protected)';
  let asked = 0;
  registry.promote = () => {
    asked += 1;
    return Promise.resolve(failure({ kind: 'denied', message }));
  };
  stage.push();
  await stage.until('it was asked often', () => asked === 10);
  const next = [...stage.world.forge.statuses.values()].flatMap(({ challenges }) => challenges)[0]?.next;
  assert.match(next ?? '', /tried again and again: the registry cannot be written \(the branch is protected\)/);
  assert.deepEqual(
    evaluations(stage).map(({ state, reason }) => [state, reason]),
    [['promoting', message]],
  );
  registry.promote = promote;
  await stage.rest();
  assert.equal(evaluations(stage)[0]?.state, 'promoted');
  const { runId } = stage.run('churn').opened;
  assert.deepEqual([...told], [`${runId}/challenge/denied/promotion-failed`]);
  const notices = [...history.outbox].filter(([key]) => key.includes('promotion-failed'));
  assert.equal(notices.length, 1);
});

for (const [what, lack] of [
  ['gone from the store', 'is no longer in the artifact store'],
  ['no longer those that were evaluated', 'is damaged in the artifact store'],
] as const) {
  test(`a model whose bytes are ${what} does not become champion`, async () => {
    const stage = await Stage.open({ pipelines: [churn()] });
    const { world } = stage;
    world.attemptMs = 60_000;
    stage.push();
    await stage.until('the model is compared', () =>
      [...world.history.runs.values()].some(({ events }) =>
        events.some((event) => event.type === 'attempt-started' && event.step === 'challenge'),
      ),
    );
    const [model] = stage
      .run('churn')
      .events.flatMap((event) =>
        event.type === 'attempt-finished' && event.outcome.kind === 'succeeded' && 'inline' in event.outcome.output
          ? (/[0-9a-f]{64}/.exec(JSON.stringify(event.outcome.output.inline))?.[0] ?? [])
          : [],
      );
    assert.ok(model !== undefined);
    (lack.includes('damaged') ? world.damaged : world.gone).add(model);
    await stage.rest();
    const [evaluation] = evaluations(stage);
    assert.equal(evaluation?.state, 'refused');
    assert.equal(evaluation.reason, `model.json (${model.slice(0, 12)}) ${lack}: run it again.`);
  });
}

test('a decision is carried out by the next server, once, whenever the first one dies', async () => {
  for (const state of ['reported', 'promoting', 'promoted'] as const) {
    const stage = await Stage.open({ pipelines: [churn()] });
    stage.push();
    await stage.until(`it is ${state}`, () => evaluations(stage)[0]?.state === state);
    stage.world.crash(5000);
    await stage.rest();
    assert.deepEqual(
      evaluations(stage).map((each) => each.state),
      ['promoted'],
      state,
    );
    const ledger = await stage.world.registry.ledger('churn');
    assert.deepEqual(ledger.ok && ledger.value.map(({ version }) => version), [1], state);
  }
});

test('a run of a backfill is evaluated and never promoted, and says nothing about its commit', async () => {
  const schedule = { cron: '0 0 * * *', timeZone: 'UTC', catchup: 'none' } as const;
  const definition = { ...churn('automatic'), on: { schedule, push: null, pullRequest: null } };
  const stage = await Stage.open({ pipelines: [definition] });
  const { server, remote, registry, history } = stage.world;
  const sha = remote.branches.get('main');
  assert.ok(server !== null && sha !== undefined);
  const days = { fromDay: Date.UTC(2025, 10, 1), toDay: Date.UTC(2025, 10, 2), newestFirst: true };
  const how = { id: 'b1', actor: 'mona', maxActive: 2, reprocess: 'none', parameters: {} } as const;
  void server.conductor.startBackfill({ ...how, ...days, repository: 'shop/models', pipeline: 'churn', sha });
  await stage.until('it has ended', () => history.backfills.get('b1')?.state === 'done');
  await stage.rest();
  const refused = { state: 'refused', reason: 'A backfill evaluates and never promotes.' };
  assert.deepEqual(
    evaluations(stage).map(({ state, reason }) => ({ state, reason })),
    [refused, refused],
  );
  assert.deepEqual(await registry.ledger('churn'), { ok: true, value: [] });
  assert.deepEqual(
    [...history.outbox.values()].filter(({ kind }) => kind === 'status' || kind === 'check'),
    [],
  );
});

test('a promotion that the registry made and nobody kept is made once', async () => {
  const stage = await Stage.open({ pipelines: [churn()] });
  stage.push();
  await stage.until('it is decided', () => evaluations(stage)[0]?.state === 'promoting');
  stage.interfereOnce('evaluation-state', 'refused');
  await stage.rest();
  assert.deepEqual(
    evaluations(stage).map(({ state }) => state),
    ['promoted'],
  );
  const ledger = await stage.world.registry.ledger('churn');
  assert.deepEqual(ledger.ok && ledger.value.map(({ version }) => version), [1]);
});

test('a commit that the default branch does not hold is refused, since it runs again when it comes there', async () => {
  const stage = await Stage.open({ pipelines: [churn()] });
  stage.push('side');
  await stage.until('the comparison', () => evaluations(stage).length === 1);
  await stage.rest();
  const [row] = await stage.world.journal.evaluations({ limit: 1 });
  assert.deepEqual([row?.state, row?.reason], ['refused', 'Only commits of main promote, and this one is not merged.']);
});

test('what is merged into another branch than the default one is refused, and into that one promoted', async () => {
  const pullRequest = { branches: [], paths: [] };
  const definition = { ...churn(), on: { schedule: null, push: null, pullRequest } };
  for (const [baseBranch, state, reason] of [
    ['scratch', 'refused', 'Only what is merged into main promotes, and #1 was merged into scratch.'],
    ['main', 'promoted', 'merge of #1 by grace'],
  ] as const) {
    const stage = await Stage.open({ pipelines: [definition] });
    const head = stage.commit('feature');
    stage.propose(head, { baseBranch });
    await stage.until('the comparison', () => evaluations(stage).length === 1);
    await stage.rest();
    assert.equal(evaluations(stage)[0]?.state, 'reported');
    stage.propose(head, { state: 'closed', merged: true, mergeSha: stage.commit(baseBranch) });
    await stage.until('it is decided', () => evaluations(stage)[0]?.state === state);
    assert.equal(evaluations(stage)[0]?.reason, reason);
  }
});

/** What a person hears. */
async function approveOn(stage: Stage, runId: string, model: string | null = null): Promise<string> {
  const { server } = stage.world;
  assert.ok(server !== null);
  const said: string[] = [];
  const ask = async (): Promise<void> => {
    const answer = await server.conductor.promote({ runId, model, actor: 'ada' });
    const { error } = answer.ok ? { error: 'promoted' } : answer;
    said.push(typeof error === 'string' ? error : error.message);
  };
  void ask();
  await stage.until('there is an answer', () => said.length > 0);
  return said[0] ?? '';
}

test('a person approves what waits for one, once, and no more than a merge would promote', async () => {
  const stage = await Stage.open({ pipelines: [churn('on-approval')] });
  const approve = (runId: string, model: string | null = null): Promise<string> => approveOn(stage, runId, model);
  assert.equal(await approve('nowhere'), 'there is no run nowhere');
  stage.push('elsewhere');
  await stage.until('the comparison', () => evaluations(stage).length === 1);
  await stage.rest();
  const { runId } = stage.run('churn').opened;
  assert.equal(await approve(runId), 'Only commits of main promote, and this one is not merged.');
  assert.equal(evaluations(stage)[0]?.state, 'reported', 'it may be merged yet');
  assert.equal(await approve(runId, 'chrun'), 'the run evaluated no model "chrun"; its models: churn');

  stage.world.remote.branches.set('main', stage.run('churn').opened.sha as Sha);
  await stage.until('the mirror has seen the merge', () => true);
  assert.equal(await approve(runId, 'churn'), 'promoted');
  await stage.until('it is champion', () => evaluations(stage)[0]?.state === 'promoted');
  assert.equal(evaluations(stage)[0]?.reason, 'approval by ada');
  assert.equal(await approve(runId), '"churn" does not wait for approval: it is version 1 already');
});

test('an unmerged pull request never promotes, whoever approves, and a merged one when somebody does', async () => {
  const pullRequest = { branches: [], paths: [] };
  const definition = { ...churn('on-approval'), on: { schedule: null, push: null, pullRequest } };
  const stage = await Stage.open({ pipelines: [definition] });
  const head = stage.commit('feature');
  stage.propose(head);
  await stage.until('the comparison', () => evaluations(stage).length === 1);
  await stage.rest();
  const { runId } = stage.run('churn').opened;
  assert.equal(await approveOn(stage, runId), 'pull request #1 is not merged, and an unmerged one never promotes');
  stage.propose(head, { state: 'closed', merged: true, mergeSha: stage.commit('main') });
  await stage.rest();
  assert.equal(evaluations(stage)[0]?.state, 'reported', 'a merge alone is no approval');
  assert.equal(await approveOn(stage, runId), 'promoted');
  await stage.until('it is champion', () => evaluations(stage)[0]?.state === 'promoted');
});

test('a policy that leaves the decision to a person is left to one', async () => {
  for (const policy of ['never', 'on-approval'] as const) {
    const stage = await Stage.open({ pipelines: [churn(policy)] });
    stage.push();
    await stage.until('the comparison', () => evaluations(stage).length === 1);
    await stage.until('nothing is to be carried out', () => {
      return [...stage.world.history.outbox.values()].every(({ state }) => state !== 'due');
    });
    assert.equal(evaluations(stage)[0]?.state, 'reported', policy);
    const champion = await stage.world.registry.champion('churn');
    assert.ok(champion.ok && champion.value === null);
  }
});
