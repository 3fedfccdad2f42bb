import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const waiting = `import { pipeline, step } from 'contender';

export default pipeline('waiting', { pool: 'gpu' }, () => {
  step('first', { command: ['sh', '-c', 'echo has begun; exec sleep 600'] });
  step('second', { command: ['true'] });
});
`;

test('pools says who holds slots and who waits; the page of the run, and a terminal that follows it, say for what', async () => {
  sandbox = createProject({
    '.pipelines/waiting.ts': waiting,
    'contender.yaml': 'executor: { slots: 3 }\npools: { gpu: { slots: 1 }, database: { slots: 4 } }\n',
  });
  const before = await sandbox.run(['pools']);
  assert.deepEqual(
    [before.status, before.out, before.err],
    [
      0,
      'gpu       0 of 1 taken\ndatabase  0 of 4 taken\n',
      'No server is at work here: these are the pools of contender.yaml.\n',
    ],
  );
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
  const run = sandbox.start(['run', 'waiting']);
  await run.until(/first running/);
  const { out } = await sandbox.run(['pools']);
  assert.equal(out, 'executor  1 of 3 taken\ngpu       1 of 1 taken, 1 run waits\ndatabase  0 of 4 taken\n');
  const first = (await sandbox.run(['pools', '--json'])).out.split('\n')[1] ?? '';
  assert.deepEqual(JSON.parse(first), { pool: 'gpu', slots: 1, taken: 1, waiting: 1 });
  const listed = JSON.parse((await sandbox.run(['runs', '--json'])).out) as { readonly id: string };
  const page = await (await fetch(`${url}/runs/${listed.id}`)).text();
  assert.match(page, /waits for a slot of pool gpu \(1 of 1 taken\)/);
  const environment = { NODE_OPTIONS: '--import data:text/javascript,process.stdout.isTTY=true', TERM: 'xterm' };
  const shown = sandbox.start(['run', 'waiting'], { environment });
  await shown.until(/Handed to the server at [^]*waiting for a slot of pool gpu \(1 of 1 taken\)/);
});
