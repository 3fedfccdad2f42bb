/** What is said of a step that waits, in the terminal and on the page of its run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const patient = `import { pipeline, step, waitFor } from 'contender';

export default pipeline('patient', { parameters: { folder: '/none' } }, ({ parameters }) => {
  const data = waitFor.file('data', { path: \`\${parameters.folder}/data.csv\`, interval: '1s' });
  waitFor.step('daily-features', 'clean', { name: 'clean', date: '2026-11-24', timeout: '1s', softFail: true });
  step('train', { input: { data }, run: ({ data }) => console.log(JSON.stringify(data)) });
});
`;

test('the terminal says what is waited for, and the page of the run how often it was looked for and what was seen', async () => {
  sandbox = createProject({ '.pipelines/patient.ts': patient });
  const path = join(sandbox.folder, 'data.csv');
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
  const run = sandbox.start(['run', 'patient', '--param', `folder=${sandbox.folder}`]);
  await run.until(/data deferred: waits for \S+\/data\.csv/);
  await run.until(/clean skipped .*: timeout: .* there is no run of daily-features for 2026-11-24/);
  const logs = await sandbox.run(['logs', 'patient#1', 'data']);
  assert.match(logs.err, /step "data" waits for \S+\/data\.csv, and looking writes no log/);
  assert.match((await sandbox.run(['logs', 'patient#1', 'clean'])).err, /step "clean" only waited, .*: skipped/);
  const listed = JSON.parse((await sandbox.run(['runs', '--json'])).out) as { readonly id: string };
  const page = await (await fetch(`${url}/runs/${listed.id}?step=data`)).text();
  assert.ok(page.includes(`waits for ${path}; looked `), page);
  assert.match(page, /looked (?:once|\d+ times, last) [^:]+ ago: there is no \S+data\.csv yet/);
  sandbox.write({ 'data.csv': 'a,b\n' });
  const ended = await run.ended;
  assert.equal(ended.status, 0, ended.out);
  assert.match(ended.out, /data success/);
  assert.match((await sandbox.run(['logs', 'patient#1', 'train'])).out, /"bytes":4/);
});
