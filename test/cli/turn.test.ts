import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { fromContender, createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const single = `${fromContender}
export default pipeline('single', { maxActiveRuns: 1 }, () => {
  step('sleeps', { command: ['sh', '-c', 'echo has begun; exec sleep 600'] });
});
`;

test('a run that waits for another one of its pipeline says so where it is followed, in the list and on its page', async () => {
  sandbox = createProject({ '.pipelines/single.ts': single });
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
  const first = sandbox.start(['run', 'single']);
  await first.until(/sleeps running/);
  const second = sandbox.start(['run', 'single']);
  const said = 'waits for its turn: 1 run of single is ahead of it (maxActiveRuns 1)';
  await second.until(/It waits for its turn: 1 run of single is ahead of it \(maxActiveRuns 1\)\n/);
  const { out } = await sandbox.run(['runs']);
  assert.match(out.split('\n')[0] ?? '', /running +single#2 /);
  assert.equal(out.split('\n')[1], `    ${said}`);
  assert.equal(out.split(said).length, 2, 'the first one waits for nobody');
  const [listed = ''] = (await sandbox.run(['runs', '--json'])).out.split('\n');
  const row = JSON.parse(listed) as { readonly id: string; readonly waits: string };
  assert.equal(row.waits, said);
  assert.ok((await (await fetch(`${url}/runs/${row.id}`)).text()).includes(`It ${said}`));
  first.kill('SIGINT');
  await second.until(/sleeps running/);
});
