/** `contender debug` in a real cluster: copies of pods, for steps in the runner's image and in others. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { typeIntoShell } from '../cli/debug-shell.ts';
import { createProject, type Ended, type Sandbox } from '../cli/sandbox.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { executorIn, runnerImage } from './settings.ts';

const definition = `import { container, pipeline, step } from 'contender';

export default pipeline('broken', {}, ({ date }) => {
  const data = step('data', { outputs: { rows: 'number', table: 'artifact' }, command: ['sh', '-c',
    'printf "a\\\\n1\\\\n" > table.csv; echo \\'{"rows":3,"table":"table.csv"}\\''] });
  step('train', { input: { data }, run: ({ data }) => { throw new Error('no model of ' + data.table); }, pod: { labels: { team: 'ml' } } });
  step('count', { command: ['sh', '-c', 'cat "$1"; echo "$WHEN"; exit 3', 'sh', data.table], env: { WHEN: date }, secrets: ['PASSWORD'] });
  container('boxed', { image: '${runnerImage}', secrets: ['PASSWORD'], command: ['sh', '-c', 'cat "$1"; cat $CONTENDER_SECRETS/PASSWORD; exit 4', 'sh', data.table] });
});
`;

let namespace: Namespace;
let sandbox: Sandbox;
let environment: { readonly [name: string]: string };
before(async () => {
  namespace = await makeNamespace();
  environment = { CONTENDER_SECRET_PASSWORD: 'correct horse', KUBECONFIG: process.env['KUBECONFIG'] ?? '' };
  const executor = await executorIn(namespace.name);
  sandbox = createProject({
    '.pipelines/broken.ts': definition,
    'notes.txt': 'as it was\n',
    'contender.yaml': JSON.stringify({ executor }),
  });
  const { status, out } = await sandbox.run(['run', 'broken'], { environment });
  assert.equal(status, 1, out);
});
after(async () => {
  await sandbox.remove();
  await namespace.remove();
});

const debug = (...words: readonly string[]): Promise<Ended> =>
  sandbox.run(['debug', 'broken#1', ...words], { environment });
const script = ['--', 'sh', '-c', 'sh "$CONTENDER_STEP_SCRIPT"'];
const podIn = ({ err }: Ended): string =>
  /^The pod (contender-debug-\S+) is made in \S+\.$/m.exec(err)?.[1] ?? assert.fail(err);

test('a command has its files, inputs, variables and secrets in a copy of its pod, which is removed', async () => {
  const looked = await debug('count', '--', 'sh', '-c', 'cat notes.txt; echo "$PASSWORD $CONTENDER_STEP"; pwd; whoami');
  assert.equal(looked.status, 0, looked.err);
  assert.deepEqual(looked.out.split('\n').slice(0, 3), ['as it was', 'correct horse count', '/contender/source']);
  const carried = await debug('count', ...script);
  assert.deepEqual(
    [carried.status, /^a\n1\n\d{4}-\d\d-\d\d\n$/.test(carried.out)],
    [1, true],
    carried.out + carried.err,
  );
  assert.match(carried.err, new RegExp(`^The pod ${podIn(carried)} is removed\\.\nIt ended with exit code 3\\.$`, 'm'));
  await namespace.waitForNone('pods');
});

test('a function is carried out in the image of the runner', async () => {
  const carried = await debug('train', ...script);
  assert.equal(carried.status, 1);
  assert.match(carried.err, /Error: no model of \/contender\/inputs\/\S+table\.csv\n +at .*\.pipelines\/broken\.ts:6:/);
});

test('a container has its own image, with its inputs and secrets', async () => {
  const carried = await debug('boxed', ...script);
  assert.deepEqual([carried.status, carried.out], [1, 'a\n1\ncorrect horse'], carried.err);
  assert.match(carried.err, /^It ended with exit code 4\.$/m);
});

test('without a command it is a shell in the pod, where Ctrl-C ends what runs in it', async () => {
  const looking = sandbox.start(['debug', 'broken#1', 'count'], { environment, terminal: true });
  const out = await typeIntoShell(looking, /\$ /);
  assert.match(out, /The pod \S+ is removed\..*It ended with exit code 7\./s);
  await namespace.waitForNone('pods');
});

test('Ctrl-C removes the pod, and the pod is that of the step as long as it is there', async () => {
  const looking = sandbox.start(['debug', 'broken#1', 'train', '--', 'sh', '-c', 'echo begun; sleep 600'], {
    environment,
  });
  await looking.until(/begun/);
  const [, pod = ''] = /The pod (\S+) is made/.exec(looking.said()) ?? [];
  assert.equal(await namespace.read(`pod/${pod}`, '{.metadata.labels.team}'), 'ml');
  assert.equal(await namespace.read(`pod/${pod}`, '{.metadata.labels.contender\\.dev/type}'), 'debug');
  looking.kill('SIGINT');
  const { status, err } = await looking.ended;
  assert.equal(status, 130);
  assert.match(err, new RegExp(`^The pod ${pod} is removed\\.$`, 'm'));
  await namespace.waitForNone('pods');
});

test('an image that is not there is told, and its pod is removed', async () => {
  const { kubernetes } = await executorIn(namespace.name);
  const executor = { kubernetes: { ...kubernetes, image: 'nowhere:1' } };
  sandbox.write({ 'contender.yaml': JSON.stringify({ executor }) });
  const { status, err } = await debug('count', '--', 'true');
  assert.equal(status, 2);
  assert.match(err, /there is no shell: its copy does not start: its image is not on the node.* \[debug-impossible\]/);
  await namespace.waitForNone('pods');
});
