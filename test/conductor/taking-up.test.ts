/** A new server takes up what an earlier one left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent, RunOpened } from '../../src/engine/event.ts';
import type { Write } from '../../src/journal/journal.ts';
import { repositoryName } from '../simulation/server.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const manual = pipelineOf([stepOf({ name: 'only' })], { name: 'manual' });

test('a server does not start where the journal does not tell what runs', async () => {
  const stage = await Stage.open({ pipelines: [manual] });
  const { world } = stage;
  world.attemptMs = 60_000;
  stage.ask('manual');
  await stage.until('an attempt runs', () => (world.server?.executor.running().length ?? 0) > 0);
  world.crash(1000);
  world.refuseReads = 1;
  await stage.until('the run was not read', () => world.refuseReads === 0);
  await stage.until('that server gave up', () => world.server === null, 1000);
  world.attemptMs = 1000;
  await stage.rest();
  assert.equal(stage.run('manual').state, 'success');
});

test('a run that a dead server had sent to the database is taken up when it is kept late', async () => {
  const stage = await Stage.open({ pipelines: [manual] });
  stage.ask('manual');
  await stage.until('a run ended', () => stage.world.history.runs.size === 1);
  await stage.rest();
  const { journal, history, remote, time } = stage.world;
  const sha = remote.branches.get('main');
  assert.ok(sha !== undefined);
  const version = (await journal.versions(repositoryName, sha))?.[0];
  const opened: RunOpened = {
    type: 'run-opened',
    at: time.now,
    runId: '01late',
    repository: repositoryName,
    pipeline: 'manual',
    sha,
    digest: version?.digest ?? '',
    trigger: { kind: 'manual', actor: 'ada' },
    logicalDate: time.now,
    dataIntervalEnd: time.now,
    parameters: {},
  };
  const write: Write = { write: 'open-run', triggerKey: 'late', opened, reused: [] };
  assert.deepEqual(await journal.commit([[write]]), [{ ok: true }]);
  history.kept(write);
  await stage.rest();
  assert.equal(history.runs.get('01late')?.state, 'success');
});

test('an attempt that a dead server had started, kept late, is looked for and not begun beyond the slots', async () => {
  const other = { ...manual, name: 'other' };
  const stage = await Stage.open({ pipelines: [manual, other], slots: 1 });
  const { journal, history, time } = stage.world;
  stage.world.attemptMs = 90_000;
  stage.ask('manual');
  await stage.until('an attempt runs', () => (stage.world.server?.executor.running().length ?? 0) === 1);
  stage.ask('other');
  await stage.until('the other waits', () => history.runs.size === 2 && stage.run('other').events.length === 2);
  const { runId } = stage.run('other').opened;
  const started: RunEvent = { type: 'attempt-started', at: time.now, step: 'only', index: 0, attempt: 1 };
  const write: Write = { write: 'append', runId, position: 2, events: [started], becomes: null };
  assert.deepEqual(await journal.commit([[write]]), [{ ok: true }]);
  history.kept(write);
  const attemptId = `${runId}/only/0/1`;
  stage.world.server?.conductor.report({ type: 'running', attemptId, at: time.now, place: 'elsewhere' });
  await stage.rest();
  assert.equal(stage.run('other').state, 'success');
});
