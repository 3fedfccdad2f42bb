import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { failing, good } from './pipelines.ts';
import { createProject, createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/failing.ts': failing,
  });
});
after(() => sandbox.remove());

test('a good run ends with 0 and says what its steps did, line by line where nobody watches', async () => {
  const { status, out, err } = await sandbox.run(['run', 'good']);
  assert.deepEqual({ status, err }, { status: 0, err: '' });
  const words = out
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
  assert.match(words[0] ?? '', /^good at [0-9a-f]{7}, run [0-9a-z]{26}$/);
  assert.ok(
    words.some((line) => /^✓ first success \d/.test(line)),
    out,
  );
  assert.ok(
    words.some((line) => /^✓ second success \d/.test(line)),
    out,
  );
  assert.match(words.at(-1) ?? '', /^✓ success: /);
  assert.ok(!out.includes('\u001b'), 'no colour and no cursor where nobody watches');
});

test('a failed run ends with 1 and says why', async () => {
  const { status, out } = await sandbox.run(['run', 'failing']);
  assert.equal(status, 1);
  assert.match(out, /✗ failed: breaks failed: exit code 3/);
  assert.equal(out.split('exit code 3').length - 1, 2, 'by the line of the step, and as the end of the run');
});

test('a program reads the same word for the state of a run, whichever command says it', async () => {
  const { status, out } = await sandbox.run(['run', 'failing', '--json']);
  assert.equal(status, 1);
  const listed = await sandbox.run(['runs', '--limit', '1', '--json']);
  for (const text of [out, listed.out]) {
    const { state, outcome } = Object(JSON.parse(text));
    assert.deepEqual([state, outcome], ['failed', 'failed']);
  }
});

test('with --json, the last line of standard output is the result, and the words go elsewhere', async () => {
  const { status, out, err } = await sandbox.run([
    'run',
    'good',
    '--date',
    '2026-11-16',
    '--param',
    'depth=7',
    '--json',
  ]);
  assert.equal(status, 0, err);
  const lines = out.trimEnd().split('\n');
  const report: unknown = JSON.parse(lines.at(-1) ?? '');
  assert.ok(typeof report === 'object' && report !== null && 'state' in report && 'runId' in report);
  assert.equal(report.state, 'success');
  assert.equal(lines.length, 1);
  assert.match(err, /✓ second success/);
  const logs = await sandbox.run(['logs', String(report.runId), 'first']);
  assert.match(logs.out, /the depth is 7 on 2026-11-16/);
});

test('uncommitted changes are not part of the run, and that is said', async () => {
  sandbox.write({ 'new-file.txt': '' });
  const { status, out } = await sandbox.run(['run', 'good']);
  assert.equal(status, 0);
  assert.match(out, /1 uncommitted change is not part of this run/);
  const named = await sandbox.run(['run', 'good', '--ref', 'main']);
  assert.doesNotMatch(named.out, /uncommitted/);
});

test('a folder that is no repository is said to be one, and nothing is made in it', async () => {
  const elsewhere = createSandbox();
  try {
    const { status, err } = await elsewhere.run(['run', 'good']);
    assert.equal(status, 2);
    assert.match(err, /is no Git repository \[repository-unreadable\]/);
    assert.equal(existsSync(join(elsewhere.folder, '.contender')), false);
  } finally {
    await elsewhere.remove();
  }
});
