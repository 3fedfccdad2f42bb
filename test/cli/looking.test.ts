import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { failing, good, hopeless, slow } from './pipelines.ts';
import { createProject, createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
before(async () => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/failing.ts': failing,
    '.pipelines/slow.ts': slow,
    '.pipelines/hopeless.ts': hopeless,
  });
  await sandbox.run(['run', 'good']);
  await sandbox.run(['run', 'failing']);
});
after(() => sandbox.remove());

test('runs are listed newest first, with their pipeline, number, state and id', async () => {
  const { status, out } = await sandbox.run(['runs']);
  assert.equal(status, 0);
  const [newest, reason, oldest] = out.trimEnd().split('\n');
  assert.match(newest ?? '', /^✗ failed +failing#1 .* manual .* [0-9a-z]{26}$/);
  assert.match(reason ?? '', /exit code 3/);
  assert.match(oldest ?? '', /^✓ success +good#1 /);
});

test('as JSON, each run is an object on a line of its own', async () => {
  const { out } = await sandbox.run(['runs', '--json', '--state', 'success', '--pipeline', 'good']);
  const lines = out.trimEnd().split('\n');
  assert.equal(lines.length, 1);
  const row: unknown = JSON.parse(lines[0] ?? '');
  assert.ok(typeof row === 'object' && row !== null && 'number' in row && 'sha' in row);
  assert.equal(row.number, 1);
});

test('a filter that nothing passes is no mistake; an unknown state or pipeline is one', async () => {
  const none = await sandbox.run(['runs', '--pipeline', 'slow']);
  assert.deepEqual(none, { status: 0, out: '', err: 'No runs match.\n' });
  const other = await sandbox.run(['runs', '--pipeline', 'other']);
  assert.equal(other.status, 2);
  assert.match(
    other.err,
    /there is no pipeline "other" \[pipeline-unknown\]\n {2}There are: failing, good, hopeless, slow\./,
  );
  const unknown = await sandbox.run(['runs', '--state', 'done']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /One of running, cancelling, success/);
});

test('logs are found by id, by its beginning and by number', async () => {
  const listed = await sandbox.run(['runs', '--pipeline', 'good', '--json']);
  const id = /"id":"([0-9a-z]{26})"/.exec(listed.out)?.[1] ?? '';
  for (const name of [id, id.slice(0, -1), 'good#1']) {
    const { status, out } = await sandbox.run(['logs', name, 'first']);
    assert.equal(status, 0);
    assert.match(out, /^first the depth is 3 on \d{4}-\d\d-\d\d\n/);
  }
});

test('what names no run, several, or no step is said so', async () => {
  const unknown = await sandbox.run(['logs', 'good#99']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /there is no run "good#99" \[run-unknown\]/);
  const both = await sandbox.run(['logs', '0']);
  assert.equal(both.status, 2);
  assert.match(both.err, /"0" could be 2 runs or more/);
  const step = await sandbox.run(['logs', 'good#1', 'third']);
  assert.equal(step.status, 2);
  assert.match(step.err, /no step "third" \[step-unknown\]\n {2}Its steps: first, second\./);
});

test('a step that wrote nothing is said so, beside the log', async () => {
  sandbox.commit({
    '.pipelines/silent.ts': `import { pipeline, step } from 'contender';
      export default pipeline('silent', {}, () => {
        step('quiet', { command: ['true'] });
        step('loud', { command: ['echo', 'here'] });
      });`,
  });
  await sandbox.run(['run', 'silent']);
  const { status, out, err } = await sandbox.run(['logs', 'silent#1']);
  assert.deepEqual([status, out, err], [0, 'loud here\n', 'quiet wrote nothing\n']);
  const folder = join(sandbox.folder, '.contender');
  renameSync(join(folder, 'logs'), join(folder, 'elsewhere'));
  const gone = await sandbox.run(['logs', 'silent#1']);
  renameSync(join(folder, 'elsewhere'), join(folder, 'logs'));
  assert.deepEqual([gone.status, gone.out, gone.err], [0, '', 'quiet, loud wrote nothing that is kept here\n']);
});

test('a log whose end could not be written is said to lack it, beside the log', async () => {
  sandbox.commit({
    '.pipelines/cut.ts': `import { pipeline, step } from 'contender';
      export default pipeline('cut', {}, () => {
        step('short', { command: ['echo', 'here'] });
      });`,
  });
  await sandbox.run(['run', 'cut']);
  const folder = join(sandbox.folder, '.contender', 'logs');
  const path = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('short~0~1.log'),
  );
  assert.ok(path !== undefined);
  const [line = ''] = readFileSync(join(folder, path), 'utf8').split('\n');
  writeFileSync(join(folder, path), `${line}\n`);
  const { status, out, err } = await sandbox.run(['logs', 'cut#1']);
  assert.deepEqual([status, out, err], [0, 'short here\n', 'short may have written more, which could not be kept\n']);
});

test('an attempt that there is not, and a step that never started, are said so instead of nothing', async () => {
  await sandbox.run(['run', 'hopeless']);
  assert.match((await sandbox.run(['logs', 'hopeless#1', 'tries', '--attempt', '1'])).out, /try 1/);
  const wanted: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['tries', '--attempt', '9'], /step "tries" has 2 attempts \[attempt-unknown\]\n {2}Give --attempt 1 to 2/],
    [['--attempt', '9'], /no step of the run has more than 2 attempts/],
    [['never'], /step "never" never started: upstream_failed \[attempt-unknown\]/],
    [['never', '--follow'], /step "never" never started/],
  ];
  for (const [args, said] of wanted) {
    const { status, out, err } = await sandbox.run(['logs', 'hopeless#1', ...args]);
    assert.deepEqual({ status, out }, { status: 2, out: '' }, args.join(' '));
    assert.match(err, said);
  }
});

