import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { broken, good } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

const scheduled = `import { pipeline, step } from 'contender';
export default pipeline('nightly', { on: { schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } } }, () => {
  step('one', { run: () => 1 });
});
`;

const ruled = `import { map, pipeline, step } from 'contender';
export default pipeline('ruled', {}, () => {
  const all = map({ part: [1, 2] }, ({ part }) => step('train', { input: { part }, run: () => 1 }));
  step('report', { after: [all], triggerRule: 'one_failed', run: () => 1 });
  step('tidy', { finally: true, run: () => 1 });
});
`;

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/broken.ts': broken,
    '.pipelines/nightly.ts': scheduled,
    '.pipelines/ruled.ts': ruled,
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

test('what is mapped, has a rule of its own or comes last, says so in every format', async () => {
  const { out } = await sandbox.run(['graph', 'ruled']);
  assert.equal(out, 'train   function, mapped\nreport  function, one_failed  after train\ntidy    function, finally\n');
  for (const format of ['mermaid', 'dot']) {
    const drawn = (await sandbox.run(['graph', 'ruled', '--format', format])).out;
    for (const label of ['train (function, mapped)', 'report (function, one_failed)', 'tidy (function, finally)'])
      assert.ok(drawn.includes(`"${label}"`), drawn);
  }
});

test('an unknown pipeline is answered with those that there are, a broken one with its problem', async () => {
  const unknown = await sandbox.run(['graph', 'nope']);
  assert.equal(unknown.status, 2);
  assert.match(
    unknown.err,
    /there is no pipeline "nope" \[pipeline-unknown\]\n {2}There are: good, nightly, ruled\. \.pipelines\/broken\.ts does not compile: .*retrys/,
  );
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
  assert.deepEqual(none, { status: 0, out: '', err: 'good has no schedule.\n' });
});

test('from a day on, the firings of a night in which the clocks change say what becomes of them', async () => {
  const spring = await sandbox.run(['next', 'nightly', '--from', '2026-03-28', '--count', '3']);
  assert.deepEqual(spring.out.trimEnd().split('\n').slice(1), [
    '  2026-03-28 02:30 +01:00  2026-03-28 01:30 UTC',
    '  2026-03-29 03:00 +02:00  2026-03-29 01:00 UTC',
    '    2026-03-29 02:30 does not exist in Europe/Berlin (the clocks go forward from 02:00 to 03:00): it runs right after, at 03:00.',
    '  2026-03-30 02:30 +02:00  2026-03-30 00:30 UTC',
  ]);
  sandbox.write({ '.pipelines/twice.ts': scheduled.replace("'nightly'", "'twice'").replace('30 2 ', '*/30 2 ') });
  const vanished = await sandbox.run(['next', 'twice', '--from', '2026-03-29', '--count', '1']);
  assert.deepEqual(vanished.out.trimEnd().split('\n').slice(1), [
    '    2026-03-29 02:00 and 02:30 do not exist in Europe/Berlin (the clocks go forward from 02:00 to 03:00): it runs by the clock, so not then.',
    '  2026-03-30 02:00 +02:00  2026-03-30 00:00 UTC',
  ]);
  const autumn = await sandbox.run(['next', 'nightly', '--from', '2026-10-25', '--count', '1']);
  assert.deepEqual(autumn.out.trimEnd().split('\n').slice(1), [
    '  2026-10-25 02:30 +02:00  2026-10-25 00:30 UTC',
    '    2026-10-25 02:30 comes twice in Europe/Berlin (the clocks go back): it runs once, the first time.',
  ]);
  const far = await sandbox.run(['next', 'nightly', '--from', '9999-12-31']);
  assert.match(far.out, /\n {2}none that the calendar knows of: give an earlier day with --from\n$/);
  const { status, err } = await sandbox.run(['next', 'nightly', '--from', 'tomorrow']);
  assert.equal(status, 2);
  assert.match(err, /Write it as YYYY-MM-DD/);
});
