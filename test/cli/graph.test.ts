import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { broken, good } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

const scheduled = `import { pipeline, step } from 'contender';
export default pipeline('nightly', { on: { schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } } }, () => {
  step('one', { run: () => 1 });
});
`;

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/broken.ts': broken,
    '.pipelines/nightly.ts': scheduled,
  });
});
after(() => sandbox.remove());

test('as text, a graph is its steps with what they wait for', async () => {
  const { status, out } = await sandbox.run(['graph', 'good']);
  assert.equal(status, 0);
  assert.equal(out, 'first   function\nsecond  function       after first\n');
});

test('as Mermaid and as DOT, it has each step and each edge once', async () => {
  const mermaid = await sandbox.run(['graph', 'good', '--format', 'mermaid']);
  assert.equal(mermaid.out, 'graph LR\n  s0["first (function)"]\n  s1["second (function)"]\n  s0 --> s1\n');
  const dot = await sandbox.run(['graph', 'good', '--format', 'dot']);
  assert.match(dot.out, /^digraph "good" \{\n(?: {2}\S.*;\n)+\}\n$/);
  assert.match(dot.out, /s0 -> s1;/);
});

test('an unknown pipeline is answered with those that there are, a broken one with its problem', async () => {
  const unknown = await sandbox.run(['graph', 'nope']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /there is no pipeline "nope" \[pipeline-unknown\]\n {2}There are: good, nightly\./);
  const bad = await sandbox.run(['graph', 'broken']);
  assert.equal(bad.status, 2);
  assert.match(bad.err, /\.pipelines\/broken\.ts:4:3/);
});

test('an unknown format is refused with those that there are', async () => {
  const { status, err } = await sandbox.run(['graph', 'good', '--format', 'svg']);
  assert.equal(status, 2);
  assert.match(err, /One of text, mermaid, dot/);
});

test('the coming firings of a schedule are listed in its time zone', async () => {
  const { status, out } = await sandbox.run(['next', '--count', '3']);
  assert.equal(status, 0);
  const [title, ...firings] = out.trimEnd().split('\n');
  assert.equal(title, 'nightly 30 2 * * *, Europe/Berlin');
  assert.equal(
    firings.filter((line) => /^ {2}\d{4}-\d\d-\d\d 0[23]:\d0 \+0[12]:00 {2}\d{4}-\d\d-\d\d 0[01]:\d0 UTC$/.test(line))
      .length,
    3,
  );
  const none = await sandbox.run(['next', 'good']);
  assert.deepEqual(none, { status: 0, out: '', err: 'Nothing here has a schedule.\n' });
});
