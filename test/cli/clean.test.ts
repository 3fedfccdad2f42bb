import assert from 'node:assert/strict';
import { readdirSync, utimesSync } from 'node:fs';
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
}

test('clean removes what is older than the setting, says what, and leaves a word of it', async () => {
  sandbox = createProject({ '.pipelines/speaking.ts': speaking, 'contender.yaml': 'retention: { logs: 1d }\n' });
  assert.match((await sandbox.run(['clean'])).err, /nothing has run here yet/);
  await sandbox.run(['run', 'speaking']);
  const folder = join(sandbox.folder, '.contender');
  const young = await sandbox.run(['clean']);
  assert.deepEqual([young.status, young.out], [0, 'logs  0 files, 0 B removed\n']);
  age(folder);
  const pretended = await sandbox.run(['clean', '--dry-run']);
  assert.match(pretended.out, /^logs {2}1 file, \d+ B would be removed\n$/);
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
