/** What the server's environment holds is in no log and no output, though a step on the same machine can find it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createProject, fromContender, type Sandbox } from './sandbox.ts';

const environment = {
  CONTENDER_SECRET_AUDIT: 'canary-of-a-secret',
  CONTENDER_GITHUB_TOKEN: 'canary-of-a-token',
  CONTENDER_WEBHOOK_SECRET: 'canary-of-a-webhook,canary-of-the-old-webhook',
  CONTENDER_NOTIFY_TEAM: 'https://hooks.example/canary-of-a-channel',
};

const prying = `${fromContender}export default pipeline('prying', { on: {} }, () => {
  step('pry', { command: ['sh', 'pry.sh'], outputs: { found: 'string' } });
});
`;

// All processes above it: the server's is among them.
const script = String.raw`
pid=$$
while [ "$pid" -gt 1 ]; do
  tr '\0' '\n' < "/proc/$pid/environ" || true
  found="$found $(tr '\0' '\n' < "/proc/$pid/environ" | grep -o canary-of-a-token)"
  pid=$(cut -d ' ' -f 4 "/proc/$pid/stat")
done
echo "{\"found\": \"$(echo $found)\"}"
`;

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({ '.pipelines/prying.ts': prying, 'pry.sh': script });
});
after(() => sandbox.remove());

test('a step that reads the environment of its server shows nothing of it', async () => {
  const ran = await sandbox.run(['run', 'prying'], { environment });
  assert.equal(ran.status, 0, ran.out + ran.err);
  const log = await sandbox.run(['logs', 'prying#1', 'pry']);
  for (const name of Object.keys(environment))
    assert.ok(log.out.includes(`${name}=`), `${name} was not even found: ${log.out}${log.err}`);
  const runs = await sandbox.run(['runs', '--json']);
  for (const text of [ran.out, log.out, runs.out]) assert.ok(!text.includes('canary'), text);
  assert.match(log.out, /CONTENDER_WEBHOOK_SECRET=\*\*\*,\*\*\*/);
  assert.match(log.out, /The output held a secret, which was masked/);
});

test('a step that names the key of an object store is not given it', async () => {
  const taking = `${fromContender}export default pipeline('taking', { on: {} }, () => {
  step('take', { command: ['sh', '-c', 'echo "$LAKE_KEY"'], secrets: ['LAKE_KEY'] });
});
`;
  sandbox.commit({
    '.pipelines/taking.ts': taking,
    'contender.yaml': 'objectStores: { lake: { secrets: { accessKeyId: LAKE_ID, secretAccessKey: LAKE_KEY } } }',
  });
  const ran = await sandbox.run(['run', 'taking'], { environment: { CONTENDER_SECRET_LAKE_KEY: 'canary-of-a-key' } });
  assert.notEqual(ran.status, 0);
  assert.match(
    ran.out + ran.err,
    /LAKE_KEY is not configured for steps: set CONTENDER_SECRET_LAKE_KEY .*keys of object stores .* no step/,
  );
});
