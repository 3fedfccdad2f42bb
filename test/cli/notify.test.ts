/** A deadline that is missed under a real server, from the definition to the receiver. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { payloadSchema } from '../../src/notify/payload.ts';
import { openReceiver, status } from '../notify/receiver.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const late = `import { pipeline, step } from 'contender';

export default pipeline('late', { deadline: '1s', notify: { deadline: ['team', 'lost'] } }, () => {
  step('sleeps', { command: ['sh', '-c', 'echo has begun; exec sleep 600'] });
});
`;

test('a missed deadline reaches its channel while the run goes on, and what is not delivered is shown', async () => {
  const receiver = await openReceiver();
  try {
    sandbox = createProject({
      '.pipelines/late.ts': late,
      'contender.yaml':
        'notifications: { channels: { team: { webhook: { url: TEAM } }, lost: { slack: { url: LOST } } } }\n',
    });
    const answered = new Promise<void>((resolve) => {
      receiver.answers.push((response) => (resolve(), status(200)(response)));
    });
    const environment = { CONTENDER_NOTIFY_TEAM: receiver.url };
    const server = sandbox.start(['serve', '--port', '0'], { environment });
    const [, url = ''] = await server.until(/Contender \S+ is at (\S+), watching/);
    assert.match(server.said(), /CONTENDER_NOTIFY_LOST is not set/);
    const run = sandbox.start(['run', 'late']);
    await run.until(/sleeps running/);
    await answered;
    await server.until(/not delivered; it is tried again/);
    const { event, run: told } = payloadSchema.parse(JSON.parse(receiver.arrived[0]?.body ?? ''));
    assert.ok(told !== null);
    assert.deepEqual([event, told.state, told.url], ['deadline-missed', 'running', `${url}/runs/${told.id}`]);
    await run.until(/It has missed its deadline of 1/);
    assert.match((await sandbox.run(['runs'])).out, /running, late, not told: lost late#1/);
    const page = await (await fetch(`${url}/runs/${told.id}`)).text();
    assert.match(page, /<strong class="tone-warn">missed<\/strong>/);
    assert.match(page, /lost of the missed deadline: not delivered.*CONTENDER_NOTIFY_LOST is not set/s);
    assert.doesNotMatch(server.said() + page, /geheim/);
  } finally {
    receiver.close();
  }
});
