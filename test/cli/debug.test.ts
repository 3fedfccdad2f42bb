/** `contender debug` on this machine: the place of a step as it was, for a command; what cannot be laid out is said. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { typeIntoShell } from './debug-shell.ts';
import { createProject, type Ended, type Sandbox } from './sandbox.ts';

const definition = `import { approval, container, map, pipeline, step } from 'contender';

export default pipeline('broken', {}, ({ date }) => {
  const data = step('data', { outputs: { rows: 'number', table: 'artifact' }, command: ['sh', '-c',
    'printf "a\\\\n1\\\\n" > table.csv; echo \\'{"rows":3,"table":"table.csv"}\\''] });
  step('train', {
    input: { data },
    run: ({ data }) => { throw new Error('no model of ' + data.rows + ' rows at ' + data.table); },
  });
  step('count', { command: ['sh', '-c', 'cat "$1"; echo "$WHO on $WHEN"; exit 3', 'sh', data.table], env: { WHO: "it's me", WHEN: date }, secrets: ['PASSWORD'] });
  container('boxed', { image: 'registry.example/box', after: data });
  map({ number: [1, 2, 3] }, ({ number }) => step('third', { command: ['sh', '-c', 'test "$1" != 2', 'sh', number] }));
  approval('release', { message: 'may it?', after: data, timeout: '1s' });
  const failed = step('fails', { command: ['false'] });
  step('never', { command: ['echo', failed] });
});
`;

let sandbox: Sandbox;
const environment = { CONTENDER_SECRET_PASSWORD: 'correct horse' };
before(async () => {
  sandbox = createProject({ '.pipelines/broken.ts': definition, 'notes.txt': 'as it was\n' });
  const { status } = await sandbox.run(['run', 'broken'], { environment });
  assert.equal(status, 1);
  sandbox.write({ 'notes.txt': 'changed since\n' });
});
after(() => sandbox.remove());

const debug = (...words: readonly string[]): Promise<Ended> =>
  sandbox.run(['debug', 'broken#1', ...words], { environment });
const carryOut = ['--', 'sh', '-c', 'sh "$CONTENDER_STEP_SCRIPT"'];

test('a command is found with its files, inputs, variables and secrets, and is carried out by its script', async () => {
  const looked = await debug('count', '--', 'sh', '-c', 'cat notes.txt; echo "$PASSWORD $CONTENDER_STEP"; pwd');
  assert.equal(looked.status, 0, looked.err);
  const [notes, told, folder = ''] = looked.out.split('\n');
  assert.deepEqual([notes, told], ['as it was', 'correct horse count']);
  assert.match(looked.err, /^The step runs sh -c .* sh \S+table\.csv\nCarry it out: sh \$CONTENDER_STEP_SCRIPT$/m);
  assert.equal(existsSync(folder), false, 'it is gone');
  const carried = await debug('count', ...carryOut);
  assert.equal(carried.status, 1);
  assert.match(carried.out, /^a\n1\nit's me on \d{4}-\d\d-\d\d\n$/);
  assert.match(carried.err, /^It ended with exit code 3\.$/m);
});

test('a function is carried out by its script, with its input and in one process that a debugger may enter', async () => {
  const { status, err } = await debug('train', '--', 'sh', '-c', 'sh "$CONTENDER_STEP_SCRIPT" --title=own');
  assert.equal(status, 1);
  assert.match(err, /^The step is a function in \.pipelines\/broken\.ts\.$/m);
  assert.match(err, /Error: no model of 3 rows at \/\S+table\.csv\n +at .*\.pipelines\/broken\.ts:8:/);
});

test('without a command it is a shell in the terminal, where Ctrl-C ends what runs in it', async () => {
  const looking = sandbox.start(['debug', 'broken#1', 'count'], { environment, terminal: true });
  const out = await typeIntoShell(looking, /[$#] /);
  assert.match(out, /It ended with exit code 7\./);
});

test('of a mapped step it is the instance that failed, or the one that is named', async () => {
  const index = ['--', 'sh', '-c', 'echo "$CONTENDER_INDEX"'];
  assert.equal((await debug('third', ...index)).out, '1\n');
  assert.equal((await debug('third', '--index', '2', ...index)).out, '2\n');
  assert.match(
    (await debug('third', '--index', '3', ...index)).err,
    /the instance 3 of step "third" never began \[attempt-unknown\]\n {2}Those from 0 to 2 may have/,
  );
});

for (const [step, why] of [
  ['boxed', /the container of "boxed" has no local command: it runs in a cluster \[debug-impossible\]/],
  ['release', /it is an approval, of which nothing runs \[debug-impossible\]/],
  ['never', /step "never" never began: upstream_failed \[attempt-unknown\]/],
  ['nobody', /the run has no step "nobody" \[step-unknown\]\n {2}Its steps: data, train/],
] as const) {
  test(`there is no place of ${step}, and it is said why`, async () => {
    const { status, out, err } = await debug(step, '--', 'true');
    assert.deepEqual({ status, out }, { status: 2, out: '' });
    assert.match(err, why);
  });
}

test('other mistakes are told with what to do', async () => {
  assert.match(
    (await debug('count', '--attempt', '2', '--', 'true')).err,
    /step "count" has 1 attempt \[attempt-unknown\]/,
  );
  assert.match((await debug('count')).err, /a shell needs a terminal \[usage\]/);
  assert.match((await debug('count', '--', 'no-such-program')).err, /no-such-program cannot be started: .*ENOENT/);
  assert.match((await debug('count', '--for', '1s', '--', 'true')).err, /A duration from 5m to 24h/);
  const without = await sandbox.run(['debug', 'broken#1', 'count', '--', 'true']);
  assert.match(without.err, /the secret PASSWORD is not configured/);
});
