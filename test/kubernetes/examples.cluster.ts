/** The examples with their steps as pods. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { nodeAddress } from '../cluster/layout.ts';
import { examplesDoWhatTheySay } from '../examples/behaviours.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { executorIn, runnerImage } from './settings.ts';

let namespace: Namespace;
before(async () => {
  namespace = await makeNamespace();
});
after(() => namespace.remove());

examplesDoWhatTheySay('as pods', async () => ({
  executor: await executorIn(namespace.name),
  environment: {},
  host: nodeAddress,
  image: runnerImage,
}));

test('weekly churn was trained in containers of their own, each with its helper beside it', async () => {
  const path = '{range .items[?(@.reason=="Created")]}{.involvedObject.name} {.involvedObject.fieldPath}{"\\n"}{end}';
  const created = (await namespace.read('events', path)).trim().split('\n');
  const helped = created.filter((line) => line.endsWith('{contender}')).map((line) => line.split(' ')[0]);
  assert.equal(new Set(helped).size, 2, created.join('\n'));
  for (const pod of helped) {
    assert.match(pod ?? '', /-train-0-1$/);
    assert.ok(created.includes(`${pod} spec.containers{main}`), created.join('\n'));
  }
});

test('none of their pods is left', () => namespace.waitForNone('pods'));
