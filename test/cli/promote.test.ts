import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { modelPipeline } from '../flow/pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

const churn = (promote: string): string => modelPipeline({ name: 'churn', noise: 0.1, promote });

/** The same model under another name. */
const second = `challenge('other', {
    model: train.model,
    score: { run: async () => Array.from({ length: 400 }, (_, row) => ({ label: row % 2, score: row % 2 })) },
    task: 'binary',
    metric: 'roc_auc',
    threshold: 0.6,
    promote: 'on-approval',
  });`;

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({ '.pipelines/churn.ts': churn('on-approval') });
});
afterEach(() => sandbox.remove());

const ledger = (): string => sandbox.git('show', 'contender/models:models/churn.json');

test('a model that waits for approval is promoted at the word of a person, once', async () => {
  const run = await sandbox.run(['run', 'churn']);
  assert.equal(run.status, 0, run.err);
  assert.match(run.out, /It becomes champion when somebody approves it/);
  const [, id = ''] = /make it champion: contender promote ([0-9a-z]{26})\n/.exec(run.out) ?? [];
  const promoted = await sandbox.run(['promote', id]);
  assert.equal(promoted.status, 0, promoted.err);
  assert.equal(promoted.out, 'churn of churn#1 is champion now, as version 1.\n');
  assert.match(ledger(), /"champion": 1/);

  const again = await sandbox.run(['promote', 'churn#1', '--model', 'churn']);
  assert.equal(again.status, 2);
  assert.match(again.err, /"churn" does not wait for approval: it is version 1 already \[promotion-refused\]/);
  const unknown = await sandbox.run(['promote', 'churn#7']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /\[run-unknown\]/);
});

test('what is told is of the model that was approved, whatever else of the run waits', async () => {
  sandbox.commit({
    '.pipelines/churn.ts': modelPipeline({ name: 'churn', noise: 0.1, promote: 'on-approval', more: second }),
  });
  assert.equal((await sandbox.run(['run', 'churn'])).status, 0);
  const unclear = await sandbox.run(['promote', 'churn#1']);
  assert.equal(unclear.status, 2);
  assert.match(unclear.err, /several models wait for approval: (?:churn, other|other, churn); name one of them/);
  const one = await sandbox.run(['promote', 'churn#1', '--model', 'other']);
  assert.equal(one.out, 'other of churn#1 is champion now, as version 1.\n', one.err);
  const rest = await sandbox.run(['promote', 'churn#1']);
  assert.equal(rest.out, 'churn of churn#1 is champion now, as version 1.\n', rest.err);
});

test('in a folder whose server is at work, the server promotes', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  await server.until(/Contender \S+ is at (\S+), watching/);
  const run = await sandbox.run(['run', 'churn']);
  assert.equal(run.status, 0, run.err);
  const promoted = await sandbox.run(['promote', 'churn', '--json']);
  assert.equal(promoted.status, 2, 'a pipeline is no run');
  const named = await sandbox.run(['promote', 'churn#1', '--json']);
  assert.equal(named.status, 0, named.err);
  const { model, state, version } = JSON.parse(named.out) as Record<string, unknown>;
  assert.deepEqual([model, state, version], ['churn', 'promoted', 1]);
});

test("what a pipeline leaves to nobody is nobody's to approve", async () => {
  sandbox.commit({ '.pipelines/churn.ts': churn('never') });
  assert.equal((await sandbox.run(['run', 'churn'])).status, 0);
  const refused = await sandbox.run(['promote', 'churn#1']);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /does not wait for approval: its pipeline says promote: 'never' \[promotion-refused\]/);
});
