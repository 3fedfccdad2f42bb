/** Deliveries that have to wait, and causes that a death of the server leaves half told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSha } from '../../src/git/git.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { repositoryName } from '../simulation/server.ts';
import { silentGit, Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const push = { branches: ['**'], tags: [], paths: [] };

function pushed(name: string): PipelineDefinition {
  return pipelineOf([stepOf({ name: 'only' })], { name, on: { schedule: null, push, pullRequest: null } });
}

const unknown = 'f'.repeat(40);
const late = { type: 'push', ref: 'refs/heads/late', before: null, after: unknown, actor: 'ada' } as const;

test('a push of a commit that is not there waits five minutes, holds up nobody, and then fails where it can be seen', async () => {
  const stage = await Stage.open({ pipelines: [pushed('one')] });
  stage.hook(late, 'late');
  const { deliveries, runs } = stage.world.history;
  await stage.until('it is kept', () => deliveries.has('late'));
  const begun = stage.world.wallClock();
  stage.push();
  await stage.until('the other push runs', () => runs.size === 1, 30_000);
  assert.equal(deliveries.get('late')?.state, 'pending');
  await stage.until('it has failed', () => deliveries.get('late')?.state === 'failed', 6 * 60_000);
  assert.ok(stage.world.wallClock() - begun >= 5 * 60_000 - 1000);
  assert.match(deliveries.get('late')?.note ?? '', /commit fffffff: .* not there/);
  assert.equal(runs.size, 1);
});

test('a repository whose Git does not answer holds up no push elsewhere', async () => {
  const stage = await Stage.open({ pipelines: [pushed('one')], beside: { 'shop/silent': silentGit } });
  const { deliveries, runs } = stage.world.history;
  stage.hook({ ...late, ref: 'refs/heads/main' }, 'silent', 'shop/silent');
  await stage.until('it is kept', () => deliveries.has('silent'));
  const later = stage.world.wallClock() + 1000;
  await stage.until('its fetch is under way', () => stage.world.wallClock() > later);
  stage.push();
  await stage.until('the other push runs', () => runs.size === 1, 30_000);
  assert.equal(deliveries.get('silent')?.state, 'pending');
});

test('a push of a commit that comes a little later runs', async () => {
  const stage = await Stage.open({ pipelines: [pushed('one')] });
  const parent = stage.world.remote.branches.get('main');
  assert.ok(parent !== undefined);
  const sha = stage.commit('late', [parent]);
  const made = stage.world.remote.commits.get(sha);
  assert.ok(made !== undefined);
  stage.world.remote.branches.delete('late');
  stage.world.remote.commits.delete(sha);
  stage.hook({ ...late, after: sha }, 'late');
  await stage.until('it waits', () => stage.world.history.deliveries.get('late')?.state === 'pending');
  const later = stage.world.wallClock() + 60_000;
  await stage.until('a minute passes', () => stage.world.wallClock() > later);
  stage.world.remote.commits.set(sha, made);
  stage.world.remote.branches.set('late', sha);
  await stage.until('it runs', () => stage.world.history.runs.size === 1, 60_000);
  await stage.rest();
  assert.equal(stage.run('one').state, 'success');
});

test('a push that nobody was there to take for long is tried again like any other', async () => {
  const stage = await Stage.open({ pipelines: [pushed('one')] });
  const { history, journal } = stage.world;
  stage.world.crash(1000);
  const at = stage.world.wallClock() - 60 * 60_000;
  const about = { id: 'late', repository: repositoryName, event: 'push', semanticKey: null, body: late, at } as const;
  await journal.commit([[{ write: 'delivery', ...about }]]);
  history.kept({ write: 'delivery', ...about });
  const later = stage.world.wallClock() + 60_000;
  await stage.until('a minute passes', () => stage.world.wallClock() > later);
  assert.equal(history.deliveries.get('late')?.state, 'pending');
  await stage.until('it has failed', () => history.deliveries.get('late')?.state === 'failed', 6 * 60_000);
});

test('a server that dies between the runs of one push opens the others, and none twice', async () => {
  const names = ['one', 'two', 'three'];
  for (const opened of [0, 1, 2, 3]) {
    const stage = await Stage.open({ pipelines: names.map(pushed) });
    const sha = stage.push();
    await stage.until('it is kept', () => stage.world.history.deliveries.size === 1);
    await stage.until(`${opened} are open`, () => stage.world.history.runs.size >= opened);
    stage.world.crash(1000);
    await stage.until('the push is known', () => stage.world.history.heads.get('main') === sha);
    await stage.rest();
    const runs = [...stage.world.history.runs.values()].map((run) => run.opened.pipeline).toSorted();
    assert.deepEqual(runs, names.toSorted(), `dead after ${opened}`);
  }
});

test('more pushes than one look takes are all handled', async () => {
  const stage = await Stage.open({ pipelines: [pushed('one')] });
  const { journal, history } = stage.world;
  const at = stage.world.wallClock();
  const { server } = stage.world;
  stage.world.crash(1000);
  assert.equal(server?.alive, false);
  const body = { type: 'ping' };
  for (let number = 0; number < 1100; number += 1) {
    const write = {
      write: 'delivery',
      id: `ping ${number}`,
      repository: 'shop/models',
      event: 'ping',
      semanticKey: null,
      body,
      at,
    } as const;
    await journal.commit([[write]]);
    history.kept(write);
  }
  await stage.until(
    'all are done',
    () => [...history.deliveries.values()].every(({ state }) => state === 'done'),
    60_000,
  );
});

test('a delivery that another version wrote fails where it can be seen', async () => {
  const stage = await Stage.open({ pipelines: [pushed('one')] });
  const write = {
    write: 'delivery',
    id: 'strange',
    repository: 'shop/models',
    event: 'merge_group',
    semanticKey: null,
    body: { type: 'merge-group' },
    at: stage.world.wallClock(),
  } as const;
  await stage.world.journal.commit([[write]]);
  stage.world.history.kept(write);
  await stage.until('it has failed', () => stage.world.history.deliveries.get('strange')?.state === 'failed', 120_000);
  assert.ok(parseSha(unknown).ok);
});
