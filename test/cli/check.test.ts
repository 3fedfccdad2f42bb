import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { broken, good, pooled } from './pipelines.ts';
import { createProject, createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

test('a good pipeline is named with its steps and digest', async () => {
  sandbox = createProject({ '.pipelines/good.ts': good });
  const { status, out, err } = await sandbox.run(['check']);
  assert.deepEqual({ status, err }, { status: 0, err: '' });
  assert.match(out, /^✓ good 2 steps, \.pipelines\/good\.ts, digest [0-9a-f]{12}\n$/);
});

test('a broken one is said with file, line, column and what to do, and the others are still checked', async () => {
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/broken.ts': broken });
  const { status, out, err } = await sandbox.run(['check']);
  assert.equal(status, 2);
  assert.match(out, /good 2 steps/);
  assert.match(
    err,
    /\.pipelines\/broken\.ts:4:3: step "one": there is no option "retrys" \[definition-option\]\n {2}Did you mean "retries"\?/,
  );
});

test('a pool that contender.yaml does not declare, or that is too small, is said where there is such a file', async () => {
  sandbox = createProject({ '.pipelines/pooled.ts': pooled });
  assert.equal((await sandbox.run(['check'])).status, 0);
  sandbox.write({ 'contender.yaml': 'pools: { gpu: { slots: 2 } }\n' });
  assert.equal((await sandbox.run(['check'])).status, 0);
  sandbox.write({ 'contender.yaml': 'pools: { gpu: { slots: 1 }, database: { slots: 4 } }\n' });
  const small = await sandbox.run(['check']);
  assert.equal(small.status, 2);
  assert.match(
    small.err,
    /\.pipelines\/pooled\.ts:5:3: step "train": an attempt takes 2 slots of the pool "gpu", which has 1 \[pool-invalid\]/,
  );
  sandbox.write({ 'contender.yaml': 'pools: { database: { slots: 4 } }\n' });
  assert.match(
    (await sandbox.run(['check'])).err,
    /there is no pool "gpu"; contender\.yaml declares the pools database/,
  );
});

test('a channel that contender.yaml does not declare is said where there is such a file', async () => {
  const told = good.replace('{ parameters', "{ notify: ['ml-team'], parameters");
  assert.notEqual(told, good);
  sandbox = createProject({ '.pipelines/good.ts': told });
  assert.equal((await sandbox.run(['check'])).status, 0);
  const channels = (name: string): string => `notifications: { channels: { ${name}: { slack: { url: TEAM } } } }\n`;
  sandbox.write({ 'contender.yaml': channels('ml-team') });
  assert.equal((await sandbox.run(['check'])).status, 0);
  sandbox.write({ 'contender.yaml': channels('alerts') });
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 2);
  assert.match(
    err,
    /good\.ts:3:16: there is no channel "ml-team"; contender\.yaml declares the channels alerts \[channel-unknown\]/,
  );
});

test('with --json, a program reads the same', async () => {
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/broken.ts': broken });
  const { status, out } = await sandbox.run(['check', '--json']);
  assert.equal(status, 2);
  const found: unknown = JSON.parse(out);
  assert.ok(Array.isArray(found));
  const [first, second] = found;
  assert.deepEqual(first.problems[0].where, { file: '.pipelines/broken.ts', line: 4, column: 3 });
  assert.equal(second.pipeline, 'good');
  assert.match(second.digest, /^[0-9a-f]{64}$/);
});

test('settings that are wrong are said beside the pipelines, without any secret being there', async () => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    'contender.yaml':
      'repositories:\n  - url: https://github.com/mona/churn.git\n    github: { repository: mona/churn }\n',
  });
  assert.equal((await sandbox.run(['check'])).status, 0);
  sandbox.write({ 'contender.yaml': 'server:\n  prot: 1\n' });
  const { status, out, err } = await sandbox.run(['check']);
  assert.equal(status, 2);
  assert.match(out, /good 2 steps/);
  assert.match(err, /^✗ contender\.yaml:2:3: .*prot.* \[config-invalid\]/);
  assert.match((await sandbox.run(['check', '--json'])).out, /"file": "contender\.yaml"/);
  assert.equal((await sandbox.run(['check', '--ref', 'main'])).status, 0, 'a commit has no settings of the server');
});

