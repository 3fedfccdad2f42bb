/**
 * Two real servers on one PostgreSQL, whose steps are pods of a cluster and reach them at one address: whatever becomes of
 * the one that conducts, the pods go on under the other, none of them is made or ended twice, and no step is lost.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Journal, RunRow } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { createDirectoryStores } from '../../src/outputs/directory.ts';
import { createSandbox, fromContender, type Running, type Sandbox } from '../cli/sandbox.ts';
import { startClusterWithRunner } from '../executor/kubernetes/fake-runner.ts';
import type { FakeKubernetes } from '../support/kubernetes/fake-kubernetes.ts';
import type { ApiRequest } from '../support/kubernetes/requests.ts';
import { assertConsistent, createWatchedProject, effects, kill, until } from '../support/killed-server.ts';
import { freePort, postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { openService, type Service } from '../support/service.ts';

const skip = postgresMissing();
let postgres: TestPostgres | null = null;
before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(() => postgres?.stop());

interface Place {
  readonly folder: Sandbox;
  /** Where its agents are heard. */
  readonly port: number;
}

let repository: Sandbox;
let places: readonly [Place, Place];
let cluster: FakeKubernetes;
/** Of each pod that was made, its name. */
let made: string[];
/** Leads the agents to the servers. */
let service: Service;
let url = '';
let journal: Journal;
beforeEach(async () => {
  if (postgres === null) return;
  url = await postgres.database();
  cluster = await startClusterWithRunner();
  made = [];
  cluster.refusePods(({ metadata }) => {
    made.push(metadata.name);
    return null;
  });
  repository = createWatchedProject();
  places = [await openPlace(), await openPlace()];
  service = await openService(places.map(({ port }) => port));
  for (const { folder, port } of places)
    folder.write({ 'contender.yaml': settings(port), kubeconfig: cluster.kubeconfig });
  journal = await openPostgresJournal({ url, clock: { now: Date.now } });
});
afterEach(async () => {
  if (postgres === null) return;
  await journal.close();
  for (const { folder } of places) await folder.remove();
  service.close();
  await cluster.close();
  await repository.remove();
});

async function openPlace(): Promise<Place> {
  return { folder: createSandbox(), port: await freePort() };
}

function settings(port: number): string {
  return JSON.stringify({
    repositories: [{ url: repository.folder, name: 'work', poll: '200ms' }],
    shared: join(repository.folder, 'shared'),
    executor: {
      kubernetes: {
        namespace: 'default',
        image: 'runner:local',
        kubeconfig: 'kubeconfig',
        agents: service.url,
        listen: { host: '127.0.0.1', port },
      },
    },
  });
}

async function begin({ folder }: Place): Promise<Running> {
  const paused = pathToFileURL(join(import.meta.dirname, '../support/paused-stopwatch.mjs')).href;
  const environment = {
    CONTENDER_DATABASE_URL: url,
    CONTENDER_API_TOKEN: 'the token of both servers',
    NODE_OPTIONS: `--import=${paused}`,
  };
  const server = folder.start(['serve', '--port', '0'], { environment });
  await server.until(/is at http/);
  return server;
}

/** The first one conducts, and the other stands by. */
async function beginBoth(): Promise<readonly [Running, Running]> {
  const first = await begin(places[0]);
  await first.until(/this server conducts/);
  const second = await begin(places[1]);
  await second.until(/stands by/);
  await until('the first look', async () => ((await journal.heads('work')).size > 0 ? true : null));
  return [first, second];
}

/** The time until the lease of a server that is no more has expired is not waited for. */
async function expireLease(): Promise<void> {
  await runSql(url, 'update lease set expires_at = 0');
}

/** The last one comes after the right one. Each waits until it is told to go on, and says which one it is. */
const names = ['left', 'right', 'last'] as const;
type Name = (typeof names)[number];

function definition(): string {
  const steps = names.map((name) => {
    const wait = `echo ${name} waits; until [ -e ${goOf(name)} ]; do sleep 0.02; done; echo '{"name":"${name}"}'`;
    const upstream = name === 'last' ? 'after: [right], ' : '';
    return `  const ${name} = step('${name}', { ${upstream}command: ['sh', 'work.sh', '${repository.folder}', ${JSON.stringify(wait)}] });\n`;
  });
  return `${fromContender}export default pipeline('pods', { on: { push: true } }, () => {\n${steps.join('')}});\n`;
}

function goOf(name: Name): string {
  return join(repository.folder, `go-${name}`);
}

function goOn(...those: readonly Name[]): void {
  for (const name of those) writeFileSync(goOf(name), '');
}

async function push(): Promise<string> {
  repository.commit({ '.pipelines/pods.ts': definition() });
  return until('the run', async () => (await journal.runs({ limit: 1 }))[0]?.id ?? null);
}

async function begun(...those: readonly Name[]): Promise<void> {
  await until(`${those.join(', ')} to begin`, () => {
    const words = effects(repository).filter(({ word }) => word === 'begin');
    return those.every((name) => words.some(({ attempt }) => attempt.includes(`/${name}/`))) ? true : null;
  });
}

