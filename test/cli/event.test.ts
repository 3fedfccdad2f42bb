import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createProject, fromContender, type Sandbox } from './sandbox.ts';

const upstream = `${fromContender}
export default pipeline('upstream', {}, () => {
  step('load', { command: ['sh', '-c', 'echo "[1, 2]"'], updates: { features: true } });
});
`;

const follower = `${fromContender}
export default pipeline('follower', { on: { pipeline: ['upstream', 'elsewhere'] } }, () => {
  step('tells', { command: ['sh', '-c', 'echo "trigger: $CONTENDER_TRIGGER"'] });
});
`;

const listener = `${fromContender}
export default pipeline('listener', { on: { data: ['features', 'labels'] } }, () => {
  step('tells', { run: (_, { trigger }) => { console.log(trigger.events.map(({ dataset }) => dataset).join('+')); } });
});
`;

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({
    '.pipelines/upstream.ts': upstream,
    '.pipelines/follower.ts': follower,
    '.pipelines/listener.ts': listener,
  });
});
afterEach(() => sandbox.remove());

const serving = /Contender \S+ is at (\S+), watching work\./;

test('a run under a server is followed, and news of data start who listens, with what they know of it', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  const url = (await server.until(serving))[1] ?? '';
  await sandbox.run(['run', 'upstream']);
  await until(async () => (await ended()).includes('follower#1'));
  const { out } = await sandbox.run(['logs', 'follower#1']);
  assert.match(out, /trigger: \{"kind":"pipeline","upstream":\{"runId":"\w{26}"/);
  const told = await sandbox.run(['event', 'labels', '--at', '2026-11-15T02:00:00Z']);
  assert.match(told.out, /^✓ 2026-11-15 02:00 {2}labels {2}news\nThe server at \S+ takes it from here\.\n$/, told.err);
  await until(async () => {
    // What was told before it was seen to listen does not count.
    for (const dataset of ['features', 'labels']) await sandbox.run(['event', dataset]);
    return (await ended()).includes('listener#1');
  });
  assert.match((await sandbox.run(['logs', 'listener#1'])).out, /features\+labels|labels\+features/);
  const page = await (await fetch(`${url}/runs?pipeline=follower`)).text();
  assert.match(page, /after a run of upstream: success/);
  server.kill('SIGTERM');
  await server.ended;
});

test('without a server news are kept for the next one, and listed', async () => {
  assert.match((await sandbox.run(['event', 'labels'])).err, /\[nothing-here\]/);
  await sandbox.run(['run', 'upstream']);
  const first = await sandbox.run(['event', 'labels', '--digest', 'one', '--json']);
  assert.equal((JSON.parse(first.out) as { state: string }).state, 'news');
  const again = await sandbox.run(['event', 'labels', '--digest', 'one']);
  assert.match(again.out, /the same as before\nIts digest is that of the news before/);
  assert.match((await sandbox.run(['event', 'labels', '--digest', 'one', '--even-if-same'])).out, /one {2}news/);
  const { out } = await sandbox.run(['events']);
  assert.equal(out.trim().split('\n').length, 4);
  assert.match(out, /○ .* features {2}\w{12} {2}not decided, by run \w{26}\n$/);
  assert.equal((await sandbox.run(['events', 'labels'])).out.trim().split('\n').length, 3);
  assert.match((await sandbox.run(['events', 'nothing'])).err, /Nothing was said/);
});

test('a name or moment that is none is refused', async () => {
  for (const args of [['two words'], ['labels', '--at', 'monday'], ['labels', '--digest', '']]) {
    const { status, err } = await sandbox.run(['event', ...args]);
    assert.equal(status, 2, err);
    if (args[1] === '--at') assert.match(err, /YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ/);
  }
});

test('check warns of a pipeline that follows none, and graph and simulate say who follows', async () => {
  const { status, err } = await sandbox.run(['check']);
  assert.equal(status, 0, err);
  assert.match(err, /follower\.ts:3:16: it follows "elsewhere", which no file here defines/);
  const graph = await sandbox.run(['graph', 'upstream', '--format', 'mermaid']);
  assert.match(graph.out, /^ {2}%% is followed by follower: success on the default branch$/m);
  const simulated = await sandbox.run(['simulate', 'upstream', '--json']);
  assert.deepEqual((JSON.parse(simulated.out) as { followers: unknown }).followers, ['follower']);
});

async function ended(): Promise<string> {
  return (await sandbox.run(['runs', '--state', 'success'])).out;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

test('the named part of a large output is the same data, whatever else is in it', async () => {
  const large = `${fromContender}
export default pipeline('large', {}, () => {
  step('load', {
    run: (_, { runId }) => ({ rows: [1, 2], log: runId.repeat(5000) }),
    updates: { features: 'rows' },
  });
});
`;
  await sandbox.remove();
  sandbox = createProject({ '.pipelines/large.ts': large });
  for (let count = 0; count < 2; count += 1) {
    const { status, err } = await sandbox.run(['run', 'large']);
    assert.equal(status, 0, err);
  }
  const { out } = await sandbox.run(['events', 'features', '--json']);
  const events = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { digest: string | null });
  const [first, second] = events.map(({ digest }) => digest);
  assert.match(first ?? '', /^[0-9a-f]{64}$/);
  assert.equal(first, second);
});