test('runs and logs are there while a run is under way, and --follow ends with it', async () => {
  const running = sandbox.start(['run', 'slow']);
  await running.until(/sleeps running/);
  const following = sandbox.start(['logs', 'slow#1', '--follow']);
  await following.until(/sleeps has begun/);
  assert.match((await sandbox.run(['runs', '--state', 'running'])).out, /▶ running +slow#1/);
  running.kill('SIGINT');
  assert.equal((await running.ended).status, 130);
  assert.equal((await following.ended).status, 0);
});

test('a reader who goes away ends the command without a word', async () => {
  const running = sandbox.start(['runs']);
  running.child.stdout?.destroy();
  const { status, err } = await running.ended;
  assert.deepEqual({ status, err }, { status: 141, err: '' });
});

test('where nothing has run yet, that is said with what to do', async () => {
  const elsewhere = createSandbox();
  try {
    for (const args of [['runs'], ['logs', 'good#1']]) {
      const { status, err } = await elsewhere.run(args);
      assert.equal(status, 2);
      assert.match(err, /nothing has run here yet.* \[nothing-here\]\n {2}Start a run/);
    }
  } finally {
    await elsewhere.remove();
  }
});

test('runs warns of reports that the forge has not taken, whether they are tried again or given up', async () => {
  const project = createProject({ '.pipelines/good.ts': good });
  const directory = join(project.folder, '.contender');
  const at = Date.now();
  const journal = await openSqliteJournal({ directory, clock: { now: () => at } });
  for (const [key, time] of [
    ['status:old', 5],
    ['status:a', at - 1],
    ['status:b', at],
  ] as const) {
    const row = { write: 'outbox', key, kind: 'status', body: {}, at: time, dueAt: time } as const;
    const error = `${key} was refused (401)`;
    await journal.commit([[row, { write: 'outbox-failed', key, sequence: 1, at, error, dueAt: null }]]);
  }
  await journal.close();
  const { status, err } = await project.run(['runs']);
  await project.remove();
  assert.equal(status, 0);
  assert.match(err, /2 reports of this week are not delivered, the newest: status:b was refused \(401\)/);
});
