/** The examples with their steps as pods. */
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

test('none of their pods is left', () => namespace.waitForNone('pods'));
