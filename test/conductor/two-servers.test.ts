/** Two servers on one journal: what each is for whoever asks it, and how the one takes over from the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Server } from '../simulation/server.ts';
import { repositoryName } from '../simulation/server.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const pair = pipelineOf([stepOf({ name: 'first' }), stepOf({ name: 'second', upstream: ['first'] })], { name: 'pair' });

async function open(): Promise<{ stage: Stage; conducting: Server; standing: Server }> {
  const stage = await Stage.open({ pipelines: [pair], servers: 2 });
  await stage.until('both are there', () => stage.world.servers.length === 2);
  const { conducting, servers } = stage.world;
  const standing = servers.find((server) => server !== conducting);
  assert.ok(conducting !== null && standing !== undefined);
  await stage.until('the other knows who conducts', () => standing.conductor.standing().conductor !== null);
  return { stage, conducting, standing };
}

/** Gives what became of it, once something has. */
function askFor(stage: Stage, server: Server, key = 'by ada'): { said: string | null } {
  const sha = stage.world.remote.branches.get('main');
  assert.ok(sha !== undefined);
  const answer: { said: string | null } = { said: null };
  const manual = { repository: repositoryName, pipeline: 'pair', sha, actor: 'ada', logicalDate: null, parameters: {} };
  server.conductor.runManually({ ...manual, key }).then(
    (result) => (answer.said = result.ok ? result.value : JSON.stringify(result.error)),
    (error: unknown) => (answer.said = String(error)),
  );
  return answer;
}

test('who stands by says who conducts, and opens what is asked of it all the same', async () => {
  const { stage, conducting, standing } = await open();
  assert.deepEqual([conducting.conductor.standing().conducts, standing.conductor.standing().conducts], [true, false]);
  assert.equal(standing.conductor.standing().conductor?.host, conducting.machine.name);
  const answer = askFor(stage, standing);
  await stage.until('there is an answer', () => answer.said !== null);
  const run = stage.run('pair');
  assert.equal(answer.said, run.opened.runId);
  await stage.until('it has ended', () => run.state === 'success');
  assert.deepEqual(standing.executor.running(), []);
  const again = askFor(stage, conducting);
  await stage.until('there is an answer', () => again.said !== null);
  assert.equal(again.said, answer.said, 'the same request is one run, wherever it is asked');
});

test('who stands by knows, after a while, what the other has taken of its slots', async () => {
  const { stage, standing } = await open();
  stage.world.attemptMs = 60_000;
  askFor(stage, standing);
  await stage.until('the other has said so', () => standing.conductor.slotsInUse()[0]?.taken === 1, 20_000);
});

test('a request, a cancel and a webhook that reach the one that stands by are taken up', async () => {
  const { stage, standing } = await open();
  stage.world.attemptMs = 600_000;
  askFor(stage, standing);
  await stage.until('it runs', () => stage.world.conducting?.executor.running().length === 1);
  const run = stage.run('pair');
  void standing.conductor.ask(run.opened.runId, { type: 'cancel', by: 'ada', reason: 'never mind' });
  await stage.until('it is cancelled', () => run.state === 'cancelled', 60_000);
  const event = { type: 'ping' } as const;
  void standing.receive({ id: 'hook', name: 'ping', repository: repositoryName, semanticKey: null, event });
  await stage.until('it is handled', () => stage.world.history.deliveries.get('hook')?.state === 'done', 10_000);
});

test('where the one that conducts dies, the other goes on with its run, and the attempt is lost', async () => {
  const { stage, conducting, standing } = await open();
  stage.world.attemptMs = 60_000;
  askFor(stage, conducting);
  await stage.until('it runs', () => conducting.executor.running().length === 1);
  stage.world.crash(600_000, conducting);
  await stage.until('the other conducts', () => standing.conducts, 20_000);
  const run = stage.run('pair');
  await stage.until('it has ended', () => run.state === 'success');
  const causes = run.events.flatMap((event) =>
    event.type === 'attempt-finished' && event.outcome.kind === 'failed' ? event.outcome.cause : [],
  );
  assert.deepEqual(causes, ['lost']);
});

test('where it is stopped in order, the other need not wait until the lease expires', async () => {
  const { stage, conducting, standing } = await open();
  const { world } = stage;
  await Promise.all([
    world.restart(600_000, conducting),
    stage.until('the other conducts', () => standing.conducts, 9000),
  ]);
});

test('one that was frozen beyond its lease ends what it runs, and has no say any more', async () => {
  const { stage, conducting, standing } = await open();
  stage.world.attemptMs = 60_000;
  askFor(stage, conducting);
  await stage.until('it runs', () => conducting.executor.running().length === 1);
  conducting.freeze(30_000);
  await stage.until('the other conducts', () => standing.conducts, 25_000);
  await stage.until('it goes on', () => !conducting.frozen);
  await stage.until('it has noticed', () => conducting.executor.running().length === 0, 2000);
  assert.equal(conducting.conductor.standing().conducts, false);
  await stage.until('the run has ended', () => stage.run('pair').state === 'success');
});

test('an order that nobody takes up is given up, and nothing of it begins after that', async () => {
  const { stage, conducting, standing } = await open();
  const { world } = stage;
  world.crash(600_000, conducting);
  // It neither takes the lease nor loses the way to the journal.
  world.journal.takeLease = () => Promise.resolve(null);
  const answer = askFor(stage, standing);
  await stage.until('there is an answer', () => answer.said !== null, 60_000);
  assert.match(answer.said ?? '', /nothing was started/);
  assert.deepEqual(await world.journal.openOrders(9), []);
  assert.equal(world.history.runs.size, 0);
});