async function ended(runId: string): Promise<RunRow> {
  return until('the end of the run', async () => {
    const row = await journal.run(runId);
    return row === null || row.finishedAt === null ? null : row;
  });
}

/** Each step was carried out by one attempt in one pod, and what it said is known, once. */
async function assertDoneOnce(runId: string): Promise<void> {
  assert.equal((await ended(runId)).state, 'success');
  const events = await journal.events(runId);
  const outcomes = events.flatMap((event) =>
    event.type === 'attempt-finished' ? [[`${event.step}/${event.attempt}`, event.outcome]] : [],
  );
  const expected = names.map((name) => [
    `${name}/1`,
    { kind: 'succeeded', output: { inline: { name } }, control: null },
  ]);
  assert.deepEqual(Object.fromEntries(outcomes), Object.fromEntries(expected));
  assert.equal(outcomes.length, names.length);
  assertConsistent(repository, runId, events);
  assert.equal(events.filter(({ type }) => type === 'run-finished').length, 1);
  assert.equal(made.length, names.length, made.join(' '));
  const { logs } = createDirectoryStores({ directory: join(repository.folder, 'shared'), clock: { now: Date.now } });
  for (const name of names) {
    const { lines, closed } = await logs.read(`${runId}/${name}/0/1`, 1, 100);
    const said = lines.flatMap(({ stream, text }) => (stream === 'out' ? [text] : []));
    assert.deepEqual([said, closed], [[`${name} waits`, `{"name":"${name}"}`], true]);
  }
  await until('the end of all pods', () => (cluster.pods().length === 0 ? true : null));
}

async function stop(server: Running): Promise<void> {
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0, server.said());
}

test('where the one that conducts is killed, its pods go on under the other', { skip }, async () => {
  const [first, second] = await beginBoth();
  const runId = await push();
  await begun('left', 'right');
  const uids = cluster.pods().map(({ metadata }) => metadata.uid);
  await kill(first);
  await expireLease();
  await second.until(/this server conducts/);
  goOn('left');
  await until('the end of a pod', () => (cluster.pods().length === 1 ? true : null));
  assert.ok(cluster.pods().every(({ metadata }) => uids.includes(metadata.uid)));
  goOn('right', 'last');
  await assertDoneOnce(runId);
  await stop(second);
});

test('one that was frozen for longer than its lease does nothing to the pods of the run', { skip }, async () => {
  const [first, second] = await beginBoth();
  const runId = await push();
  await begun('left', 'right');
  // What the agent of one of them says at its end waits for the server that is frozen.
  service.leadTo([places[0].port]);
  service.hold('POST /agent/v1/result');
  goOn('left');
  await until('the end of left', () => (service.held() === 1 ? true : null));
  first.kill('SIGSTOP');
  service.leadTo([places[1].port]);
  service.cut();
  service.release();
  await second.until(/this server conducts/);
  goOn('right');
  await begun('last');
  await until('the end of the pod of right', () => (cluster.pods().length === 2 ? true : null));
  // What it has not seen, it looks for when it wakes up.
  cluster.cutStreams('reset');
  const deleted = cluster.count('delete');
  first.kill('SIGCONT');
  await first.until(/this server conducts no more/);
  await until('the end of the pod of left', () => (cluster.pods().length === 1 ? true : null));
  assert.equal(cluster.count('delete'), deleted + 1);
  goOn('last');
  await assertDoneOnce(runId);
  await stop(first);
  await stop(second);
});

test('one whose lease has run out finds out before it answers an agent', { skip }, async () => {
  const servers = await beginBoth();
  const [first] = servers;
  const runId = await push();
  await begun('left', 'right');
  service.leadTo([places[0].port]);
  service.hold('POST /agent/v1/result');
  goOn('left', 'right');
  await until('their ends', () => (service.held() === 2 ? true : null));
  first.kill('SIGUSR2');
  await first.until(/a minute has passed/);
  const asked = await fetch(`http://127.0.0.1:${places[0].port}/agent/v1/begin`, { method: 'POST' });
  assert.deepEqual([asked.status, asked.headers.get('connection')], [503, 'close']);
  service.leadTo(places.map(({ port }) => port));
  service.release();
  await first.until(/this server conducts no more/);
  await until('the next term', async () => ((await journal.lease())?.epoch === 2 ? true : null));
  await begun('last');
  goOn('last');
  await assertDoneOnce(runId);
  for (const server of servers) await stop(server);
});

test(
  'where it is killed while pods are made, each is made once, however late the cluster does it',
  { skip },
  async () => {
    const [first, second] = await beginBoth();
    const isMaking = ({ verb, resource }: ApiRequest): boolean => verb === 'create' && resource === 'pods';
    const late = Promise.withResolvers<void>();
    // Of one nothing has come of it yet, of the other the answer is lost.
    cluster.faults.add(isMaking, { kind: 'wait', until: late.promise });
    cluster.faults.add(isMaking, { kind: 'cut after' });
    const runId = await push();
    await until('both to be asked for', () => (cluster.count('create') >= 2 ? true : null));
    await kill(first);
    await expireLease();
    await second.until(/this server conducts/);
    await begun('left', 'right');
    late.resolve();
    goOn(...names);
    await assertDoneOnce(runId);
    await stop(second);
  },
);
