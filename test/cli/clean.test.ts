import assert from 'node:assert/strict';
import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, test } from 'node:test';
import { createProject, fromContender, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const speaking = `${fromContender}
export default pipeline('speaking', {}, () => {
  step('loud', { command: ['echo', 'here'] });
});
`;

/** As if everything had been done two days ago. */
function age(folder: string): void {
  const ms = 2 * 24 * 3_600_000;
  const journal = new DatabaseSync(join(folder, 'journal.sqlite'));
  journal.exec(`update run set finished_at = finished_at - ${ms}`);
  const end = `json_extract(body, '$.type') = 'run-finished'`;
  journal.exec(`update run_event set body = json_set(body, '$.at', json_extract(body, '$.at') - ${ms}) where ${end}`);
  journal.close();
  const at = (Date.now() - ms) / 1000;
  for (const name of readdirSync(join(folder, 'logs'))) utimesSync(join(folder, 'logs', name), at, at);
  if (!existsSync(join(folder, 'artifacts'))) return;
  const artifacts = readdirSync(join(folder, 'artifacts'), { recursive: true, encoding: 'utf8' });
  for (const name of artifacts) utimesSync(join(folder, 'artifacts', name), at, at);
}

test('clean removes what is older than the setting, says what, and leaves a word of it', async () => {
  sandbox = createProject({ '.pipelines/speaking.ts': speaking, 'contender.yaml': 'retention: { logs: 1d }\n' });
  assert.match((await sandbox.run(['clean'])).err, /nothing has run here yet/);
  await sandbox.run(['run', 'speaking']);
  const folder = join(sandbox.folder, '.contender');
  const young = await sandbox.run(['clean']);
  assert.deepEqual([young.status, young.out], [0, 'logs       0 files, 0 B removed\n']);
  age(folder);
  const pretended = await sandbox.run(['clean', '--dry-run']);
  assert.match(pretended.out, /^logs {7}1 file, \d+ B would be removed\n$/);
  assert.equal((await sandbox.run(['logs', 'speaking#1'])).out, 'loud here\n');
  const { status, out } = await sandbox.run(['clean', '--json']);
  assert.equal(status, 0);
  const { bytes, ...told } = JSON.parse(out) as { readonly bytes: number };
  assert.deepEqual(told, { what: 'logs', files: 1, dryRun: false });
  assert.ok(bytes > 0);
  const gone = await sandbox.run(['logs', 'speaking#1']);
  assert.deepEqual(
    [gone.status, gone.out, gone.err],
    [0, '', 'loud left a log that was removed 1d after the end of the run\n'],
  );
});

const training = `${fromContender}
export default pipeline('training', {}, () => {
  const train = step('train', {
    cache: true,
    run: async (_input, context) => ({ model: await context.artifact(new TextEncoder().encode('weights'), 'model.bin') }),
  });
  step('test', { input: { model: train.model }, run: () => 1 });
});
`;

test('an artifact goes when no run needs it, and the next run makes it again', async () => {
  sandbox = createProject({ '.pipelines/training.ts': training, 'contender.yaml': 'retention: { artifacts: 1d }\n' });
  const folder = join(sandbox.folder, '.contender');
  const clean = async (): Promise<string> => (await sandbox.run(['clean'])).out;
  assert.equal((await sandbox.run(['run', 'training'])).status, 0);
  age(folder);
  assert.match((await sandbox.run(['run', 'training'])).out, /train success, from the cache/);
  assert.equal(await clean(), 'artifacts  0 files, 0 B removed\n');
  age(folder);
  const rules = { 'contender.yaml': sandbox.read('contender.yaml') };
  sandbox.write({ 'contender.yaml': `${rules['contender.yaml']}repositories: [{ url: ./gone }]\n` });
  const unreachable = await sandbox.run(['clean']);
  assert.deepEqual([unreachable.status, unreachable.out], [2, 'artifacts  0 files, 0 B removed\n']);
  assert.match(unreachable.err, /no artifact is removed: the models of gone cannot be read: .* \[models-unreadable\]/);
  sandbox.write(rules);
  assert.equal(await clean(), 'artifacts  1 file, 7 B removed\n');
  const again = await sandbox.run(['run', 'training']);
  assert.equal(again.status, 0);
  assert.match(again.out, /train success, not from the cache: model\.bin is no longer stored/);
});

test('without a setting all is kept, and beside a server it is refused', async () => {
  sandbox = createProject({ '.pipelines/speaking.ts': speaking });
  const { status, err } = await sandbox.run(['clean']);
  assert.deepEqual([status, err], [0, 'All is kept for good: contender.yaml says no `retention`.\n']);
  sandbox.write({ 'contender.yaml': 'retention: { logs: 1d }\n' });
  const server = sandbox.start(['serve', '--port', '0']);
  await server.until(/Contender \S+ is at (\S+), watching/);
  const refused = await sandbox.run(['clean']);
  assert.equal(refused.status, 75);
  assert.match(refused.err, /\[folder-locked\]/);
});
