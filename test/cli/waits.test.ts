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

const asking = `import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, step, waitFor } from 'contender';

export default pipeline('asking', { parameters: { folder: '/none' } }, ({ parameters }) => {
  const ready = waitFor.until('ready', { input: { folder: parameters.folder }, interval: '1s', run: ({ folder }, context) => {
    context.log(context.step + ' looks into ' + folder);
    const path = join(folder, 'ready.json');
    return existsSync(path) && JSON.parse(readFileSync(path, 'utf8'));
  } });
  step('train', { input: { ready }, run: ({ ready }) => console.log(JSON.stringify(ready)) });
});
`;

test('a function is a wait like any other: told on its page, with one log of its looks, and its answer is the output', async () => {
  sandbox = createProject({ '.pipelines/asking.ts': asking });
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
  const run = sandbox.start(['run', 'asking', '--param', `folder=${sandbox.folder}`]);
  await run.until(/ready deferred: waits for its function/);
  const listed = JSON.parse((await sandbox.run(['runs', '--json'])).out) as { readonly id: string };
  const get = async (path: string): Promise<string> => (await fetch(`${url}/runs/${listed.id}${path}`)).text();
  let page = '';
  for (let looked = false; !looked; looked = /looked \d+ times/.test(page)) page = await get('?step=ready');
  assert.match(page, /waits for its function; looked \d+ times, last [^:]+ ago: the function says not yet/);
  assert.match(page, /ready looks into/);
  assert.match(
    await get('/steps/ready/0/1/log'),
    /Look 1[^]*ready looks into[^]*Look 2[^]*still being written|still being written[^]*Look 2/,
  );
  assert.match((await sandbox.run(['logs', 'asking#1', 'ready'])).out, /Look 1\n.*looks into.*\n.*Look 2/);
  sandbox.write({ 'ready.json': '{"files":["a.csv"]}' });
  const ended = await run.ended;
  assert.equal(ended.status, 0, ended.out);
  assert.match((await sandbox.run(['logs', 'asking#1', 'train'])).out, /\{"files":\["a.csv"\]\}/);
  assert.doesNotMatch(await get('/steps/ready/0/1/log'), /still being written/);
  assert.match(await get('/steps/ready/0/2/log'), /There is no such attempt/);
});

const broken = `import { pipeline, waitFor } from 'contender';

export default pipeline('broken', {}, () => {
  waitFor.until('ready', { retries: 1, retryDelay: '0s', interval: '1s', run: () => { throw new Error('no such bucket'); } });
});
`;

test('a function that throws fails with what it threw, after its retries', async () => {
  sandbox = createProject({ '.pipelines/broken.ts': broken });
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
  const ended = await sandbox.run(['run', 'broken']);
  assert.match(ended.out, /ready failed .*no such bucket/);
  const logs = (await sandbox.run(['logs', 'broken#1', 'ready'])).out;
  assert.equal(logs.match(/Failed \(code\): Error: no such bucket/g)?.length, 2, logs);
  const listed = JSON.parse((await sandbox.run(['runs', '--json'])).out) as { readonly id: string };
  const page = await (await fetch(`${url}/runs/${listed.id}`)).text();
  assert.match(page, /class="[^"]*failure[^]*no such bucket/);
});
