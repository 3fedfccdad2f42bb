import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createSandbox();
});
afterEach(() => sandbox.remove());

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a story that ${signal} ends was not told: status ${status}`, async () => {
    const demo = sandbox.start(['demo', '--once']);
    await demo.until(/Contender: http/);
    demo.kill(signal);
    const ended = await demo.ended;
    assert.equal(ended.status, status, ended.err);
    assert.doesNotMatch(ended.out, /Told in/);
  });
}