test('a container that cannot run here is a warning, not a mistake', async () => {
  sandbox = createProject({
    '.pipelines/boxed.ts': `import { container, pipeline } from 'contender';

export default pipeline('boxed', {}, () => {
  container('train', { image: 'trainer:1' });
  container('score', { image: 'scorer:1', local: { command: ['true'] } });
});
`,
  });
  const { status, out, err } = await sandbox.run(['check']);
  assert.equal(status, 0);
  assert.match(out, /boxed 2 steps/);
  assert.match(
    err,
    /^! \.pipelines\/boxed\.ts:4:3: step "train" is a container without `local: .*\n {2}Say with `local` .*\n$/,
  );
  const [found] = JSON.parse((await sandbox.run(['check', '--json'])).out);
  assert.deepEqual(
    found.warnings.map(({ where }: { readonly where: object }) => where),
    [{ file: '.pipelines/boxed.ts', line: 4, column: 3 }],
  );
  const cluster = 'executor: { kubernetes: { namespace: training, image: runner, agents: "http://contender:8081" } }\n';
  sandbox.write({ 'contender.yaml': cluster });
  assert.equal((await sandbox.run(['check'])).err, '');
});

test('of a container with a cache whose image a tag names, check warns that it always runs', async () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  sandbox = createProject({
    '.pipelines/boxed.ts': `import { container, pipeline } from 'contender';

export default pipeline('boxed', {}, () => {
  container('train', { image: 'trainer:1', cache: true, local: { command: ['true'] } });
  container('score', { image: 'scorer@${digest}', cache: { for: '1d' }, local: { command: ['true'] } });
});
`,
  });
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 0);
  assert.match(err, /^! [^\n]*step "train" has a cache, and its image, trainer:1, .*\n {2}Name the image by .*\n$/);
});

test('a mount of a volume that nothing declares is a warning, by what is known of the settings of pods', async () => {
  sandbox = createProject({
    '.pipelines/mounting.ts': `import { pipeline, step } from 'contender';

const mount = (name) => [{ name, mountPath: '/data' }];

export default pipeline('mounting', { pod: { volumes: [{ name: 'models', emptyDir: {} }] } }, () => {
  step('own', { command: ['true'], pod: { volumeMounts: mount('models') } });
  step('patched', { command: ['true'], pod: { volumeMounts: mount('p'), patch: { spec: { volumes: [{ name: 'p', emptyDir: {} }] } } } });
  step('given', { command: ['true'], pod: { volumeMounts: mount('shared') } });
  step('wrong', { command: ['true'], pod: { volumeMounts: mount('modles') } });
  step('beside', { command: ['true'], pod: { sidecars: [{ name: 'proxy', image: 'proxy:1', volumeMounts: mount('shared') }] } });
});
`,
  });
  const help =
    'Declare it in `volumes` of its `pod`, or of `executor.kubernetes.pod` in contender.yaml, or correct the name.';
  const unknown = ['8 given: shared', '9 wrong: modles', '10 beside: shared'].map((each) => {
    const [line, step, volume] = each.split(/:? /);
    return `! .pipelines/mounting.ts:${line}:3: step "${step}" mounts the volume "${volume}", which its \`pod\` does not declare: a cluster makes its pod only where \`executor.kubernetes.pod\` of contender.yaml does\n  ${help}\n`;
  });
  for (const words of [['check'], ['check', '--ref', 'main']])
    assert.equal((await sandbox.run(words)).err, unknown.join(''), 'a server may give it');
  const cluster = { namespace: 'training', image: 'runner', agents: 'http://contender:8081' };
  const pod = { volumes: [{ name: 'shared', persistentVolumeClaim: { claimName: 'shared' } }] };
  sandbox.write({ 'contender.yaml': JSON.stringify({ executor: { kubernetes: { ...cluster, pod } } }) });
  for (const words of [['check'], ['check', '--ref', 'main']]) {
    const { status, err } = await sandbox.run(words);
    assert.equal(status, 0);
    assert.equal(
      err,
      `! .pipelines/mounting.ts:9:3: step "wrong" mounts the volume "modles", which neither its \`pod\` nor contender.yaml declares, so its pod cannot be made\n  ${help}\n`,
    );
  }
});

test('with --ref, the commit counts and not what stands in the folder', async () => {
  sandbox = createProject({ '.pipelines/good.ts': good });
  sandbox.write({ '.pipelines/good.ts': broken });
  const committed = await sandbox.run(['check', '--ref', 'main']);
  assert.equal(committed.status, 0, committed.err);
  assert.equal((await sandbox.run(['check'])).status, 2);
  const unknown = await sandbox.run(['check', '--ref', 'no-such-branch']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /no-such-branch .*\[revision-unknown\]/);
});

test('a subfolder of the project is as good as its top', async () => {
  sandbox = createProject({ '.pipelines/good.ts': good, 'data/readme.txt': '' });
  const { status, out } = await sandbox.run(['check'], { within: 'data' });
  assert.equal(status, 0);
  assert.match(out, /good/);
});

