import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { good } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

/** Its first step leaves a line in `trained`; its second fails until there is a file `mended`. Both lie beside the state. */
const fragile = `import { pipeline, step } from 'contender';

export default pipeline('fragile', { parameters: { folder: { type: 'string' } } }, ({ parameters }) => {
  const train = step('train', {
    command: ['sh', '-c', 'echo trained >> "$FOLDER/trained"; echo "{\\\\"rows\\\\": 12}"'],
    env: { FOLDER: parameters.folder },
    outputs: { rows: 'number' },
  });
  step('report', {
    command: ['sh', '-c', '[ -e "$FOLDER/mended" ] || exit 3; echo "$ROWS rows"'],
    env: { FOLDER: parameters.folder, ROWS: train.rows },
  });
});
`;

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({ '.pipelines/fragile.ts': fragile, '.pipelines/good.ts': good });
});
afterEach(() => sandbox.remove());

const serving = /Contender \S+ is at (\S+), watching work\./;

async function fail(): Promise<string> {
  const failed = await sandbox.run(['run', 'fragile', '--param', `folder=${sandbox.folder}`]);
  assert.equal(failed.status, 1, failed.err);
  const [, id = ''] = /again from there: contender rerun ([0-9a-z]{26}) --failed/.exec(failed.out) ?? [];
  assert.notEqual(id, '', failed.out);
  assert.ok(failed.out.includes(`a shell in its place: contender debug ${id} report\n`), failed.out);
  return id;
}

const trained = (): number => sandbox.read('trained').trimEnd().split('\n').length;

test('a run that failed says how to go on, and goes on there without what was done', async () => {
  const id = await fail();
  sandbox.write({ mended: '' });
  const again = await sandbox.run(['rerun', id, '--failed']);
  assert.equal(again.status, 0, again.out + again.err);
  assert.match(again.out, /fragile again, as in #1: run [0-9a-z]{26}/);
  assert.match(again.out, /✓ train success, reused\n/);
  assert.match((await sandbox.run(['logs', 'fragile#2', 'report'])).out, /12 rows/);
  assert.equal(trained(), 1);

  const whole = await sandbox.run(['rerun', 'fragile#2', '--json']);
  assert.equal(whole.status, 0, whole.err);
  assert.match(whole.out, /"state":"success"/);
  assert.equal(trained(), 2);
});

test("in a folder whose server is at work, the run is its server's", async () => {
  await fail();
  sandbox.write({ mended: '' });
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(serving);
  const again = await sandbox.run(['rerun', 'fragile#1', '--from', 'report']);
  assert.equal(again.status, 0, again.out + again.err);
  assert.ok(again.out.includes(`Handed to the server at ${url}`), again.out);
  assert.equal(trained(), 1);

  const refused = await sandbox.run(['rerun', 'fragile#2', '--failed']);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /no step of run \S+ failed or was left out.* \[run-refused\]/);
});

test('at the head of the branch, a step that was changed is not reused', async () => {
  const id = await fail();
  sandbox.commit({ '.pipelines/fragile.ts': fragile.replace('echo trained', 'echo better'), mended: '' });
  const refused = await sandbox.run(['rerun', id, '--failed', '--at-head']);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /the step "train" was defined otherwise in run \S+, so it cannot be reused/);
  const whole = await sandbox.run(['rerun', id, '--at-head']);
  assert.equal(whole.status, 0, whole.out + whole.err);
  assert.deepEqual(sandbox.read('trained'), 'trained\nbetter\n');
});

test('what cannot be run again is said, with what to do', async () => {
  const nothing = await sandbox.run(['rerun', 'fragile#1']);
  assert.deepEqual([nothing.status, /\[nothing-here\]/.test(nothing.err)], [2, true], nothing.err);
  const id = await fail();
  const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['fragile#9'], /there is no run "fragile#9" \[run-unknown\]/],
    [[id, '--failed', '--from', 'train'], /do not go together \[usage\]/],
    [[id, '--from', 'trian'], /there is no step "trian"; there: train, report \[run-refused\]/],
  ];
  for (const [args, said] of cases) {
    const refused = await sandbox.run(['rerun', ...args]);
    assert.equal(refused.status, 2);
    assert.match(refused.err, said);
  }
});
