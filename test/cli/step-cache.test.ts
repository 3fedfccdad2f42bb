import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { createProject, fromContender, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const cached = `${fromContender}
export default pipeline('cached', { parameters: { n: { type: 'number', default: 1 } } }, ({ parameters }) => {
  step('train', { cache: true, input: { n: parameters.n }, run: ({ n }) => n });
});
`;

interface Printed {
  readonly runId: string;
  readonly steps: readonly { readonly cache: string | null }[];
}

test('run says from which run the cache had a step, and what changed where it had not', async () => {
  sandbox = createProject({ '.pipelines/cached.ts': cached });
  const first = JSON.parse((await sandbox.run(['run', 'cached', '--json'])).out) as Printed;
  assert.equal(first.steps[0]?.cache, 'not from the cache: first time');
  const { out } = await sandbox.run(['run', 'cached']);
  assert.match(out, new RegExp(`✓ train success, from the cache of run ${first.runId}`));
  const { out: third, err } = await sandbox.run(['run', 'cached', '--param', 'n=2', '--json']);
  assert.match(err, /✓ train success, not from the cache: input n changed/);
  assert.equal((JSON.parse(third) as Printed).steps[0]?.cache, 'not from the cache: input n changed');
});