test('a folder without pipelines, or without repository, is said to be one', async () => {
  sandbox = createSandbox();
  const empty = await sandbox.run(['check']);
  assert.equal(empty.status, 2);
  assert.match(empty.err, /there are no pipelines here \[pipeline-unknown\]\n.*contender init/);
  const reference = await sandbox.run(['check', '--ref', 'main']);
  assert.equal(reference.status, 2);
  assert.match(reference.err, /is no Git repository \[repository-unreadable\]\n.*git init/);
});

test('escape sequences in a definition do not reach the terminal', async () => {
  sandbox = createProject({
    '.pipelines/loud.ts':
      "import { pipeline } from 'contender';\nexport default pipeline('loud', {}, () => { throw new Error('\\u001b[31mred\\u009b2J'); });\n",
  });
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 2);
  assert.match(err, /red/);
  assert.ok(!err.includes('\u001b') && !err.includes('\u009b'));
});

test('with --against, it says what has changed since the folder left that branch, a weakened gate first', async () => {
  const guarded = (rows: number, image: string): string => `import { container, gate, pipeline } from 'contender';

export default pipeline('guarded', {}, () => {
  const data = gate('validate', { data: 'x.csv', rows: { min: ${rows} } });
  container('train', { image: '${image}', local: { command: ['true'] }, after: data });
});
`;
  const gone = good.replace("pipeline('good'", "pipeline('gone'");
  sandbox = createProject({ '.pipelines/guarded.ts': guarded(1000, 'train:1'), '.pipelines/gone.ts': gone });
  const same = await sandbox.run(['check', '--against', 'main']);
  assert.match(same.out, /\n\nNo pipeline has changed\.\n$/);
  sandbox.write({ '.pipelines/guarded.ts': guarded(10, 'train:2'), '.pipelines/good.ts': good });
  rmSync(join(sandbox.folder, '.pipelines/gone.ts'));
  const { status, out, err } = await sandbox.run(['check', '--against', 'main']);
  assert.deepEqual([status, err], [0, '']);
  const [, changes = ''] = out.split(/digest [0-9a-f]{12}\n\n/);
  assert.equal(
    changes,
    `good added
  step "first" is new
  step "second" is new

guarded changed
  ‼ weakened: gate "validate", number of rows: min fell from 1000 to 10
  step "validate": checks[0].min: 1000 → 10
  step "train": image: "train:1" → "train:2"

gone removed
  step "first" is gone
  step "second" is gone
`,
  );
  const read: unknown = JSON.parse((await sandbox.run(['check', '--against', 'main', '--json'])).out);
  assert.ok(Array.isArray(read));
  assert.deepEqual(
    read.map(({ pipeline, digest, change }) => [pipeline, digest !== null, change.kind, change.weakened.length]),
    [
      ['good', true, 'added', 0],
      ['guarded', true, 'changed', 1],
      ['gone', false, 'removed', 0],
    ],
  );
  const unknown = await sandbox.run(['check', '--against', 'no-such-branch']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /no-such-branch .*\[revision-unknown\]/);
});

test('waits that can never come true are warnings', async () => {
  const waiting = `import { pipeline, waitFor } from 'contender';

export default pipeline('waiting', {}, ({ date }) => {
  waitFor.pipeline('nope', { date });
  waitFor.step('good', 'nope', { date });
  waitFor.pipeline('waiting', { name: 'itself', date });
  waitFor.pipeline('waiting', { name: 'yesterday', date, shift: '-1d' });
  waitFor.pipeline('good', { date });
  waitFor.step('good', 'second', { date });
});
`;
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/waiting.ts': waiting });
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 0);
  assert.deepEqual(err.trimEnd().split('\n'), [
    '! .pipelines/waiting.ts:4:11: step "wait-for-nope" waits for "nope", which no file here defines, so it waits until its time is over',
    '  Correct the name; the files here define good, waiting.',
    '! .pipelines/waiting.ts:5:11: step "wait-for-good-nope" waits for "nope" of "good", which has no such step, so it waits until its time is over',
    '  Correct the name; it has first, second.',
    '! .pipelines/waiting.ts:6:11: step "itself" waits for the end of the run that it belongs to',
    "  Move the date: `shift: '-1d'` is the run of the day before.",
  ]);
});

test('a file elsewhere on a machine is warned of where steps run in pods or on workers', async () => {
  const waiting = `import { pipeline, waitFor } from 'contender';

export default pipeline('waiting', {}, ({ date }) => {
  waitFor.file('inside', { path: 'data/ready.csv' });
  waitFor.file('outside', { path: \`/exports/\${date}.csv\` });
});
`;
  sandbox = createProject({ '.pipelines/waiting.ts': waiting });
  assert.equal((await sandbox.run(['check'])).err, '');
  const fleet = 'executor: { fleet: {} }\n';
  const cluster = 'executor: { kubernetes: { namespace: training, image: runner, agents: "http://contender:8081" } }\n';
  for (const settings of [fleet, cluster]) {
    sandbox.write({ 'contender.yaml': settings });
    assert.equal(
      (await sandbox.run(['check'])).err.split('\n')[0],
      '! .pipelines/waiting.ts:5:11: step "outside" waits for a file at /exports/…, which no look sees where steps run in pods or on workers, so it fails',
    );
  }
});

