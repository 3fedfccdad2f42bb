/**
 * `kill -9` of a real server whose pods are at every stage of their lives at that moment, one of each kind of step at each; then
 * the same server begins again, or another one of the installation, which stood by, takes over. No step is lost, none runs
 * twice, no pod is left.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { createProject, createSandbox, fromContender, type Running, type Sandbox } from '../cli/sandbox.ts';
import { run } from '../cluster/command.ts';
import { nodeAddress, nodeName } from '../cluster/layout.ts';
import { kill, until, watched } from '../support/killed-server.ts';
import { freePort, postgresMissing, runSql, startPostgres } from '../support/postgres.ts';
import { openAgentsProxy, type AgentsProxy } from './agents-proxy.ts';
import { openApiProxy, type ApiProxy } from './api-proxy.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage } from './settings.ts';

const stages = [
  'unasked', // its pod is about to be asked for
  'unrecorded', // its pod is made, and the answer has not come
  'pending',
  'running',
  'uploading', // half of an artifact is there
  'unread', // it has ended, and its word of that is under way
  'undeleted', // its end is known, and its pod is about to be removed
] as const;
const kinds = ['function', 'command', 'container'] as const;
const allSteps = stages.flatMap((stage) => kinds.map((kind) => `${stage}-${kind}`));
/** One of each stage, and each kind at some. */
const someSteps = allSteps.filter((_, at) => at % kinds.length === Math.floor(at / kinds.length) % kinds.length);

/** Where the pods of this machine leave what they do; a folder of a name for as long as an attempt of that step is at work. */
const seenAs = '/effects';
const script = `set -eu
tell() { echo "$CONTENDER_STEP $1" >> ${seenAs}/effects; }
mkdir "${seenAs}/$CONTENDER_STEP" || tell twice
tell begin
case $CONTENDER_STEP in
running-*) until [ -e ${seenAs}/go ]; do sleep 0.1; done ;;
uploading-*) head -c 1000000 /dev/urandom > "$CONTENDER_SCRATCH/model.bin" ;;
esac
rmdir "${seenAs}/$CONTENDER_STEP"
tell end
echo '{"model":"model.bin"}'
`;

function definition({ steps, effects, label }: Given): string {
  const lines = steps.map((name) => {
    const [stage, kind] = name.split('-');
    const outputs = stage === 'uploading' ? `outputs: { model: 'artifact' }, ` : '';
    const given = `${outputs}pod: ${stage === 'pending' ? '{ ...pod, nodeSelector }' : 'pod'}, `;
    if (kind === 'function')
      return stage === 'uploading'
        ? `step('${name}', { pod, run: (_, { artifact }) => (work(), artifact('model.bin')) });`
        : `step('${name}', { ${given}run: () => work() });`;
    return kind === 'command'
      ? `step('${name}', { ${given}command: ['sh', 'work.sh'] });`
      : `container('${name}', { ${given}image: '${runnerImage}', command: ['sh', '-c', 'sh $CONTENDER_SOURCE/work.sh'] });`;
  });
  return `import { execFileSync } from 'node:child_process';
import { container } from 'contender';
${fromContender}
const pod = {
  volumes: [{ name: 'effects', hostPath: { path: '${effects}' } }],
  volumeMounts: [{ name: 'effects', mountPath: '${seenAs}' }],
};
const nodeSelector = { '${label}': 'open' };
const work = () => execFileSync('sh', ['work.sh'], { encoding: 'utf8' });
export default pipeline('stages', { on: { push: true } }, () => {
  ${lines.join('\n  ')}
});
`;
}

let namespace: Namespace;
before(async () => {
  namespace = await makeNamespace();
});
after(async () => {
  await namespace.clear('pods');
  await namespace.remove();
});

interface Given {
  readonly steps: readonly string[];
  readonly repository: Sandbox;
  readonly agents: AgentsProxy;
  readonly api: ApiProxy;
  readonly effects: string;
  /** Of the node: with it, what is pending may run. */
  readonly label: string;
}

async function setUp(t: TestContext, steps: readonly string[]): Promise<Given> {
  const effects = mkdtempSync(join(tmpdir(), 'contender-effects-'));
  chmodSync(effects, 0o777);
  const label = `contender.test/${randomUUID()}`;
  const [repository, agents] = [createProject({ 'work.sh': script }), await openAgentsProxy(nodeAddress)];
  const api = await openApiProxy(process.env['KUBECONFIG'] ?? '');
  t.after(async () => {
    await repository.remove();
    await Promise.all([agents.close(), api.close()]);
    await run('kubectl', ['label', 'node', nodeName, `${label}-`]);
    rmSync(effects, { recursive: true });
  });
  return { steps, repository, agents, api, effects, label };
}