test('what can never start by itself, and what does nothing yet, is warned of', async () => {
  const vain = `import { challenge, pipeline, step } from 'contender';

const on = { schedule: '0 2 * * *', data: ['sales'] };

export default pipeline('vain', { on, parameters: { weeks: { type: 'number' }, by: 'region' }, freshness: { model: 'm', within: '8d' } }, () => {
  const train = step('train', { command: ['true'], outputs: { model: 'artifact', scores: 'artifact' } });
  challenge('m', { model: train.model, predictions: train.scores, metric: 'f1' });
});
`;
  sandbox = createProject({ '.pipelines/vain.ts': vain, '.pipelines/good.ts': good });
  const { status, out, err } = await sandbox.run(['check']);
  assert.equal(status, 0, err);
  assert.match(out, /✓ vain/);
  assert.deepEqual(
    err.split('\n').filter((line) => line.startsWith('!')),
    [
      '! .pipelines/vain.ts:5:16: nothing but a person can start it: the parameter "weeks" has no default, and `on` (schedule, data) gives none',
      '! .pipelines/vain.ts:5:16: `freshness` is kept, and nothing watches it yet',
    ],
  );
});

test('a file that means to be a pipeline and does not end in .ts is warned of', async () => {
  const helper = 'export const weeks = 4;\n';
  sandbox = createProject({ '.pipelines/good.ts': good, '.pipelines/other.mts': good, '.pipelines/weeks.js': helper });
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 0);
  assert.equal(
    err,
    '! .pipelines/other.mts:1:1: it is not looked at: pipelines are the files of .pipelines that end in .ts, and not in .mts\n  Call it other.ts.\n',
  );
});

test('a step that names the key of an object store is refused, whatever its name', async () => {
  sandbox = createProject({
    '.pipelines/takes.ts': `import { pipeline, step } from 'contender';

export default pipeline('reader', { secrets: ['OWN'] }, () => {
  step('fine', { command: ['true'] });
  step('takes', { command: ['true'], secrets: ['OWN', 'LAKE_KEY'] });
});
`,
    'contender.yaml': 'objectStores: { lake: { secrets: { accessKeyId: LAKE_ID, secretAccessKey: LAKE_KEY } } }',
  });
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 2);
  assert.match(
    err,
    /takes\.ts:5:3: step "takes": the secret LAKE_KEY is a key of the object store "lake", which steps do not get \[secret-reserved\]/,
  );
  assert.doesNotMatch(err, /"fine"/);
});

test('an object store that contender.yaml does not declare is said where there is such a file', async () => {
  const waiting = (store: string): string => `import { pipeline, waitFor } from 'contender';

export default pipeline('waiting', {}, () => {
  waitFor.object('rows', { url: 's3://exports/rows.csv'${store} });
});
`;
  const stores = (...names: string[]): string =>
    JSON.stringify({
      objectStores: Object.fromEntries(
        names.map((name) => [name, { secrets: { accessKeyId: 'ID', secretAccessKey: 'KEY' } }]),
      ),
    });
  sandbox = createProject({ '.pipelines/waiting.ts': waiting('') });
  const bare = await sandbox.run(['check']);
  assert.equal(bare.status, 0);
  assert.match(
    bare.err,
    /waiting\.ts:4:11: step "rows" waits for an object, and no contender\.yaml declares its store\n {2}Declare it in contender\.yaml: objectStores: \{ lake: \{ secrets: /,
  );
  sandbox.write({ 'contender.yaml': stores('lake') });
  const declared = await sandbox.run(['check']);
  assert.deepEqual([declared.status, declared.err], [0, '']);
  sandbox.write({ 'contender.yaml': stores() });
  const none = await sandbox.run(['check']);
  assert.equal(none.status, 2);
  assert.match(none.err, /which object store is not said; contender\.yaml declares no object stores \[store-unknown\]/);
  assert.match(none.err, /Declare it in contender\.yaml: objectStores: \{ lake: \{ secrets: \{ accessKeyId: NAME, /);
  sandbox.write({ 'contender.yaml': stores('lake', 'pond'), '.pipelines/waiting.ts': waiting(", store: 'sea'") });
  const { err } = await sandbox.run(['check']);
  assert.match(
    err,
    /waiting\.ts:4:11: step "rows": there is no object store "sea"; contender\.yaml declares the object stores lake, pond/,
  );
  assert.match(err, /Declare it in contender\.yaml: objectStores: \{ sea: .*, or change `store` of the step/);
});