/** Its state is its own; repository, what servers of one installation share, and cluster are those of all. */
async function openPlace({ repository, agents, api }: Given, folder: Sandbox): Promise<number> {
  const port = await freePort();
  const kubernetes = {
    namespace: namespace.name,
    image: runnerImage,
    imagePullPolicy: 'Never',
    kubeconfig: 'kubeconfig',
    agents: agents.url,
    listen: { host: '127.0.0.1', port },
  };
  const user = {
    clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
  };
  folder.write({
    kubeconfig: JSON.stringify({
      ...user,
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
    'contender.yaml': JSON.stringify({
      repositories: [{ url: repository.folder, name: 'work', poll: '200ms' }],
      shared: join(repository.folder, '.contender', 'shared'),
      executor: { slots: allSteps.length, kubernetes },
    }),
  });
  return port;
}

async function begin(folder: Sandbox, environment: Readonly<Record<string, string>> = {}): Promise<Running> {
  const server = folder.start(['serve', '--port', '0'], { environment });
  await server.until(/is at http/);
  return server;
}

/** All are held where they are, until the functions that it gives is called. */
function hold({ steps, api, agents }: Given): { readonly reached: ReadonlySet<string>; readonly release: () => void } {
  const reached = new Set<string>();
  const isOf = (stage: string, name: string): boolean => {
    const step = steps.find((one) => one.startsWith(`${stage}-`) && name.includes(one));
    if (step !== undefined) reached.add(step);
    return step !== undefined;
  };
  const isCreate = (line: string): boolean => line.startsWith('POST ') && line.endsWith('/pods?');
  const isDelete = (line: string): boolean => line.startsWith('DELETE ') && line.includes('/pods/');
  const offs = [
    api.when((line, body) => isCreate(line) && isOf('unasked', body), { kind: 'hold' }),
    api.when((line, body) => isCreate(line) && isOf('unrecorded', body), { kind: 'keep' }),
    api.when((line) => isDelete(line) && isOf('undeleted', line), { kind: 'hold' }),
  ];
  agents.hold((line, id) => line === 'POST /agent/v1/result' && isOf('unread', id));
  agents.halve((line, id) => line.startsWith('PUT /agent/v1/artifacts/') && isOf('uploading', id));
  return { reached, release: () => offs.forEach((off) => off()) };
}

function effectsOf({ effects }: Given): readonly string[] {
  const path = join(effects, 'effects');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

/** Each step is where it is to be when the server dies. */
async function allAtTheirStage(given: Given, server: Running, reached: ReadonlySet<string>): Promise<void> {
  const isThere = (step: string, phases: ReadonlyMap<string, string>): boolean => {
    if (step.startsWith('pending-')) return phases.get(step) === 'Pending';
    if (step.startsWith('running-')) return effectsOf(given).includes(`${step} begin`);
    return reached.has(step) && (!step.startsWith('unrecorded-') || phases.has(step));
  };
  const path = `{range .items[*]}{.metadata.labels.contender\\.dev/step} {.status.phase}{"\\n"}{end}`;
  const { steps } = given;
  let missing = steps;
  await until('all stages', async () => {
    const lines = (await namespace.read('pods', path)).trim().split('\n');
    const phases = new Map(lines.map((line) => line.split(' ') as [string, string]));
    missing = steps.filter((step) => !isThere(step, phases));
    return missing.length === 0 ? true : null;
  }).catch((error: unknown) => assert.fail(`${String(error)}: ${missing.join(', ')}\n${server.said()}`));
}

/** Until they are all at their stage; then its server is killed, and what held them is gone with it. */
async function killAtEveryStage(given: Given, server: Running): Promise<void> {
  const { repository, agents, effects, label } = given;
  const held = hold(given);
  repository.commit({ '.pipelines/stages.ts': definition(given) });
  await allAtTheirStage(given, server, held.reached);
  await kill(server);
  held.release();
  agents.cut();
  writeFileSync(join(effects, 'go'), '');
  await run('kubectl', ['label', 'node', nodeName, `${label}=open`]);
}

async function assertDoneOnce(given: Given, journal: Journal): Promise<void> {
  const { steps } = given;
  const row = await until('the end of the run', async () => {
    const [found] = await journal.runs({ limit: 1 });
    return found?.finishedAt == null ? null : found;
  });
  const events = await journal.events(row.id);
  const ends = events.flatMap((event) =>
    event.type === 'attempt-finished'
      ? [
          `${event.step}/${event.attempt} ${event.outcome.kind === 'failed' ? event.outcome.message : event.outcome.kind}`,
        ]
      : [],
  );
  assert.deepEqual(ends.toSorted(), steps.map((step) => `${step}/1 succeeded`).toSorted());
  const expected = steps.flatMap((step) => [`${step} begin`, `${step} end`]);
  assert.deepEqual(effectsOf(given).toSorted(), expected.toSorted());
  await namespace.waitForNone('pods');
}

async function stop(server: Running): Promise<void> {
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0, server.said());
}

test('a server that is killed with pods at every stage of their lives finds them all when it begins again', async (t) => {
  const given = await setUp(t, allSteps);
  const { repository, agents } = given;
  agents.leadTo(await openPlace(given, repository));
  const server = await begin(repository);
  const journal = await watched(repository);
  t.after(() => journal.close());
  await killAtEveryStage(given, server);
  const next = await begin(repository);
  await assertDoneOnce(given, journal);
  await stop(next);
});

const skip = postgresMissing();
test('where the one that conducts is killed, the one that stands by takes over all its pods', { skip }, async (t) => {
  const postgres = await startPostgres();
  t.after(() => postgres.stop());
  const given = await setUp(t, someSteps);
  const url = await postgres.database();
  const journal = await openPostgresJournal({ url, clock: { now: Date.now } });
  t.after(() => journal.close());
  const environment = { CONTENDER_DATABASE_URL: url, CONTENDER_API_TOKEN: 'the token of both servers' };
  const folders = [createSandbox(), createSandbox()] as const;
  t.after(() => Promise.all(folders.map((folder) => folder.remove())));
  const ports = [await openPlace(given, folders[0]), await openPlace(given, folders[1])] as const;
  given.agents.leadTo(ports[0]);
  const first = await begin(folders[0], environment);
  await first.until(/this server conducts/);
  const second = await begin(folders[1], environment);
  await second.until(/stands by/);
  await until('the first look', async () => ((await journal.heads('work')).size > 0 ? true : null));
  await killAtEveryStage(given, first);
  given.agents.leadTo(ports[1]);
  // The time until it has expired is not waited for.
  await runSql(url, 'update lease set expires_at = 0');
  await second.until(/this server conducts/);
  await assertDoneOnce(given, journal);
  await stop(second);
});
